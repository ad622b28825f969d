//! What the pages contain: escaped user text, working links, every number of the summary, and the right texts.

use std::collections::BTreeSet;

use super::super::output::bench_page_path;
use super::super::plots::style::escape;
use super::super::slug;
use super::{bench_page, fixtures, index, pages, parse};
use crate::report::number_format::Figure;
use crate::report::{fixture, labels};

#[test]
fn escapes_user_text() {
    const TAGS: &str = "!DOCTYPE a b body caption circle code dd desc details div dl dt ellipse form figcaption figure h1 h2 h3 \
                        head header html input label li line main meta nav option output p path polygon polyline pre rect script section select span style summary \
                        svg table tbody td text th thead title tr ul";
    for (name, summary) in fixtures() {
        for (path, page) in pages(&summary) {
            let (tags, text) = parse(&page);
            for (tag, attributes) in tags {
                assert!(TAGS.split_whitespace().any(|known| known == tag), "{name}: <{tag}>");
                assert!(attributes.keys().all(|key| !key.starts_with("on") && key != "src" && key != "style"), "{tag}");
            }
            assert!(!page.contains(['\u{202E}', '\u{2066}', '\x1b']), "{name}");
            assert_eq!(text.contains("&lt;script&gt;"), name == "hostile", "{path}");
            assert_eq!(text.contains("{{ 7*7 }}"), name == "hostile", "{path}");
        }
    }
}

#[test]
fn loads_nothing() {
    for (name, summary) in fixtures() {
        for (path, page) in pages(&summary) {
            let page = page.replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
            for address in ["http:", "https:", "url(", "@import", "<link"] {
                assert!(!page.contains(address), "{name}: {path}: {address}");
            }
        }
    }
}

#[test]
fn ids_are_unique_and_links_resolve() {
    for (name, summary) in fixtures() {
        let pages = pages(&summary);
        for (path, page) in &pages {
            let (tags, _) = parse(page);
            let values = |key: &str| tags.iter().filter_map(|(_, a)| a.get(key).cloned()).collect::<Vec<_>>();
            let ids = values("id");
            let set: BTreeSet<&String> = ids.iter().collect();
            assert_eq!(set.len(), ids.len(), "{name}: {path}: duplicate id");
            for target in values("aria-labelledby").iter().flat_map(|l| l.split(' ')) {
                assert!(ids.iter().any(|id| id == target), "{name}: {path}: missing #{target}");
            }
            for link in values("href") {
                let resolves = match link.strip_prefix('#') {
                    Some(target) => ids.iter().any(|id| id == target),
                    None if path == "index.html" => pages.contains_key(&link),
                    None => link.strip_prefix("../").map_or_else(
                        || pages.contains_key(&format!("benches/{link}")),
                        |link| pages.contains_key(link),
                    ),
                };
                assert!(resolves, "{name}: {path}: dead link {link}");
            }
        }
    }
}

#[test]
fn file_names_are_portable() {
    for (_, summary) in fixtures() {
        let pages = pages(&summary);
        assert_eq!(pages.len(), summary.benches.len() + 1, "every bench has its own page");
        for path in pages.keys() {
            let name = path.strip_prefix("benches/").unwrap_or(path);
            assert!(name.len() < 120, "{name}");
            assert!(name.bytes().all(|b| b.is_ascii_alphanumeric() || b"=_.-".contains(&b)), "{name}");
        }
    }
}

#[test]
fn bench_page_has_every_metric_with_label() {
    for (name, summary) in fixtures() {
        let pages = pages(&summary);
        for bench in &summary.benches {
            let page = &pages[&bench_page_path(&bench.bench.id, slug)];
            for (key, metric) in &bench.metrics {
                let Ok(figure) = Figure::of(metric) else { continue };
                let value = format!("<b>{}</b>", escape(&figure.short()));
                let origin = labels::metric_origin(bench, key, metric);
                let label = origin.map(|o| format!(" <span class=\"origin\">{o}</span>")).unwrap_or_default();
                assert!(page.contains(&format!("{value}{label}")), "{name}: {key}: {value}{label}");
                if let Some((low, high)) = &figure.interval {
                    assert!(page.contains(&format!(">{low} … {high}<")), "{name}: {key}: {low} … {high}");
                }
            }
        }
    }
}

#[test]
fn index_row_has_headline_and_sort_key() {
    for (name, summary) in fixtures() {
        let page = index(&summary);
        for bench in &summary.benches {
            let Some(metric) = bench.headline().filter(|metric| Figure::of(metric).is_ok()) else { continue };
            let href = bench_page_path(&bench.bench.id, slug);
            let row = page.split("<tr ").skip(1).find(|row| row.contains(&format!("href=\"{href}\">"))).unwrap();
            let key = row.split("data-k=\"").nth(1).unwrap().split(' ').next().unwrap();
            let (sort_key, value) = (key.parse::<f64>().unwrap(), metric.value.unwrap());
            assert!(((sort_key - value) / value).abs() < 1e-6, "{name}: {key}");
            assert!(row.contains(&format!("<b>{}</b>", escape(&Figure::of(metric).unwrap().short()))), "{name}: {row}");
        }
    }
}

#[test]
fn missing_numbers_are_dashes_with_reason() {
    for page in pages(&fixture::hostile()).values() {
        let script = page.find("<script>").map_or("", |from| &page[from..]);
        let page = page.replace(script, "");
        let mut words = page.split(|c: char| !c.is_alphanumeric());
        assert!(!words.any(|word| matches!(word, "NaN" | "inf" | "nan")));
    }
    let hostile = bench_page(&fixture::hostile(), 0);
    assert!(hostile.contains("<b>–</b> <span class=\"reason\">not a finite number</span>"));
    let estimate = index(&fixture::on_an_estimate());
    assert!(estimate.contains("<b>–</b> <span class=\"reason\">an estimate has no idle</span>"));
}

#[test]
fn estimate_has_banner_before_figures() {
    for page in pages(&fixture::on_an_estimate()).values() {
        let (_, text) = parse(page);
        let banner = text.find("Every joule on this page is an estimate").unwrap();
        let formula = text.find("CPU time of this process × 10 W per busy core").unwrap();
        let first_figure = text.find(" mJ").unwrap();
        assert!(banner < formula && formula < first_figure);
    }
    for page in pages(&fixture::on_a_card()).values() {
        assert!(!parse(page).1.contains("estimate"));
    }
}

#[test]
fn failed_bench_has_message() {
    let summary = fixture::on_a_card();
    let failed = summary.benches.iter().position(|bench| labels::failure_message(bench).is_some()).unwrap();
    let message = escape(labels::failure_message(&summary.benches[failed]).unwrap());
    assert!(bench_page(&summary, failed).contains(&format!("<p class=\"words\">{message}</p>")));
}

/// The lines of `text` that begin with one of `starts`, in their order.
fn lines_starting_with(text: &str, starts: &[&str]) -> String {
    let lines = text.lines().map(str::trim).filter(|line| starts.iter().any(|start| line.starts_with(start)));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn missing_plots_have_reasons() {
    let mut summary = fixture::on_a_card();
    summary.benches.truncate(1);
    summary.benches[0].cycles.truncate(1);
    summary.benches[0].cycles[0].traces.clear();
    summary.benches[0].warm_up = None;
    summary.benches[0].distributions[0].counts = vec![0, 29];
    let page = bench_page(&summary, 0);
    let captions = page.replace("<figcaption>", "\n").replace("</figcaption>", "\n");
    insta::assert_snapshot!(lines_starting_with(&captions, &["No plot", "No warm-up"]), @r"
    No plot: fewer than two readings of power are available.
    No plot: it needs at least two cycles.
    No warm-up was recorded.
    No plot: 29 samples are too few; it needs 30.
    No plot: these results were saved without the distribution.
    ");
    assert!(!page.contains("<svg"));
}

#[test]
fn missing_grid_plots_have_reasons() {
    let captions = |page: &str| page.replace("<figcaption>", "\n").replace("</figcaption>", "\n");
    let card = index(&fixture::on_a_card());
    insta::assert_snapshot!(
        lines_starting_with(&captions(&card), &["Energy against speed: no plot"]),
        @"Energy against speed: no plot, because 2 of 3 cases have both and may be used; a front needs 3."
    );
    assert!(!card.contains("pareto-1"));
    let estimate = index(&fixture::on_an_estimate());
    insta::assert_snapshot!(
        lines_starting_with(&captions(&estimate), &["No plots"]),
        @"No plots: the energy is estimated from CPU time, so energy against speed would show time on both axes."
    );
    let grid = index(&fixture::on_a_grid());
    assert!(grid.contains("id=\"pareto-1-t\"") && grid.contains("id=\"axis-1-1-t\""));
}

#[test]
fn empty_run_has_index() {
    let mut summary = fixture::on_a_card();
    summary.benches.clear();
    assert!(index(&summary).contains("No bench was measured"));
}

//! The page: everything there is to show, laid out by the templates.
//!
//! Must not know how any part of it is made.

use std::io::Write;

use tera::{Context, Tera};

use super::bench_view::found;
use super::error::ReportError;
use super::svg::escape;
use super::view::Page;
use super::{bench_view, overview, run_view};
use crate::analysis::{BenchSummary, Summary};
use crate::report::figures::percent;
use crate::report::gist::{counts, everywhere, so_many};

const TEMPLATES: [(&str, &str); 4] = [
    ("parts.html", include_str!("templates/parts.html")),
    ("overview.html", include_str!("templates/overview.html")),
    ("bench.html", include_str!("templates/bench.html")),
    ("page.html", include_str!("templates/page.html")),
];

/// The report as one page of HTML: everything is in it, nothing is loaded from elsewhere, nothing runs.
///
/// Every number is rounded as on the terminal; what was not measured carries `(estimated)` or `(simulated)` beside it.
///
/// # Errors
/// [`ReportError`] when a template or a plot could not be laid out: a fault of this library.
pub fn render(summary: &Summary) -> Result<String, ReportError> {
    let page = view(summary)?;
    let fault = |error: tera::Error| ReportError::Template { source: Box::new(error) };
    let mut tera = Tera::default();
    tera.set_escape_fn(|text: &str, to: &mut dyn Write| to.write_all(escape(text).as_bytes()));
    tera.add_raw_templates(TEMPLATES).map_err(fault)?;
    let mut context = Context::new();
    context.insert("page", &page);
    tera.render("page.html", &context).map_err(fault)
}

fn view(summary: &Summary) -> Result<Page, ReportError> {
    let everywhere = everywhere(&summary.benches);
    let bench = |(at, bench): (usize, &BenchSummary)| bench_view::view(at, bench, &summary.run.headline, &everywhere);
    let mut metrics = summary.benches.iter().flat_map(|bench| bench.metrics.values());
    let level = metrics.find_map(|metric| metric.interval.as_ref()).map(|interval| percent(interval.level));
    let rows = overview::rows(&summary.benches);
    Ok(Page {
        title: format!("{}: energy report", summary.run.target),
        style: include_str!("templates/style.css"),
        run: run_view::view(&summary.run),
        count: count(&summary.benches),
        level: level.unwrap_or_default(),
        findings: found(summary.findings.iter()),
        everywhere: found(everywhere.iter().copied()),
        per: overview::common(&rows),
        overview: rows,
        plots: overview::plots(&summary.benches)?,
        benches: summary.benches.iter().enumerate().map(bench).collect::<Result<_, _>>()?,
    })
}

/// `6 benches: 3 valid, 1 warning, 1 invalid, 1 panicked`.
fn count(benches: &[BenchSummary]) -> String {
    if benches.is_empty() {
        return "No bench was measured".to_owned();
    }
    let each: Vec<String> = counts(benches).into_iter().map(|(word, _, n)| format!("{n} {word}")).collect();
    format!("{} {}", so_many(benches.len()), each.join(", "))
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::report::figures::Figure;
    use crate::report::fixture;
    use crate::report::labels;

    fn all() -> [(&'static str, Summary); 3] {
        [("card", fixture::on_a_card()), ("estimate", fixture::on_an_estimate()), ("hostile", fixture::hostile())]
    }

    #[test]
    #[ignore = "writes pages to be looked at: set LEM_BENCH_PAGES to a folder"]
    fn write_pages() {
        let folder = std::path::PathBuf::from(std::env::var_os("LEM_BENCH_PAGES").unwrap());
        for (name, summary) in all() {
            std::fs::write(folder.join(format!("{name}.html")), render(&summary).unwrap()).unwrap();
        }
    }

    /// A tag's name and its attributes.
    type Tag = (String, BTreeMap<String, String>);

    /// The tags of a page with their attributes, and the text between them. Panics where a tag is not closed in
    /// order, or an attribute has no quotes.
    fn parse(page: &str) -> (Vec<Tag>, String) {
        const VOID: [&str; 2] = ["meta", "!DOCTYPE"];
        let (mut tags, mut text, mut open) = (Vec::new(), String::new(), Vec::new());
        let mut rest = page;
        while let Some((before, after)) = rest.split_once('<') {
            text.push_str(before);
            text.push(' ');
            let (tag, after) = after.split_once('>').unwrap();
            rest = after;
            if let Some(name) = tag.strip_prefix('/') {
                assert_eq!(open.pop().as_deref(), Some(name), "…{before}</{name}>");
                continue;
            }
            let (name, attributes) = tag.split_once([' ', '\n']).unwrap_or((tag, ""));
            let mut parsed = BTreeMap::new();
            let mut left = attributes.trim().trim_end_matches('/').trim();
            while !left.is_empty() && name != "!DOCTYPE" {
                let (key, value) = left.split_once("=\"").unwrap_or_else(|| panic!("{tag}"));
                let (value, after) = value.split_once('"').unwrap();
                assert!(parsed.insert(key.to_owned(), value.to_owned()).is_none(), "{key} twice in {tag}");
                left = after.trim();
            }
            if !tag.ends_with('/') && !VOID.contains(&name) {
                open.push(name.to_owned());
            }
            if name == "style" {
                rest = &rest[rest.find("</style>").unwrap()..];
            }
            tags.push((name.to_owned(), parsed));
        }
        assert!(open.is_empty(), "{open:?}");
        (tags, text)
    }

    #[test]
    fn nothing_that_a_user_names_is_markup() {
        const TAGS: &str = "!DOCTYPE a b body caption circle code dd desc details div dl dt figcaption figure h1 h2 h3 \
                            head header html li line main meta p polygon polyline pre rect section span style summary \
                            svg table tbody td text th thead title tr ul";
        for (name, summary) in all() {
            let page = render(&summary).unwrap();
            let (tags, text) = parse(&page);
            for (tag, attributes) in tags {
                assert!(TAGS.split_whitespace().any(|known| known == tag), "{name}: <{tag}>");
                assert!(attributes.keys().all(|key| !key.starts_with("on") && key != "src" && key != "style"), "{tag}");
                let link = attributes.get("href").is_none_or(|to| to.starts_with('#'));
                assert!(link, "{name}: {attributes:?} leads away");
            }
            assert!(!page.contains(['\u{202E}', '\u{2066}', '\x1b']), "{name}");
            assert_eq!(text.contains("&lt;script&gt;"), name == "hostile");
            assert_eq!(text.contains("{{ 7*7 }}"), name == "hostile");
        }
    }

    #[test]
    fn nothing_is_asked_of_elsewhere() {
        for (name, summary) in all() {
            let page = render(&summary).unwrap().replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
            for address in ["http:", "https:", "url(", "@import", "<script", "<link"] {
                assert!(!page.contains(address), "{name}: {address}");
            }
        }
    }

    #[test]
    fn what_a_label_or_link_points_at_is_there_once() {
        for (_, summary) in all() {
            let (tags, _) = parse(&render(&summary).unwrap());
            let values = |key: &str| tags.iter().filter_map(|(_, a)| a.get(key).cloned()).collect::<Vec<_>>();
            let ids = values("id");
            let set: BTreeSet<&String> = ids.iter().collect();
            assert_eq!(set.len(), ids.len(), "an id stands twice");
            let labels = values("aria-labelledby");
            let links = values("href");
            for target in labels.iter().flat_map(|l| l.split(' ')).chain(links.iter().map(|l| &l[1..])) {
                assert!(ids.iter().any(|id| id == target), "{target} is not there");
            }
        }
    }

    #[test]
    fn each_number_is_the_summarys_and_carries_its_label() {
        for (name, summary) in all() {
            let page = render(&summary).unwrap();
            for bench in &summary.benches {
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
    fn an_estimate_says_so_before_anything_else_and_how_it_was_made() {
        let (_, text) = parse(&render(&fixture::on_an_estimate()).unwrap());
        let banner = text.find("Every joule on this page is an estimate").unwrap();
        let formula = text.find("CPU time of this process × 10 W per busy core").unwrap();
        let first_figure = text.find("52.30 mJ").unwrap();
        assert!(banner < formula && formula < first_figure);
        let (_, text) = parse(&render(&fixture::on_a_card()).unwrap());
        assert!(!text.contains("estimate"));
    }

    #[test]
    fn what_is_no_number_is_a_dash_with_its_reason() {
        let page = render(&fixture::hostile()).unwrap();
        let mut words = page.split(|c: char| !c.is_alphanumeric());
        assert!(!words.any(|word| matches!(word, "NaN" | "inf" | "nan")));
        assert!(page.contains("<b>–</b> <span class=\"reason\">not a finite number</span>"));
        let estimate = render(&fixture::on_an_estimate()).unwrap();
        assert!(estimate.contains("<b>–</b> <span class=\"reason\">an estimate has no idle</span>"));
    }

    #[test]
    fn where_there_is_too_little_to_draw_it_says_so() {
        let mut summary = fixture::on_a_card();
        summary.benches.truncate(1);
        summary.benches[0].cycles.truncate(1);
        summary.benches[0].cycles[0].traces.clear();
        summary.benches[0].warm_up = None;
        let page = render(&summary).unwrap();
        assert!(page.contains("no plot, because fewer than two benches have it with an interval"));
        assert!(page.contains("No plot: fewer than two readings of power were kept."));
        assert!(!page.contains("<svg"));
    }

    #[test]
    fn a_page_of_six_benches_stays_small_and_an_empty_run_has_one() {
        let mut summary = fixture::on_a_card();
        let page = render(&summary).unwrap();
        assert!(page.len() < 2_000_000, "{} bytes", page.len());
        summary.benches.clear();
        assert!(render(&summary).unwrap().contains("No bench was measured"));
    }

    #[test]
    fn a_long_trace_does_not_make_a_long_page() {
        let mut summary = fixture::on_a_card();
        summary.benches.truncate(1);
        let short = render(&summary).unwrap().len();
        let cycle = &mut summary.benches[0].cycles[9];
        let from = cycle.spans[0].start;
        let at = |i: u64| from + std::time::Duration::from_millis(100 * i);
        cycle.spans[3].stop = at(36_000);
        cycle.traces[0].power_w =
            (0..36_000).map(|i| crate::model::TracePoint(at(i), 300.0 + (i % 7) as f64)).collect();
        let long = render(&summary).unwrap().len();
        assert!(long < short + 20_000, "{short} and with an hour more {long}");
    }
}

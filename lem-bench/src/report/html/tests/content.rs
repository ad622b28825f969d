//! What the pages contain: escaped user text, working links, every number of the summary, and the right texts.

use std::collections::BTreeSet;

use super::{bench_page, collect, files, fixtures, index, pages, parse};
use crate::analysis::compare::fixture::{bench, measured};
use crate::analysis::compare::{
    BenchComparison, Change, Comparison, Design, Difference, DifferenceWeight, Direction, FailOn, Gate, GateOutcome,
    Side, SideRun, Trend, Verdict, trends as group_into_trends,
};
use crate::model::{Method, MetricKind, Origin, SCHEMA_VERSION, SessionResult, Source};
use crate::report::fixture::{self, HOSTILE, on_a_grid};
use crate::report::html::output::bench_page_path;
use crate::report::html::plots::style::escape;
use crate::report::html::{Report, comparison_page, history_page, slug};
use crate::report::labels;
use crate::report::number_format::Figure;

#[test]
fn escapes_user_text() {
    const TAGS: &str = "!DOCTYPE a b body caption circle code dd desc details div dl dt ellipse em form figcaption figure g h1 h2 h3 \
                        head header html input label li line main meta nav option output p path polygon polyline pre rect script section select small span style summary \
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
                let origin = labels::metric_origin(bench, MetricKind::from_name(key), metric);
                let label = origin.map(|o| format!(" <em>{o}</em>")).unwrap_or_default();
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
    assert!(estimate.contains("<b>–</b> <span class=\"reason\">estimates have no idle power</span>"));
}

#[test]
fn estimate_has_banner_before_figures() {
    for page in pages(&fixture::on_an_estimate()).values() {
        let (_, text) = parse(page);
        let banner = text.find("All energies on this page are estimates").unwrap();
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

/// A comparison with one bench per verdict and a hostile base name.
pub(super) fn comparison() -> Comparison {
    let with_verdict = |id: &str, percent: f64, half: f64, verdict: Verdict| BenchComparison {
        new: measured(0.4 * (1.0 + percent / 100.0)),
        change: Some(Change {
            percent,
            low: percent - half,
            high: percent + half,
            log_ratio: (1.0 + percent / 100.0).ln(),
            se: half / 220.0,
            df: 9.0,
            p: 0.001,
            q: 0.002,
        }),
        detectable_pct: Some(1.7),
        verdict,
        ..bench(id)
    };
    let mut inconclusive = with_verdict("decode/batch=4/dtype=bf16", 3.1, 4.2, Verdict::Inconclusive);
    inconclusive.suspected = Some(Direction::Regression);
    inconclusive.design = Some(Design::SingleBaseline { sessions: 1 });
    inconclusive.reasons = vec!["one baseline alone cannot separate a change from the session spread".to_owned()];
    let mut not_comparable = bench("decode/batch=8/dtype=bf16");
    not_comparable.reasons = vec![format!("driver: `{HOSTILE}`, then `2`")];
    not_comparable.differences = vec![Difference {
        fact: "driver".to_owned(),
        base: Some(HOSTILE.to_owned()),
        new: Some("2".to_owned()),
        weight: DifferenceWeight::Blocks,
    }];
    let run = SideRun {
        run_id: "20261102-090000-11aa".to_owned(),
        target: "llm".to_owned(),
        package: None,
        lem_bench: "0.1.0".to_owned(),
        started_unix_s: 1_793_600_000.0,
        meter: "nvml".to_owned(),
        origin: Origin::Measured,
        commit: Some("0123abcd".to_owned()),
        branch: Some("main".to_owned()),
        machine: "5f3e9a01".to_owned(),
    };
    let side = |name: &str| Side { name: name.to_owned(), runs: vec![run.clone()] };
    Comparison {
        schema_version: SCHEMA_VERSION,
        base: side(HOSTILE),
        new: side("latest"),
        threshold_pct: 2.0,
        level: 0.95,
        significance: 0.05,
        benches: vec![
            with_verdict("decode/batch=1/dtype=bf16", 6.4, 1.1, Verdict::Regressed),
            with_verdict("decode/batch=2/dtype=bf16", -8.25, 0.9, Verdict::Improved),
            inconclusive,
            not_comparable,
            with_verdict("short", 0.1, 0.8, Verdict::Unchanged),
        ],
        only_in_base: vec!["gone".to_owned()],
        only_in_new: Vec::new(),
        notes: Vec::new(),
        gate: Gate {
            fail_on: Some(FailOn::Regressed),
            outcome: GateOutcome::Failed,
            reasons: vec!["decode/batch=1/dtype=bf16 regressed (+6.4 %)".to_owned()],
        },
    }
}

/// The index and the comparison of a report.
fn index_and_comparison() -> (String, String) {
    let (summary, compared) = (on_a_grid(), comparison());
    let files = files(Report::new(&summary, slug).against(&compared));
    let text = |path: &str| {
        let file = files.iter().find(|file| file.path == path).unwrap();
        String::from_utf8(file.bytes.clone()).unwrap()
    };
    (text("index.html"), text("compare.html"))
}

#[test]
fn comparison_has_sides_changes_and_verdicts() {
    let (_, page) = index_and_comparison();
    let (_, text) = parse(&page);
    for shown in [
        "0.4000 J/token",
        "0.4256 J/token",
        "+6.4 %",
        "+5.3 … +7.5 %",
        "-8.2 %",
        "1.7 %",
        "0123abcd",
        "alternating, 10 pairs",
    ] {
        assert!(text.contains(shown), "{shown}");
    }
    for word in
        ["regressed", "improved", "unchanged", "inconclusive, looks worse", "not comparable", "The gate failed."]
    {
        assert!(text.contains(word), "{word}");
    }
    assert!(text.contains("Only in the base: gone."));
    assert_eq!(page.matches("class=\"band\"").count(), 5, "the axis and every change show the threshold");
    assert!(!page.contains("<script") && !page.contains('\u{202E}'));
}

#[test]
fn index_has_change_card() {
    let (index, _) = index_and_comparison();
    let (_, text) = parse(&index);
    assert!(text.contains("1 regressed, 1 improved, 1 unchanged, 1 inconclusive, 1 not comparable"));
    assert!(index.contains("href=\"compare.html\""));
    assert_eq!(index.matches("inconclusive, looks worse").count(), 1);
    assert!(!text.contains("No baseline to compare with"));
}

#[test]
fn standalone_comparison_has_no_links() {
    let page = comparison_page(&comparison(), &on_a_grid().run).unwrap();
    let text = String::from_utf8(page.bytes).unwrap();
    assert!(page.path == "compare.html" && !text.contains(".html\""));
    let (_, text) = parse(&text);
    assert!(text.contains("1.7 %") && text.contains("Machine and settings"));
}

/// Sessions of one bench with the energies `values`, one per day.
fn sessions(bench: &str, origin: Origin, values: &[f64]) -> Vec<SessionResult> {
    let to_session = |(index, value): (usize, &f64)| SessionResult {
        schema_version: SCHEMA_VERSION,
        run_id: format!("202611{:02}-090000-{index:04x}", index % 28 + 1),
        started_unix_s: 1_793_500_000.0 + 86_400.0 * index as f64,
        target: "llm".to_owned(),
        package: None,
        facts: Vec::new(),
        bench: bench.to_owned(),
        metric: "j_per_output_token".to_owned(),
        unit: "J/token".to_owned(),
        lower_is_better: true,
        value: *value,
        low: Some(value * 0.994),
        high: Some(value * 1.006),
        level: 0.95,
        cycles: 10,
        status: "valid".to_owned(),
        source: Some(Source { meter: "nvml".to_owned(), origin, method: Method::Counter }),
        commit: Some(format!("{:08x}{:032}", 0xabc0_1234_u64 + index as u64, 0)),
        branch: Some("main".to_owned()),
        machine: "5f3e9a01".to_owned(),
    };
    values.iter().enumerate().map(to_session).collect()
}

/// A rising level, a falling level, a steady estimate with a hostile name, and a new bench with one session.
pub(super) fn trends() -> Vec<Trend> {
    let noisy = |n: usize, level: f64| (0..n).map(move |i| level * (1.0 + 0.002 * ((i * 7 % 5) as f64 - 2.0)));
    let rises: Vec<f64> = noisy(14, 0.4).chain(noisy(8, 0.433)).collect();
    let falls: Vec<f64> = noisy(9, 0.0021).chain(noisy(9, 0.0018)).collect();
    let steady: Vec<f64> = noisy(12, 1.5).collect();
    let mut hostile = sessions(HOSTILE, Origin::Estimated, &steady);
    for session in &mut hostile {
        session.branch = Some(HOSTILE.to_owned());
        session.commit = Some(HOSTILE.to_owned());
    }
    let results = [
        hostile,
        sessions("decode/batch=1/dtype=bf16", Origin::Measured, &rises),
        sessions("decode/batch=2/dtype=bf16", Origin::Simulated, &falls),
        sessions("embed", Origin::Measured, &[0.5]),
    ];
    group_into_trends(&results.concat())
}

/// The standalone history with the latest `max_sessions` sessions.
fn history(max_sessions: usize) -> String {
    String::from_utf8(history_page(&trends(), max_sessions).unwrap().bytes).unwrap()
}

#[test]
fn history_lists_level_changes() {
    let (_, text) = parse(&history(50));
    for expected in [
        "4 benches between 2026-11-01 02:26:40 UTC and 2026-11-22 02:26:40 UTC. 2 levels changed.",
        "Worse: +8.3 % from session 15 on (2026-11-15 02:26:40 UTC, commit abc012420000), from 0.4000 J/token to 0.4330",
        "Better: -14.3 % from session 10 on",
        "Change of level: none was detected.",
        "not evaluated: 1 session is too few, at least 6 are needed",
        "No plot: it needs at least two sessions.",
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    let latest_change = text.find("decode/batch=1").unwrap();
    assert!(latest_change < text.find("decode/batch=2").unwrap(), "the latest change comes first");
}

#[test]
fn history_has_every_session_with_label() {
    let (page, trends) = (history(50), trends());
    let (_, text) = parse(&page);
    for session in trends.iter().flat_map(|trend| &trend.sessions) {
        let value = Figure::bare(session.value, &session.unit).unwrap().short();
        let (digits, _) = value.split_once(' ').unwrap();
        assert!(text.contains(&digits[..4]), "{value}");
        assert!(text.contains(&session.run_id), "{}", session.run_id);
    }
    let rows = |label: &str| page.matches(&format!("J/token {label}</td>")).count();
    assert_eq!((rows("(estimated)"), rows("(simulated)")), (12, 18), "every row is labelled");
    assert_eq!(page.matches("class=\"plot numbered\"").count(), 3);
    assert_eq!(page.matches(">mJ/token (simulated)</text>").count(), 1, "the axis is labelled");
}

#[test]
fn history_shows_latest_sessions_only() {
    let (_, text) = parse(&history(10));
    assert!(text.contains("12 earlier sessions are not shown."), "{text}");
    assert!(text.contains("from session 15 on") && !text.contains("20261102-090000-0001"), "{text}");
}

#[test]
fn index_files_link_to_each_other() {
    let (summary, trends) = (on_a_grid(), trends());
    let files = collect(|save| Report::new(&summary, slug).with_history(&trends).write_index(save));
    let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, ["history.html", "index.html"], "no pages of benches");
    let text = |index: usize| String::from_utf8(files[index].bytes.clone()).unwrap();
    assert!(text(0).contains("href=\"index.html\"") && text(1).contains("href=\"history.html\""));
    assert!(!history(50).contains("index.html"), "a standalone page has no links");
    assert!(!text(0).contains("<script") && !text(0).contains('\u{202E}'));
}

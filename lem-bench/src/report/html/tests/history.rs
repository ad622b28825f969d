//! The history's page: trends with their intervals, changes of level, commits.

use super::super::{Report, history_page, slug};
use super::markup::parse;
use crate::analysis::compare::{Trend, trends as of_lines};
use crate::model::{Method, Origin, SCHEMA_VERSION, SessionResult, Source};
use crate::report::fixture::{HOSTILE, on_a_grid};
use crate::report::number_format::Figure;

/// Sessions of one bench that cost `values`.
fn sessions(bench: &str, origin: Origin, values: &[f64]) -> Vec<SessionResult> {
    let one = |(at, value): (usize, &f64)| SessionResult {
        schema_version: SCHEMA_VERSION,
        run_id: format!("202611{:02}-090000-{at:04x}", at % 28 + 1),
        started_unix_s: 1_793_500_000.0 + 86_400.0 * at as f64,
        target: "llm".to_owned(),
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
        commit: Some(format!("{:08x}{:032}", 0xabc0_1234_u64 + at as u64, 0)),
        branch: Some("main".to_owned()),
        machine: "5f3e9a01".to_owned(),
    };
    values.iter().enumerate().map(one).collect()
}

/// A level that rises, one that falls, a steady estimate under a name that attacks, and a bench that is new.
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
    let lines = [
        hostile,
        sessions("decode/batch=1/dtype=bf16", Origin::Measured, &rises),
        sessions("decode/batch=2/dtype=bf16", Origin::Simulated, &falls),
        sessions("embed", Origin::Measured, &[0.5]),
    ];
    of_lines(&lines.concat())
}

fn page(newest: usize) -> String {
    String::from_utf8(history_page(&trends(), newest).unwrap().bytes).unwrap()
}

#[test]
fn it_says_where_each_level_changed_at_which_commit_and_by_how_much() {
    let (_, text) = parse(&page(50));
    for said in [
        "4 benches between 2026-11-01 02:26:40 UTC and 2026-11-22 02:26:40 UTC. The levels of 2 changed.",
        "Worse: +8.3 % from session 15 on (2026-11-15 02:26:40 UTC, commit abc012420000), from 0.4000 J/token to 0.4330",
        "Better: -14.3 % from session 10 on",
        "Change of level: none was found.",
        "not looked for: 1 session is too few, it takes 6",
        "No plot: it needs at least two sessions.",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
    let changed_last = text.find("decode/batch=1").unwrap();
    assert!(changed_last < text.find("decode/batch=2").unwrap(), "the latest change comes first");
}

#[test]
fn each_number_is_the_historys_and_what_was_not_measured_says_so() {
    let (page, trends) = (page(50), trends());
    let (_, text) = parse(&page);
    for session in trends.iter().flat_map(|trend| &trend.sessions) {
        let value = Figure::bare(session.value, &session.unit).unwrap().short();
        let (digits, _) = value.split_once(' ').unwrap();
        assert!(text.contains(&digits[..4]), "{value}");
        assert!(text.contains(&session.run_id), "{}", session.run_id);
    }
    let rows = |label: &str| page.matches(&format!("J/token {label}</td>")).count();
    assert_eq!((rows("(estimated)"), rows("(simulated)")), (12, 18), "every row of the tables is labelled");
    assert_eq!(page.matches("class=\"plot numbered\"").count(), 3);
    let axes = page.lines().filter(|line| line.trim() == "mJ/token (simulated)").count();
    assert_eq!(axes, 1, "the axis has a unit and a label");
}

#[test]
fn only_the_newest_are_shown_under_their_own_numbers() {
    let (_, text) = parse(&page(10));
    assert!(text.contains("12 earlier sessions are not shown."), "{text}");
    assert!(text.contains("from session 15 on") && !text.contains("20261102-090000-0001"), "{text}");
}

#[test]
fn it_stands_beside_the_index_which_leads_to_it() {
    let (summary, trends) = (on_a_grid(), trends());
    let files = Report::new(&summary, slug).with_history(&trends).beside().unwrap();
    let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, ["history.html", "index.html"], "the benches' own pages are left alone");
    let text = |at: usize| String::from_utf8(files[at].bytes.clone()).unwrap();
    assert!(text(0).contains("href=\"index.html\"") && text(1).contains("href=\"history.html\""));
    assert!(!page(50).contains("index.html"), "alone, it leads nowhere");
    assert!(!text(0).contains("<script") && !text(0).contains('\u{202E}'));
}

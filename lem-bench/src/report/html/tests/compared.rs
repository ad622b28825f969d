//! A comparison on its page and on the index.

use super::super::{Report, comparison_page, slug};
use super::markup::parse;
use crate::analysis::compare::fixture::{bench, measured};
use crate::analysis::compare::{
    BenchComparison, Change, Comparison, Design, Difference, DifferenceWeight, Direction, FailOn, Gate, GateOutcome,
    Side, SideRun, Verdict,
};
use crate::model::{Origin, SCHEMA_VERSION};
use crate::report::fixture::{HOSTILE, on_a_grid};

/// One bench of each verdict, against a base whose name attacks.
pub(super) fn comparison() -> Comparison {
    let judged = |id: &str, percent: f64, half: f64, verdict: Verdict| BenchComparison {
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
    let mut unsure = judged("decode/batch=4/dtype=bf16", 3.1, 4.2, Verdict::Inconclusive);
    unsure.suspected = Some(Direction::Regression);
    unsure.design = Some(Design::SingleBaseline { sessions: 1 });
    unsure.reasons = vec!["one baseline alone can't tell a change from another day".to_owned()];
    let mut other = bench("decode/batch=8/dtype=bf16");
    other.reasons = vec![format!("driver: `{HOSTILE}`, then `2`")];
    other.differences = vec![Difference {
        fact: "driver".to_owned(),
        base: Some(HOSTILE.to_owned()),
        new: Some("2".to_owned()),
        weight: DifferenceWeight::Blocks,
    }];
    let run = SideRun {
        run_id: "20261102-090000-11aa".to_owned(),
        target: "llm".to_owned(),
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
            judged("decode/batch=1/dtype=bf16", 6.4, 1.1, Verdict::Regressed),
            judged("decode/batch=2/dtype=bf16", -8.25, 0.9, Verdict::Improved),
            unsure,
            other,
            judged("short", 0.1, 0.8, Verdict::Unchanged),
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

fn pages() -> (String, String) {
    let (summary, compared) = (on_a_grid(), comparison());
    let files = Report::new(&summary, slug).against(&compared).files().unwrap();
    let text = |path: &str| {
        let file = files.iter().find(|file| file.path == path).unwrap();
        String::from_utf8(file.bytes.clone()).unwrap()
    };
    (text("index.html"), text("compare.html"))
}

#[test]
fn the_page_shows_both_sides_the_change_and_what_it_takes_to_see_one() {
    let (_, page) = pages();
    let (_, text) = parse(&page);
    for shown in [
        "0.4000 J/token",
        "0.4256 J/token",
        "+6.4 %",
        "+5.3 … +7.5 %",
        "-8.2 %",
        "1.7 %",
        "0123abcd",
        "in turns, 10 pairs",
    ] {
        assert!(text.contains(shown), "{shown}");
    }
    for word in
        ["regressed", "improved", "unchanged", "inconclusive, looks worse", "not comparable", "The gate failed."]
    {
        assert!(text.contains(word), "{word}");
    }
    assert!(text.contains("Only in the base: gone."));
    assert_eq!(page.matches("class=\"band\"").count(), 5, "the threshold stands behind the scale and every change");
    assert!(!page.contains("<script") && !page.contains('\u{202E}'));
}

#[test]
fn the_index_says_first_what_changed() {
    let (index, _) = pages();
    let (_, text) = parse(&index);
    assert!(text.contains("1 regressed, 1 improved, 1 inconclusive, 1 not comparable, 1 unchanged"));
    assert!(index.contains("href=\"compare.html\""));
    assert_eq!(index.matches("inconclusive, looks worse").count(), 1);
    assert!(!text.contains("There is no baseline"));
}

#[test]
fn the_page_of_saved_results_stands_alone() {
    let page = comparison_page(&comparison(), &on_a_grid().run).unwrap();
    let text = String::from_utf8(page.bytes).unwrap();
    assert!(page.path == "compare.html" && !text.contains(".html\""), "it leads nowhere");
    let (_, text) = parse(&text);
    assert!(text.contains("1.7 %") && text.contains("Machine and settings"));
}

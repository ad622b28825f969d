//! What a comparison reads like, and that nothing in it can do harm.

use super::{COMPARISON_JSON, ComparisonFormat, markdown};
use crate::analysis::Status;
use crate::analysis::compare::{
    CompareOptions, Comparison, FailOn, GateRules, PairedBench, Results, Side, compare, compare_pairs, fixture,
};
use crate::report::console::{TableOptions, comparison};
use crate::report::terminal_text::width;

fn against_one_baseline() -> Comparison {
    let (base, new) = (fixture::run("base", 86_400.0, 0.4), fixture::run("new", 172_800.0, 0.43));
    let new = fixture::with_fact(new, "kernel", "7.0");
    let side = |name, summary| Results { name, summaries: std::slice::from_ref(summary) };
    let gate = GateRules { fail_on: Some(FailOn::Regressed), ..GateRules::default() };
    compare(side("main", &base), side("latest", &new), &[], &CompareOptions::default(), gate)
}

fn in_turns(id: &str, factor: f64) -> Comparison {
    let pairs = (0..10).map(|i| (0.4, 0.4 * factor * if i % 2 == 0 { 1.002 } else { 0.998 })).collect();
    let bench = PairedBench {
        id: id.to_owned(),
        metric: "j_per_output_token".to_owned(),
        unit: "J/token".to_owned(),
        pairs,
        status: (Status::Valid, Status::Valid),
        source: None,
    };
    let side = |name: &str| Side { name: name.to_owned(), runs: Vec::new() };
    let gate = GateRules { fail_on: Some(FailOn::Regressed), ..GateRules::default() };
    compare_pairs(side("main"), side("head"), &[bench], &CompareOptions::default(), gate)
}

#[test]
fn the_terminal_says_verdict_change_interval_reach_and_why_the_gate_did_not_fail() {
    let text = comparison(&against_one_baseline(), &TableOptions { width: 100, color: false });
    let expected = "\
latest (run new) compared with main (run base)
Changes beyond 1.0 % count; brackets hold 95 % intervals; 5.0 % of alarms may be false, over all
benches.

decode · inconclusive, perhaps a regression · +7.5 % [+3.0 % … +12.2 %]
";
    // The figures stand in the tests of the analysis; here it is the shape that counts.
    let head = |text: &str| text.lines().take(4).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(head(&text), head(expected), "{text}");
    for part in [
        "energy per output token: 0.4000 J/token → 0.4300 J/token",
        "+7.5 % [",
        "between sessions is assumed",
        "differs: kernel: unknown, then `7.0`",
        "Gate (fails on regressed): did not fail",
        "--trust-single-baseline",
    ] {
        assert!(text.replace("\n      ", " ").contains(part), "{part}: {text}");
    }
    assert!(!text.contains("no change"), "{text}");
}

#[test]
fn what_was_shown_to_be_alike_is_unchanged_and_says_how_much_it_would_have_seen() {
    let text = comparison(&in_turns("decode", 1.0), &TableOptions { width: 120, color: false });
    assert!(text.contains("decode · unchanged · ") && text.contains("shown to lie within ±1 %"), "{text}");
    assert!(text.contains("a true change from +1.2 % on would have been found"), "{text}");
    assert!(text.contains("Gate (fails on regressed): passed"), "{text}");
    let text = comparison(&in_turns("decode", 1.05), &TableOptions { width: 120, color: false });
    assert!(text.contains("decode · regressed · +5.0 % ["), "{text}");
    assert!(text.contains("): failed\n      decode regressed (+5.0 %)"), "{text}");
}

#[test]
fn no_line_is_too_long_and_nothing_reaches_the_terminal_raw() {
    let hostile = "a\x1b[31m|b`c\n# d \u{202E} <img>".repeat(3);
    for compared in [against_one_baseline(), in_turns(&hostile, 1.05)] {
        for columns in [20, 40, 80, 200] {
            let text = comparison(&compared, &TableOptions { width: columns, color: false });
            assert!(text.lines().all(|line| width(line) <= columns), "{columns}: {text}");
            assert!(!text.contains('\x1b') && !text.contains('\u{202E}'), "{text}");
        }
        let text = markdown(&compared);
        assert!(!text.contains('\x1b') && !text.contains('\u{202E}') && !text.contains("\n# d"), "{text}");
        let bars = |line: &str| line.replace("\\|", "").matches('|').count();
        assert!(text.lines().filter(|line| line.starts_with('|')).all(|line| bars(line) == 8), "{text}");
    }
}

#[test]
fn the_markdown_says_the_same() {
    let text = markdown(&in_turns("decode/batch=4", 1.05));
    assert!(
        text.contains("| `decode/batch=4` | energy per output token | 0.4000 J/token | 0.4200 J/token | +5.0 % ["),
        "{text}"
    );
    assert!(
        text.contains("| **regressed** | 1.2 % |") && text.contains("**Gate (fails on regressed): failed**"),
        "{text}"
    );
}

fn junit(compared: &Comparison) -> String {
    ComparisonFormat::named("junit").unwrap().render(compared).unwrap()
}

#[test]
fn a_case_of_junit_says_what_the_gate_says() {
    let failed = junit(&in_turns("decode", 1.05));
    assert!(failed.contains("tests=\"1\" failures=\"1\" errors=\"0\" skipped=\"0\""), "{failed}");
    assert!(failed.contains("<failure type=\"regressed\" message=\"decode regressed (+5.0 %)\"/>"), "{failed}");
    let passed = junit(&in_turns("decode", 1.0));
    assert!(passed.contains("failures=\"0\" errors=\"0\" skipped=\"0\"") && !passed.contains("<skipped"), "{passed}");
    // What must not end a build: one saved baseline.
    let withheld = junit(&against_one_baseline());
    assert!(withheld.contains("failures=\"0\" errors=\"0\" skipped=\"1\""), "{withheld}");
    assert!(withheld.contains("<skipped message=\"") && withheld.contains("--trust-single-baseline"), "{withheld}");
}

#[test]
fn what_can_not_be_compared_is_an_error_of_junit_and_what_has_no_other_side_is_skipped() {
    let (base, new) = (fixture::run("base", 86_400.0, 0.4), fixture::run("new", 172_800.0, 0.4));
    let mut new = fixture::with_fact(new, "driver", "<9>");
    let mut other = new.benches[0].clone();
    other.bench.id = "a\"<b>&\x1b".to_owned();
    new.benches.push(other);
    let side = |name, summary| Results { name, summaries: std::slice::from_ref(summary) };
    let options = CompareOptions::default();
    let compared = compare(side("main", &base), side("latest", &new), &[], &options, GateRules::default());
    let text = junit(&compared);
    assert!(text.contains("tests=\"2\" failures=\"0\" errors=\"1\" skipped=\"1\""), "{text}");
    assert!(text.contains("<error type=\"invalid\" message=\"") && text.contains("then `&lt;9&gt;`"), "{text}");
    assert!(text.contains("<testcase name=\"a&quot;&lt;b&gt;&amp;\\u{1b}\" classname=\"llm\">"), "{text}");
    assert!(text.contains("<skipped message=\"only the new result has this bench\"/>"), "{text}");
}

#[test]
fn a_comparison_comes_back_from_its_json_as_it_was() {
    let compared = against_one_baseline();
    let text = COMPARISON_JSON.render(&compared).unwrap();
    assert_eq!(serde_json::from_str::<Comparison>(&text).unwrap(), compared);
    // What an older version wrote knows nothing of what a gate makes of a bench.
    let mut old: serde_json::Value = serde_json::from_str(&text).unwrap();
    old["benches"][0].as_object_mut().unwrap().remove("gate");
    assert_eq!(serde_json::from_value::<Comparison>(old).unwrap().benches[0].gate, None);
}

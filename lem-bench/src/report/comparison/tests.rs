//! The text of comparisons in all formats, and the escaping of names in them.

use super::{COMPARISON_JSON, ComparisonFormat, markdown};
use crate::analysis::Status;
use crate::analysis::compare::{
    CompareOptions, Comparison, FailOn, GateRules, PairedBench, Results, Side, compare, compare_pairs, fixture,
};
use crate::model::Origin;
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
        differences: Vec::new(),
    };
    let side = |name: &str| Side { name: name.to_owned(), runs: Vec::new() };
    let gate = GateRules { fail_on: Some(FailOn::Regressed), ..GateRules::default() };
    compare_pairs(side("main"), side("head"), &[bench], &CompareOptions::default(), gate)
}

fn on_terminal(compared: &Comparison, width: usize) -> String {
    comparison(compared, &TableOptions { width, color: false })
}

#[test]
fn snapshots() {
    for (name, compared) in [("single_baseline", against_one_baseline()), ("duel", in_turns("decode/batch=4", 1.05))] {
        insta::assert_snapshot!(format!("{name}_terminal"), on_terminal(&compared, 100));
        insta::assert_snapshot!(format!("{name}_markdown"), markdown(&compared));
        insta::assert_snapshot!(format!("{name}_junit"), junit(&compared));
    }
}

#[test]
fn terminal_single_baseline() {
    let text = on_terminal(&against_one_baseline(), 100).replace("\n      ", " ");
    for part in [
        "decode · regressed · +7.5 % [",
        "energy per output token: 0.4000 J/token → 0.4300 J/token",
        "differs: kernel: unknown, then `7.0`",
        "Gate (fails on regressed): neither passed nor failed",
        "--trust-single-baseline",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("no change"), "{text}");
}

#[test]
fn terminal_unchanged_and_regressed() {
    let text = on_terminal(&in_turns("decode", 1.0), 120);
    assert!(text.contains("decode · unchanged · ") && text.contains("±1 %"), "{text}");
    assert!(text.contains("a change of +1.2 % or more is detected"), "{text}");
    let text = on_terminal(&in_turns("decode", 1.05), 120);
    assert!(text.contains("decode · regressed · +5.0 % ["), "{text}");
    assert!(text.contains("): failed\n      decode regressed (+5.0 %)"), "{text}");
}

#[test]
fn states_a_common_origin_once() {
    let mut compared = against_one_baseline();
    compared.benches.push(compared.benches[0].clone());
    let mut set = |bench: usize, origin: Origin| {
        let bench = &mut compared.benches[bench];
        for side in [&mut bench.base, &mut bench.new] {
            side.source.as_mut().unwrap().origin = origin;
        }
        [on_terminal(&compared, 100), markdown(&compared)]
    };
    for text in set(0, Origin::Estimated) {
        assert!(text.contains("(estimated)") && !text.contains("No energy was measured"), "{text}");
    }
    for text in set(1, Origin::Estimated) {
        assert_eq!(text.matches("all energies below are estimated").count(), 1, "{text}");
        assert!(!text.contains("(estimated)"), "{text}");
    }
}

#[test]
fn lines_fit_and_names_are_escaped() {
    let hostile = "a\x1b[31m|b`c\n# d \u{202E} <img>".repeat(3);
    for compared in [against_one_baseline(), in_turns(&hostile, 1.05)] {
        for columns in [20, 40, 80, 200] {
            let text = on_terminal(&compared, columns);
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
fn markdown_row() {
    let text = markdown(&in_turns("decode/batch=4", 1.05));
    let row = "| `decode/batch=4` | energy per output token | 0.4000 J/token | 0.4200 J/token | +5.0 % [";
    assert!(text.contains(row), "{text}");
    assert!(text.contains("| **regressed** | 1.2 % |"), "{text}");
    assert!(text.contains("**Gate (fails on regressed): failed**"), "{text}");
}

fn junit(compared: &Comparison) -> String {
    ComparisonFormat::named("junit").unwrap().render(compared).unwrap()
}

#[test]
fn junit_follows_the_gate() {
    let failed = junit(&in_turns("decode", 1.05));
    assert!(failed.contains("tests=\"1\" failures=\"1\" errors=\"0\" skipped=\"0\""), "{failed}");
    assert!(failed.contains("<failure type=\"regressed\" message=\"decode regressed (+5.0 %)\"/>"), "{failed}");
    let passed = junit(&in_turns("decode", 1.0));
    assert!(passed.contains("failures=\"0\" errors=\"0\" skipped=\"0\"") && !passed.contains("<skipped"), "{passed}");
    // A single saved baseline must not fail a build.
    let withheld = junit(&against_one_baseline());
    assert!(withheld.contains("failures=\"0\" errors=\"0\" skipped=\"1\""), "{withheld}");
    assert!(withheld.contains("<skipped message=\"") && withheld.contains("--trust-single-baseline"), "{withheld}");
}

#[test]
fn junit_not_comparable_and_unmatched() {
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
    assert!(text.contains("<skipped message=\"only the head has this bench\"/>"), "{text}");
}

#[test]
fn json_round_trip() {
    let compared = against_one_baseline();
    let text = COMPARISON_JSON.render(&compared).unwrap();
    assert_eq!(serde_json::from_str::<Comparison>(&text).unwrap(), compared);
    // Older versions did not write the gate of a bench.
    let mut old: serde_json::Value = serde_json::from_str(&text).unwrap();
    old["benches"][0].as_object_mut().unwrap().remove("gate");
    assert_eq!(serde_json::from_value::<Comparison>(old).unwrap().benches[0].gate, None);
}

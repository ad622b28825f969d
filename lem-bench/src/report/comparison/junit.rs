//! A comparison as JUnit XML: a test case a bench, for CI servers that show tests and end a build by them.
//!
//! A case says what the gate makes of its bench (of `--fail-on regressed` where none was asked for), so that the two
//! never disagree: a bench on which the gate fails is a `failure`; one that can't be compared is an `error`; one of
//! which it can't be told, on which the gate must not decide (an estimate, a single saved baseline), or that only one
//! side has, is `skipped`, with the reason. What improved or is unchanged passes.

use super::words::verdict;
use crate::analysis::compare::{BenchComparison, Comparison, GateOutcome, Side, Verdict};
use crate::report::figures::date;
use crate::report::xml::{escape, escape_text, put, put_properties};

/// The comparison as one test suite.
pub(super) fn suite(compared: &Comparison) -> String {
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let counts = counts(compared);
    put!(&mut text, "<testsuites name=\"lem-bench\" {counts}>");
    let name = escape(&format!("{} compared with {}", compared.new.name, compared.base.name));
    let at = compared.new.runs.first().map(|run| date(run.started_unix_s).replace(" UTC", "").replace(' ', "T"));
    let at = at.map(|at| format!(" timestamp=\"{at}\"")).unwrap_or_default();
    put!(&mut text, "  <testsuite name=\"{name}\"{at} {counts}>");
    put_properties(&mut text, "    ", &of_comparison(compared));
    let target = compared.new.runs.first().map_or("", |run| run.target.as_str());
    for bench in &compared.benches {
        case(&mut text, target, bench);
    }
    for (id, why) in unmatched(compared) {
        let (id, class) = (escape(id), escape(target));
        put!(&mut text, "    <testcase name=\"{id}\" classname=\"{class}\">");
        put!(&mut text, "      <skipped message=\"{why}\"/>");
        put!(&mut text, "    </testcase>");
    }
    text.push_str("  </testsuite>\n</testsuites>\n");
    text
}

/// Benches that only one side has, and in words which.
fn unmatched(compared: &Comparison) -> impl Iterator<Item = (&str, &'static str)> {
    let base = compared.only_in_base.iter().map(|id| (id.as_str(), "only the base has this bench"));
    base.chain(compared.only_in_new.iter().map(|id| (id.as_str(), "only the new result has this bench")))
}

fn of_comparison(compared: &Comparison) -> Vec<(String, String)> {
    let mut properties = vec![
        ("threshold_pct".to_owned(), compared.threshold_pct.to_string()),
        ("level".to_owned(), compared.level.to_string()),
        ("significance".to_owned(), compared.significance.to_string()),
        ("gate".to_owned(), compared.gate.outcome.name().to_owned()),
    ];
    properties.extend(compared.gate.reasons.iter().map(|reason| ("gate reason".to_owned(), reason.clone())));
    let of_side = |side: &Side, which: &str| -> Vec<(String, String)> {
        let runs = side.runs.iter().map(|run| {
            let commit = run.commit.as_ref().map(|commit| format!(" at {commit}")).unwrap_or_default();
            (format!("{which} run"), format!("{}{commit}", run.run_id))
        });
        runs.collect()
    };
    properties.extend(of_side(&compared.base, "base"));
    properties.extend(of_side(&compared.new, "new"));
    properties.extend(compared.notes.iter().map(|note| ("note".to_owned(), note.clone())));
    properties
}

fn case(text: &mut String, target: &str, bench: &BenchComparison) {
    let (id, class) = (escape(&bench.id), escape(target));
    put!(text, "    <testcase name=\"{id}\" classname=\"{class}\">");
    put_properties(text, "      ", &of_bench(bench));
    let message = || {
        let gate = bench.gate.as_ref().and_then(|gate| gate.reason.as_deref());
        gate.or(bench.reasons.first().map(String::as_str)).unwrap_or_else(|| bench.verdict.name())
    };
    let name = bench.verdict.name();
    match kind(bench) {
        Kind::Passed => {}
        Kind::Skipped => put!(text, "      <skipped message=\"{}\"/>", escape(message())),
        Kind::Failure => put!(text, "      <failure type=\"{name}\" message=\"{}\"/>", escape(message())),
        Kind::Error => put!(text, "      <error type=\"{name}\" message=\"{}\"/>", escape(message())),
    }
    let differences = bench.differences.iter().map(|difference| format!("differs: {difference}"));
    let told: Vec<String> = bench.reasons.iter().cloned().chain(differences).collect();
    if !told.is_empty() {
        put!(text, "      <system-out>{}</system-out>", escape_text(&told.join("\n")));
    }
    put!(text, "    </testcase>");
}

/// Numbers are written so that they read back to the last bit.
fn of_bench(bench: &BenchComparison) -> Vec<(String, String)> {
    let origin = match (bench.is_estimate(), bench.is_simulated()) {
        (true, _) => "estimated",
        (_, true) => "simulated",
        _ => "measured",
    };
    let unit = &bench.unit;
    let mut properties = vec![
        ("verdict".to_owned(), bench.verdict.name().to_owned()),
        ("in words".to_owned(), verdict(bench).to_owned()),
        ("metric".to_owned(), bench.metric.clone()),
        ("origin".to_owned(), origin.to_owned()),
    ];
    for (side, measured) in [("base", &bench.base), ("new", &bench.new)] {
        let value = measured.value.filter(|value| value.is_finite());
        properties.extend(value.map(|value| (format!("{side} [{unit}]"), format!("{value:?}"))));
    }
    if let Some(change) = bench.change {
        properties.push(("change [%]".to_owned(), format!("{:?}", change.percent)));
        properties.push(("change interval [%]".to_owned(), format!("{:?} {:?}", change.low, change.high)));
        properties.push(("q".to_owned(), format!("{:?}", change.q)));
    }
    let detectable = bench.detectable_pct.filter(|pct| pct.is_finite());
    properties.extend(detectable.map(|pct| ("detectable [%]".to_owned(), format!("{pct:?}"))));
    properties
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Passed,
    Skipped,
    Failure,
    Error,
}

fn kind(bench: &BenchComparison) -> Kind {
    match (bench.gate.as_ref().map(|gate| gate.outcome), bench.verdict) {
        (Some(GateOutcome::Failed), _) => Kind::Failure,
        (Some(GateOutcome::Unusable), _) | (_, Verdict::Invalid) => Kind::Error,
        (Some(GateOutcome::Passed), Verdict::Improved | Verdict::Unchanged) => Kind::Passed,
        _ => Kind::Skipped,
    }
}

fn counts(compared: &Comparison) -> String {
    let unmatched = compared.only_in_base.len() + compared.only_in_new.len();
    let of = |wanted| compared.benches.iter().filter(|bench| kind(bench) == wanted).count();
    format!(
        "tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\"",
        compared.benches.len() + unmatched,
        of(Kind::Failure),
        of(Kind::Error),
        of(Kind::Skipped) + unmatched
    )
}

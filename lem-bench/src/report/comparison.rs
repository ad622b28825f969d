//! Comparisons: how a change and a verdict are worded in every report, and the formats for other programs and pull
//! requests.

use std::fmt::Write as _;

use super::export::{Content, ExportError, FileFormat, to_pretty_json};
use super::junit::{Problem, Property, TestCase, TestResult, TestSuite, to_xml};
use super::labels;
use super::markdown::{code, code_cell, escape};
use super::number_format::{Figure, NONE, percent};
use crate::analysis::compare::{
    BenchComparison, Comparison, CustomComparison, CustomValue, Direction, GateOutcome, Measured, Side, SideRun,
    Verdict,
};
use crate::analysis::{ChangeHighlight, Rating};
use crate::model::Origin;

/// A format for a comparison. Its name is that of the same format of a run.
pub type ComparisonFormat = FileFormat<Comparison>;

/// The comparison as JSON, which is written for every run that is compared.
pub const COMPARISON_JSON: ComparisonFormat = FileFormat {
    name: "json",
    aliases: &[],
    file: "comparison.json",
    about: "all results; `cargo lem schema comparison` prints the schema",
    content: Content::One(to_pretty_json),
};

/// All formats of a comparison. The page is made by the `html` module.
pub const COMPARISON_FORMATS: &[ComparisonFormat] = &[
    COMPARISON_JSON,
    FileFormat {
        name: "markdown",
        aliases: &["md"],
        file: "comparison.md",
        about: "Markdown tables, for a step summary or a pull request",
        content: Content::One(|compared| Ok(markdown(compared))),
    },
    FileFormat {
        name: "junit",
        aliases: &[],
        file: "comparison.xml",
        about: "one test case per bench: regressed is a failure, inconclusive is skipped, not comparable is an error",
        content: Content::One(|compared| Ok(to_xml(&[test_suite(compared)]))),
    },
];

impl ComparisonFormat {
    /// Returns the format with this name or alias.
    pub fn named(name: &str) -> Option<&'static Self> {
        FileFormat::find(COMPARISON_FORMATS, name)
    }

    /// Formats a comparison.
    ///
    /// # Errors
    /// Returns [`ExportError::Json`] if it cannot be serialized, which is a bug in this library.
    pub fn render(&self, compared: &Comparison) -> Result<String, ExportError> {
        self.format(std::slice::from_ref(compared))
    }
}

/// Formats a percentage with its sign: `+4.1 %`, `-0.05 %`; `–` if it is not finite.
fn signed_percent(percent: f64) -> String {
    if !percent.is_finite() {
        return NONE.to_owned();
    }
    let decimals = match percent.abs() {
        p if p >= 99.95 => 0,
        p if p >= 0.095 || p == 0.0 => 1,
        _ => 2,
    };
    format!("{percent:+.decimals$} %")
}

/// Returns the verdict, and for an inconclusive one the direction in which it points.
pub(super) fn verdict(bench: &BenchComparison) -> &'static str {
    match bench.suspected {
        Some(Direction::Regression) => "inconclusive, looks worse",
        Some(Direction::Improvement) => "inconclusive, looks better",
        None => bench.verdict.name(),
    }
}

/// Returns a verdict in words.
pub(super) fn verdict_word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Invalid => "not comparable",
        other => other.name(),
    }
}

/// Returns how many benches have each verdict: `1 regressed, 2 unchanged`.
pub(super) fn verdict_counts(change: &ChangeHighlight<'_>) -> String {
    let counts: Vec<String> =
        change.counts.iter().map(|(verdict, n)| format!("{n} {}", verdict_word(*verdict))).collect();
    counts.join(", ")
}

/// Returns whether a result with this verdict can be used.
pub(super) fn verdict_rating(verdict: Verdict) -> Rating {
    match verdict {
        Verdict::Improved | Verdict::Unchanged => Rating::Good,
        Verdict::Inconclusive => Rating::Careful,
        Verdict::Regressed | Verdict::Invalid => Rating::Bad,
    }
}

/// Returns the change with its interval: `+4.1 % [+3.2 % … +5.0 %]`.
pub(super) fn change(bench: &BenchComparison) -> Option<String> {
    let change = bench.change?;
    let [percent, low, high] = [change.percent, change.low, change.high].map(signed_percent);
    Some(format!("{percent} [{low} … {high}]"))
}

/// Returns a sentence about the smallest worsening that this design can detect.
pub(super) fn detectable_change(bench: &BenchComparison) -> Option<String> {
    let min = signed_percent(bench.detectable_pct?);
    let min = if bench.lower_is_better { min } else { min.replacen('+', "-", 1) };
    Some(format!("a change of {min} or more is detected with a probability of 80 %"))
}

/// Returns the value of a side with its unit.
pub(super) fn side_value(side: &Measured, unit: &str) -> String {
    side.value.and_then(|value| Figure::bare(value, unit).ok()).map_or_else(|| NONE.to_owned(), |figure| figure.short())
}

/// Returns base and head of a custom metric, with their intervals.
pub(super) fn custom_values(metric: &CustomComparison) -> [String; 2] {
    let text = |side: &CustomValue| {
        let figure = Figure::between(side.value, (side.low, side.high), &metric.unit);
        figure.map_or_else(
            |_| NONE.to_owned(),
            |figure| {
                figure.brackets().map_or_else(|| figure.short(), |brackets| format!("{} {brackets}", figure.short()))
            },
        )
    };
    [text(&metric.base), text(&metric.new)]
}

/// Returns the custom metrics of a bench, each with base and head.
pub(super) fn custom_metrics(bench: &BenchComparison) -> impl Iterator<Item = String> {
    bench.custom.iter().map(|metric| {
        let [base, new] = custom_values(metric);
        format!("{}: {base} → {new}", metric.name)
    })
}

/// Returns the sentence that explains threshold, intervals and false alarms.
pub(super) fn rules(compared: &Comparison) -> String {
    format!(
        "Changes beyond {} count. Brackets are {} intervals. Up to {} of all alarms may be false.",
        percent(compared.threshold_pct / 100.0),
        percent(compared.level),
        percent(compared.significance)
    )
}

/// Returns the outcome of the gate in words; `None` without a gate.
pub(super) fn gate_outcome(outcome: GateOutcome) -> Option<&'static str> {
    match outcome {
        GateOutcome::NotAsked => None,
        GateOutcome::Passed => Some("passed"),
        GateOutcome::Withheld => Some("neither passed nor failed"),
        GateOutcome::Failed => Some("failed"),
        GateOutcome::Unusable => Some("could not be evaluated"),
    }
}

/// Returns the origin of a change: that of the side that was not measured.
pub(super) fn origin(bench: &BenchComparison) -> Origin {
    match (bench.is_estimate(), bench.is_simulated()) {
        (true, _) => Origin::Estimated,
        (_, true) => Origin::Simulated,
        _ => Origin::Measured,
    }
}

/// Returns the origin that both sides of all benches have, which a report states once; `None` if they differ, or are
/// measured.
pub(super) fn common_origin(compared: &Comparison) -> Option<Origin> {
    let sides = compared.benches.iter().flat_map(|bench| [&bench.base, &bench.new]);
    let mut origins = sides.filter_map(|side| Some(side.source.as_ref()?.origin));
    let first = origins.next().filter(|origin| *origin != Origin::Measured)?;
    origins.all(|origin| origin == first).then_some(first)
}

/// Returns the reasons of a verdict, then the custom metrics and the differences between the environments.
fn remarks(bench: &BenchComparison) -> Vec<String> {
    let differences = bench.differences.iter().map(|difference| format!("differs: {difference}"));
    bench.reasons.iter().cloned().chain(custom_metrics(bench)).chain(differences).collect()
}

/// Formats a comparison as Markdown: a table of the benches, then the reasons, then the gate.
pub fn markdown(compared: &Comparison) -> String {
    let mut text = String::new();
    // Writing to a `String` does not fail.
    let _ = write!(text, "### {} compared with {}\n\n", escape(&compared.new.name), escape(&compared.base.name));
    let common_origin = common_origin(compared);
    if let Some(sentence) = common_origin.and_then(labels::origin_sentence) {
        let _ = writeln!(text, "> [!WARNING]\n> {sentence}\n");
    }
    if compared.benches.is_empty() {
        text.push_str("The two sides have no bench in common.\n");
    } else {
        text.push_str(
            "| bench | metric | base | head | change | verdict | detectable |\n|---|---|--:|--:|--:|---|--:|\n",
        );
    }
    for bench in &compared.benches {
        let _ = writeln!(text, "{}", markdown_row(bench, common_origin.is_some()));
    }
    let _ = write!(
        text,
        "\n{} *Detectable*: the smallest regression that is detected with a probability of 80 %.\n\n",
        rules(compared)
    );
    for bench in &compared.benches {
        let _ = writeln!(text, "- {}: {}", code(&bench.id), escape(&remarks(bench).join("; ")));
    }
    for (ids, side) in [(&compared.only_in_base, "base"), (&compared.only_in_new, "head")] {
        if !ids.is_empty() {
            let ids: Vec<String> = ids.iter().map(|id| code(id)).collect();
            let _ = writeln!(text, "- only in the {side}: {}", ids.join(", "));
        }
    }
    for note in &compared.notes {
        let _ = writeln!(text, "- note: {}", escape(note));
    }
    if let Some((fail_on, outcome)) = compared.gate.fail_on.zip(gate_outcome(compared.gate.outcome)) {
        let _ = write!(text, "\n**Gate (fails on {}): {outcome}**\n\n", fail_on.name());
        for reason in &compared.gate.reasons {
            let _ = writeln!(text, "- {}", escape(reason));
        }
    }
    text
}

fn markdown_row(bench: &BenchComparison, has_common_origin: bool) -> String {
    let label = origin(bench).label().filter(|_| !has_common_origin);
    let label = label.map(|label| format!(" {label}")).unwrap_or_default();
    let cells = [
        code_cell(&bench.id),
        escape(&labels::title(&bench.metric)),
        escape(&side_value(&bench.base, &bench.unit)),
        escape(&(side_value(&bench.new, &bench.unit) + &label)),
        change(bench).unwrap_or_else(|| NONE.to_owned()),
        format!("**{}**", verdict(bench)),
        bench.detectable_pct.map_or_else(|| NONE.to_owned(), |min| format!("{min:.1} %")),
    ];
    format!("| {} |", cells.join(" | "))
}

/// Returns a comparison as a JUnit test suite, a test case per bench, for CI servers that fail a build on failed tests.
///
/// A case has the result that the gate gives to its bench (that of `--fail-on regressed` without a gate), so that
/// the two never disagree. It is a `failure` if the gate fails on the bench, and an `error` if the bench cannot be
/// compared. It is `skipped`, with the reason, if the verdict is inconclusive, if the gate must not decide (an estimate,
/// a single saved baseline), or if only one side has the bench. Improved and unchanged benches pass.
fn test_suite(compared: &Comparison) -> TestSuite {
    let first_run = compared.new.runs.first();
    let class = |run: Option<&SideRun>| run.map_or_else(String::new, |run| run.bench_target().to_string());
    let run_of = |bench: &BenchComparison| compared.new.runs.iter().find(|run| run.run_id == bench.new.run_id);
    let mut cases: Vec<TestCase> =
        compared.benches.iter().map(|bench| test_case(class(run_of(bench).or(first_run)), bench)).collect();
    for (ids, message) in [
        (&compared.only_in_base, "only the base has this bench"),
        (&compared.only_in_new, "only the head has this bench"),
    ] {
        cases.extend(ids.iter().map(|id| TestCase {
            name: id.clone(),
            class: class(first_run),
            result: TestResult::Skipped { message: message.to_owned() },
            ..TestCase::default()
        }));
    }
    TestSuite {
        name: format!("{} compared with {}", compared.new.name, compared.base.name),
        started_unix_s: first_run.map(|run| run.started_unix_s),
        timed: false,
        properties: suite_properties(compared),
        cases,
    }
}

fn suite_properties(compared: &Comparison) -> Vec<Property> {
    let mut properties = vec![
        ("threshold_pct".to_owned(), compared.threshold_pct.to_string()),
        ("level".to_owned(), compared.level.to_string()),
        ("significance".to_owned(), compared.significance.to_string()),
        ("gate".to_owned(), compared.gate.outcome.name().to_owned()),
    ];
    properties.extend(compared.gate.reasons.iter().map(|reason| ("gate reason".to_owned(), reason.clone())));
    properties.extend(run_properties(&compared.base, "base run"));
    properties.extend(run_properties(&compared.new, "new run"));
    properties.extend(compared.notes.iter().map(|note| ("note".to_owned(), note.clone())));
    properties
}

/// Returns the id and the commit of each run of a side.
fn run_properties(side: &Side, name: &'static str) -> impl Iterator<Item = Property> {
    side.runs.iter().map(move |run| {
        let commit = run.commit.as_ref().map(|commit| format!(" at {commit}")).unwrap_or_default();
        (name.to_owned(), format!("{}{commit}", run.run_id))
    })
}

fn test_case(class: String, bench: &BenchComparison) -> TestCase {
    TestCase {
        name: bench.id.clone(),
        class,
        properties: bench_properties(bench),
        result: test_result(bench),
        output: remarks(bench),
        ..TestCase::default()
    }
}

fn test_result(bench: &BenchComparison) -> TestResult {
    let gate_reason = bench.gate.as_ref().and_then(|gate| gate.reason.as_ref());
    let message = gate_reason.or(bench.reasons.first()).cloned().unwrap_or_else(|| bench.verdict.name().to_owned());
    let problem = |message| Problem { kind: bench.verdict.name(), message, details: Vec::new() };
    match (bench.gate.as_ref().map(|gate| gate.outcome), bench.verdict) {
        (Some(GateOutcome::Failed), _) => TestResult::Failure(problem(message)),
        (Some(GateOutcome::Unusable), _) | (_, Verdict::Invalid) => TestResult::Error(problem(message)),
        (Some(GateOutcome::Passed), Verdict::Improved | Verdict::Unchanged) => TestResult::Passed,
        _ => TestResult::Skipped { message },
    }
}

/// Numbers are written with all digits, so that they parse to the same value.
fn bench_properties(bench: &BenchComparison) -> Vec<Property> {
    let unit = &bench.unit;
    let mut properties = vec![
        ("verdict".to_owned(), bench.verdict.name().to_owned()),
        ("in words".to_owned(), verdict(bench).to_owned()),
        ("metric".to_owned(), bench.metric.clone()),
        ("origin".to_owned(), origin(bench).name().to_owned()),
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

#[cfg(test)]
mod tests;

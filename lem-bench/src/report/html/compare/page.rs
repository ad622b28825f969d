//! The comparison's page as it is laid out.
//!
//! Must not know the templates.

use super::super::metric_table::absent;
use super::super::report::{FileName, page_of_id};
use super::super::run_view::table;
use super::super::view::{CompareRow, CompareView, Number, Table};
use super::changed::{origin, verdict};
use super::scale::Scale;
use crate::analysis::compare::{
    BenchComparison, Comparison, Design, DifferenceWeight, GateOutcome, Measured, Side, SideRun,
};
use crate::model::Origin;
use crate::report::labels;
use crate::report::number_format::{Figure, NONE, date};

/// What there is to show.
pub(in super::super) fn view(compared: &Comparison, known: &[&str], file: FileName) -> CompareView {
    let ends = compared.benches.iter().filter_map(|bench| bench.change).flat_map(|change| [change.low, change.high]);
    let scale = Scale::of(ends, compared.threshold_pct);
    let unmatched = |ids: &[String], of: &str| {
        let shown: Vec<&str> = ids.iter().take(20).map(String::as_str).collect();
        let more = ids.len() - shown.len();
        let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
        (!ids.is_empty()).then(|| format!("Only in {of}: {}{rest}.", shown.join(", ")))
    };
    let mut notes = compared.notes.clone();
    notes.extend(unmatched(&compared.only_in_base, "the base"));
    notes.extend(unmatched(&compared.only_in_new, "the new result"));
    CompareView {
        base: compared.base.name.clone(),
        new: compared.new.name.clone(),
        lead: format!(
            "A change within ±{} % does not matter. Intervals are of {} %; of all alarms, at most {} % are put up with as \
             false.",
            compared.threshold_pct,
            compared.level * 100.0,
            compared.significance * 100.0
        ),
        gate: gate(compared),
        gate_reasons: compared.gate.reasons.clone(),
        axis: scale.axis(),
        rows: compared.benches.iter().map(|bench| row(bench, scale, known, file)).collect(),
        notes,
        sides: sides(compared),
        differences: differences(compared),
    }
}

fn gate(compared: &Comparison) -> &'static str {
    match compared.gate.outcome {
        GateOutcome::NotAsked => "",
        GateOutcome::Passed => "The gate let it pass.",
        GateOutcome::Withheld => "The gate neither passed nor failed.",
        GateOutcome::Failed => "The gate failed.",
        GateOutcome::Unusable => "The gate could not judge.",
    }
}

fn row(bench: &BenchComparison, scale: Scale, known: &[&str], file: FileName) -> CompareRow {
    let label = origin(bench).unwrap_or_default();
    let change = bench.change.map_or_else(
        || absent(bench.reasons.first().map_or("not compared", String::as_str)),
        |change| Number {
            value: format!("{:+.1} %", change.percent),
            interval: format!("{:+.1} … {:+.1} %", change.low, change.high),
            origin: label.to_owned(),
            ..Number::default()
        },
    );
    let href = if known.contains(&bench.id.as_str()) { page_of_id(&bench.id, file) } else { String::new() };
    CompareRow {
        href,
        id: bench.id.clone(),
        metric: labels::title(&bench.metric),
        base: side(&bench.base, &bench.unit),
        new: side(&bench.new, &bench.unit),
        change,
        drawing: bench.change.map(|change| scale.row(change.percent, change.low, change.high)).unwrap_or_default(),
        detectable: bench
            .detectable_pct
            .filter(|pct| pct.is_finite())
            .map_or_else(|| NONE.to_owned(), |pct| format!("{pct:.1} %")),
        design: bench.design.map(design).unwrap_or_default(),
        verdict: verdict(bench),
        reasons: bench.reasons.clone(),
    }
}

fn side(measured: &Measured, unit: &str) -> Number {
    let Some(value) = measured.value else { return absent("no value") };
    let Ok(figure) = Figure::between(value, (measured.low, measured.high), unit) else {
        return absent("not a finite number");
    };
    let from = measured.source.as_ref().map(|source| source.origin).and_then(labels::origin);
    Number {
        value: figure.short(),
        interval: figure.interval.map(|(low, high)| format!("{low} … {high}")).unwrap_or_default(),
        origin: from.unwrap_or_default().to_owned(),
        ..Number::default()
    }
}

fn design(design: Design) -> String {
    match design {
        Design::Paired { pairs } => format!("in turns, {pairs} pairs"),
        Design::SameSession => "one session, not in turns".to_owned(),
        Design::History { sessions } => format!("against {sessions} sessions"),
        Design::SingleBaseline { sessions } => {
            format!("against {sessions} saved: the spread between sessions is assumed")
        }
    }
}

fn sides(compared: &Comparison) -> Table {
    let one = |side: &Side, which: &str| -> Vec<Vec<String>> {
        let row = |run: &SideRun| {
            let measured = match run.origin {
                Origin::Measured => run.meter.clone(),
                other => format!("{} {}", run.meter, labels::origin(other).unwrap_or_default()),
            };
            let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| NONE.to_owned());
            vec![
                which.to_owned(),
                side.name.clone(),
                run.run_id.clone(),
                date(run.started_unix_s),
                or_none(&run.commit.as_deref().map(short)),
                or_none(&run.branch),
                measured,
                run.machine.clone(),
                run.lem_bench.clone(),
            ]
        };
        side.runs.iter().map(row).collect()
    };
    let rows = [one(&compared.base, "base"), one(&compared.new, "new")].concat();
    let heads = ["side", "called", "run", "measured at", "commit", "branch", "by", "machine", "lem-bench"];
    table("The two sides", &heads, rows)
}

/// A commit's hash as people write it.
pub(in super::super) fn short(commit: &str) -> String {
    commit.chars().take(12).collect()
}

fn differences(compared: &Comparison) -> Table {
    let mut seen = Vec::new();
    for difference in compared.benches.iter().flat_map(|bench| &bench.differences) {
        if !seen.contains(&difference) {
            seen.push(difference);
        }
    }
    let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| NONE.to_owned());
    let weight = |weight| match weight {
        DifferenceWeight::Note => "worth knowing",
        DifferenceWeight::Blocks => "forbids the comparison",
    };
    let rows =
        seen.into_iter().map(|d| vec![d.fact.clone(), or_none(&d.base), or_none(&d.new), weight(d.weight).to_owned()]);
    let rows: Vec<Vec<String>> = rows.collect();
    let note = if rows.is_empty() { "No fact about the machines differs that was recorded." } else { "" };
    Table {
        note: note.to_owned(),
        ..table("What differs between the two environments", &["fact", "base", "new", "weight"], rows)
    }
}

//! A comparison: the page with base and head side by side, the card of the index, and the badges of the verdicts.

use super::bench_text::{figure_number, rating_class, run_view, short_id};
use super::output::{Engine, FileName, PageFile, ReportError, bench_page_path};
use super::plots::row_scale::RowScale;
use super::view::{
    BadgeView, ComparisonPage, ComparisonRow, ComparisonView, LinkView, NumberView, SummaryCard, TableView,
};
use crate::analysis::compare::{
    BenchComparison, Change, Comparison, CustomComparison, Design, DifferenceWeight, Direction, GateOutcome, Measured,
    Side, SideRun, Verdict,
};
use crate::analysis::{ChangeHighlight, Rating, RunInfo};
use crate::model::{Origin, count_of};
use crate::report::comparison::{custom_values, origin, verdict_counts, verdict_rating, verdict_word};
use crate::report::labels;
use crate::report::number_format::{Figure, NONE, date};
use crate::report::terminal_text::clean;

/// Benches that the card names.
const MAX_LINKS: usize = 4;
/// Benches of one side only that the page names.
const MAX_UNMATCHED: usize = 20;

/// Renders the standalone page of a comparison of saved results, with the machine and the settings of `run`, the head.
/// It has no links.
///
/// # Errors
/// [`ReportError`] if the page cannot be rendered. This is a bug in lem-bench.
pub fn comparison_page(compared: &Comparison, run: &RunInfo) -> Result<PageFile, ReportError> {
    let engine = Engine::for_run(&run_view(run))?;
    render_comparison(&engine, compared, &BenchLinks { known: &[], file_name: |_| String::new() }, "")
}

/// The benches that have pages of their own.
pub(super) struct BenchLinks<'a> {
    pub known: &'a [&'a str],
    pub file_name: FileName,
}

/// Renders the page of a comparison. `index_target` is the target of the run whose index it links to, or empty.
///
/// # Errors
/// [`ReportError`] if the page cannot be rendered.
pub(super) fn render_comparison(
    engine: &Engine,
    compared: &Comparison,
    links: &BenchLinks<'_>,
    index_target: &str,
) -> Result<PageFile, ReportError> {
    let title = format!("{} against {}", compared.new.name, compared.base.name);
    let page = ComparisonPage { title, index_target, compare: comparison_view(compared, links) };
    engine.render("compare.html", &page, "compare.html".to_owned())
}

fn comparison_view(compared: &Comparison, links: &BenchLinks<'_>) -> ComparisonView {
    let changes = compared.benches.iter().filter_map(|bench| bench.change);
    let ends: Vec<f64> = changes.flat_map(|change| [change.low, change.high]).collect();
    let scale = RowScale::for_changes(&ends, compared.threshold_pct);
    let mut notes = compared.notes.clone();
    notes.extend(unmatched_note(&compared.only_in_base, "the base"));
    notes.extend(unmatched_note(&compared.only_in_new, "the head"));
    ComparisonView {
        base: compared.base.name.clone(),
        head: compared.new.name.clone(),
        lead: format!(
            "Changes within ±{} % are treated as no change. Intervals have a level of {} %; the false discovery rate is at \
             most {} %.",
            compared.threshold_pct,
            compared.level * 100.0,
            compared.significance * 100.0
        ),
        gate: match compared.gate.outcome {
            GateOutcome::NotAsked => "",
            GateOutcome::Passed => "The gate passed.",
            GateOutcome::Withheld => "The gate neither passed nor failed.",
            GateOutcome::Failed => "The gate failed.",
            GateOutcome::Unusable => "The gate could not be evaluated.",
        },
        gate_reasons: compared.gate.reasons.clone(),
        axis: scale.change_axis(),
        rows: compared.benches.iter().map(|bench| comparison_row(bench, &scale, links)).collect(),
        notes,
        sides: sides_table(compared),
        custom: custom_table(compared),
        differences: differences_table(compared),
    }
}

fn unmatched_note(ids: &[String], side: &str) -> Option<String> {
    let shown: Vec<&str> = ids.iter().take(MAX_UNMATCHED).map(String::as_str).collect();
    let rest = match ids.len() - shown.len() {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    (!ids.is_empty()).then(|| format!("Only in {side}: {}{rest}.", shown.join(", ")))
}

fn comparison_row(bench: &BenchComparison, scale: &RowScale, links: &BenchLinks<'_>) -> ComparisonRow {
    let has_page = links.known.contains(&bench.id.as_str());
    let change = match bench.change {
        Some(change) if change.percent.is_finite() => NumberView {
            value: signed(change.percent),
            interval: interval(change),
            origin: origin(bench).label().unwrap_or_default().to_owned(),
            ..NumberView::default()
        },
        _ => NumberView::missing(bench.reasons.first().map_or("not compared", String::as_str)),
    };
    let drawing = bench.change.map(|change| scale.change_row(change.percent, change.low, change.high));
    let detectable = bench.detectable_pct.filter(|percent| percent.is_finite());
    ComparisonRow {
        href: if has_page { bench_page_path(&bench.id, links.file_name) } else { String::new() },
        id: bench.id.clone(),
        metric: labels::title(&bench.metric),
        base: measured_number(&bench.base, &bench.unit),
        head: measured_number(&bench.new, &bench.unit),
        change,
        drawing: drawing.unwrap_or_default(),
        detectable: detectable.map_or_else(|| NONE.to_owned(), |percent| format!("{percent:.1} %")),
        design: bench.design.map(design_text).unwrap_or_default(),
        verdict: verdict_badge(bench),
        reasons: bench.reasons.clone(),
    }
}

fn measured_number(measured: &Measured, unit: &str) -> NumberView {
    let Some(value) = measured.value else { return NumberView::missing("no value") };
    let Ok(figure) = Figure::between(value, (measured.low, measured.high), unit) else {
        return NumberView::missing("not a finite number");
    };
    let origin = measured.source.as_ref().and_then(|source| source.origin.label()).unwrap_or_default();
    NumberView { relative: String::new(), ..figure_number(figure, origin) }
}

fn design_text(design: Design) -> String {
    match design {
        Design::Paired { pairs } => format!("alternating, {}", count_of(pairs, "pair")),
        Design::SameSession => "same session, not alternating".to_owned(),
        Design::History { sessions } => format!("against {}", count_of(sessions, "session")),
        Design::SingleBaseline { sessions } => {
            format!("against {sessions} saved; the session spread is assumed")
        }
    }
}

fn sides_table(compared: &Comparison) -> TableView {
    let heads = ["side", "name", "run", "measured at", "commit", "branch", "meter", "machine", "lem-bench"];
    let rows = [side_rows(&compared.base, "base"), side_rows(&compared.new, "head")].concat();
    TableView::new("The two sides", &heads, rows)
}

fn side_rows(side: &Side, label: &str) -> Vec<Vec<String>> {
    let to_row = |run: &SideRun| {
        let meter = match run.origin {
            Origin::Measured => run.meter.clone(),
            other => format!("{} {}", run.meter, other.label().unwrap_or_default()),
        };
        vec![
            label.to_owned(),
            side.name.clone(),
            run.run_id.clone(),
            date(run.started_unix_s),
            or_dash(run.commit.as_deref().map(short_commit)),
            or_dash(run.branch.clone()),
            meter,
            run.machine.clone(),
            run.lem_bench.clone(),
        ]
    };
    side.runs.iter().map(to_row).collect()
}

fn or_dash(text: Option<String>) -> String {
    text.unwrap_or_else(|| NONE.to_owned())
}

/// The first twelve characters of a commit's hash.
pub(super) fn short_commit(commit: &str) -> String {
    commit.chars().take(12).collect()
}

/// The custom metrics that both sides have; empty if there are none.
fn custom_table(compared: &Comparison) -> Vec<TableView> {
    let row = |bench: &BenchComparison, metric: &CustomComparison| {
        let [base, head] = custom_values(metric);
        vec![bench.id.clone(), metric.name.clone(), base, head]
    };
    let rows: Vec<_> =
        compared.benches.iter().flat_map(|bench| bench.custom.iter().map(|metric| row(bench, metric))).collect();
    let table = TableView::new("Custom metrics, which are not judged", &["bench", "metric", "base", "head"], rows);
    if table.rows.is_empty() { Vec::new() } else { vec![table] }
}

fn differences_table(compared: &Comparison) -> TableView {
    let mut differences = Vec::new();
    for difference in compared.benches.iter().flat_map(|bench| &bench.differences) {
        if !differences.contains(&difference) {
            differences.push(difference);
        }
    }
    let rows = differences.iter().map(|difference| {
        let effect = match difference.weight {
            DifferenceWeight::Note => "note",
            DifferenceWeight::Blocks => "prevents the comparison",
        };
        let (base, head) = (or_dash(difference.base.clone()), or_dash(difference.new.clone()));
        vec![difference.fact.clone(), base, head, effect.to_owned()]
    });
    let table = TableView::new("Differences of the environments", &["fact", "base", "head", "effect"], rows.collect());
    let note = if differences.is_empty() { "No recorded fact about the machines differs." } else { "" };
    TableView { note: note.to_owned(), ..table }
}

/// The card of the index: what changed against the base.
pub(super) fn change_card(
    compared: Option<&Comparison>,
    change: Option<&ChangeHighlight<'_>>,
    file_name: FileName,
) -> SummaryCard {
    let title = "Changes".to_owned();
    let Some(compared) = compared else {
        let text = "No baseline to compare with.".to_owned();
        return SummaryCard { title, figure: "–".to_owned(), text, ..SummaryCard::default() };
    };
    let text = format!("Against {}.", clean(&compared.base.name));
    let Some(change) = change else {
        let figure = "nothing to compare".to_owned();
        return SummaryCard { title, figure, text, rating: "careful", page: "compare.html", ..SummaryCard::default() };
    };
    let has = |verdict| change.counts.iter().any(|(counted, _)| *counted == verdict);
    let rating = if has(Verdict::Regressed) {
        Rating::Bad
    } else if has(Verdict::Inconclusive) || has(Verdict::Invalid) {
        Rating::Careful
    } else {
        Rating::Good
    };
    SummaryCard {
        title,
        figure: verdict_counts(change),
        text,
        links: change.changed.iter().take(MAX_LINKS).map(|bench| change_link(bench, file_name)).collect(),
        rating: rating_class(rating),
        page: "compare.html",
    }
}

/// A link to a bench with its verdict and its change: `regressed +4.1 %`.
fn change_link(bench: &BenchComparison, file_name: FileName) -> LinkView {
    let origin = origin(bench).label().map(|label| format!(" {label}")).unwrap_or_default();
    let percent = bench.change.map(|change| format!("{}{origin}", signed(change.percent))).unwrap_or_default();
    LinkView {
        href: bench_page_path(&bench.id, file_name),
        text: short_id(&bench.id),
        reason: format!("{} {percent}", verdict_word(bench.verdict)),
    }
}

/// The ends of a change's interval in percent: `+3.2 … +5.0 %`; nothing if one is not finite.
fn interval(change: Change) -> String {
    let is_finite = change.low.is_finite() && change.high.is_finite();
    if is_finite { format!("{:+.1} … {:+.1} %", change.low, change.high) } else { String::new() }
}

/// A change in percent with its sign and one decimal; a dash if it is not finite.
fn signed(percent: f64) -> String {
    if percent.is_finite() { format!("{percent:+.1} %") } else { NONE.to_owned() }
}

/// The badge of a verdict.
pub(super) fn verdict_badge(bench: &BenchComparison) -> BadgeView {
    let text = match (bench.verdict, bench.suspected) {
        (Verdict::Inconclusive, Some(Direction::Regression)) => "inconclusive, looks worse",
        (Verdict::Inconclusive, Some(Direction::Improvement)) => "inconclusive, looks better",
        (verdict, _) => verdict_word(verdict),
    };
    BadgeView { text, rating: rating_class(verdict_rating(bench.verdict)) }
}

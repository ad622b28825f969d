//! The data of the templates: texts that are ready to be shown. Templates compute nothing.
//!
//! The template engine escapes every text. Exceptions are fields that hold SVG made by this library: `svg`, `axis` and
//! `drawing`.
//!
//! An empty text means that there is nothing to show.

use serde::Serialize;

use crate::report::number_format::NONE;

/// A number with its interval, unit and label.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct NumberView {
    /// Value and unit, or `–`.
    pub(super) value: String,
    /// The ends of the interval: `0.4099 … 0.4148`.
    pub(super) interval: String,
    /// Half of the interval as a share of the value: `±0.6 %`.
    pub(super) relative: String,
    /// `(estimated)`, `(simulated)` or nothing.
    pub(super) origin: String,
    /// The reason for a missing number or interval.
    pub(super) reason: String,
    /// Whether the interval is only indicative.
    pub(super) indicative: bool,
}

impl NumberView {
    /// A dash with the reason for the missing number.
    pub(super) fn missing(reason: &str) -> Self {
        Self { value: NONE.to_owned(), reason: reason.to_owned(), ..Self::default() }
    }
}

/// A finding.
#[derive(Debug, Clone, Serialize)]
pub(super) struct FindingView {
    /// `invalid`, `warning` or `note`.
    pub(super) severity: &'static str,
    pub(super) check: String,
    pub(super) evidence: String,
    pub(super) remedy: String,
}

/// A coloured label: the status of a bench, or a verdict.
#[derive(Debug, Clone, Serialize)]
pub(super) struct BadgeView {
    pub(super) text: &'static str,
    /// `good`, `careful` or `bad`.
    pub(super) rating: &'static str,
}

/// A table of texts.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct TableView {
    pub(super) caption: String,
    pub(super) heads: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
    /// Whether all columns but the first hold numbers.
    pub(super) numbers: bool,
    /// What is not in the table, and why.
    pub(super) note: String,
}

impl TableView {
    /// A table without a note.
    pub(super) fn new(caption: &str, heads: &[&str], rows: Vec<Vec<String>>) -> Self {
        let heads = heads.iter().map(|&head| head.to_owned()).collect();
        Self { caption: caption.to_owned(), heads, rows, ..Self::default() }
    }
}

/// A plot with its caption, or the reason for the missing plot.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct PlotView {
    pub(super) svg: String,
    /// What the plot shows, or why it is missing.
    pub(super) caption: String,
    /// Colour and name of each line.
    pub(super) legend: Vec<(String, String)>,
}

impl PlotView {
    /// A missing plot with its reason.
    pub(super) fn missing(reason: impl Into<String>) -> Self {
        Self { caption: reason.into(), ..Self::default() }
    }
}

/// A tile with one figure.
#[derive(Debug, Clone, Serialize)]
pub(super) struct TileView {
    pub(super) title: String,
    pub(super) number: NumberView,
}

/// A card at the top of the index.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct SummaryCard {
    pub(super) title: String,
    /// The main figure.
    pub(super) figure: String,
    pub(super) text: String,
    /// The benches that the card names.
    pub(super) links: Vec<LinkView>,
    /// `good`, `careful`, `bad` or nothing.
    pub(super) rating: &'static str,
    /// The page with more about it.
    pub(super) page: &'static str,
}

/// A link to a bench, and why it is named.
#[derive(Debug, Clone, Serialize)]
pub(super) struct LinkView {
    pub(super) href: String,
    pub(super) text: String,
    pub(super) reason: String,
}

/// A table of benches whose energies are comparable.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct BenchTable {
    pub(super) heading: String,
    /// The scale of the drawings.
    pub(super) axis: String,
    pub(super) note: String,
    pub(super) groups: Vec<BenchGroup>,
}

/// The benches of one group or module.
#[derive(Debug, Clone, Serialize)]
pub(super) struct BenchGroup {
    pub(super) title: String,
    pub(super) rows: Vec<BenchRow>,
}

/// A row of the index.
#[derive(Debug, Clone, Serialize)]
pub(super) struct BenchRow {
    /// The page of the bench.
    pub(super) href: String,
    pub(super) id: String,
    pub(super) status: BadgeView,
    /// The result of the comparison.
    pub(super) verdict: Option<BadgeView>,
    pub(super) tags: String,
    /// Gross and net energy on the scale of the table.
    pub(super) drawing: String,
    pub(super) energy: NumberView,
    pub(super) net: NumberView,
    pub(super) speed: NumberView,
    pub(super) power: NumberView,
    /// The sort keys: energy, net energy, speed, power.
    pub(super) keys: [String; 4],
}

/// A bench that was measured over a grid of parameters.
#[derive(Debug, Clone, Serialize)]
pub(super) struct GridView {
    pub(super) title: String,
    pub(super) plots: Vec<PlotView>,
    /// The cases on the Pareto front.
    pub(super) front: TableView,
}

/// A row of the table of all metrics.
#[derive(Debug, Clone, Serialize)]
pub(super) struct MetricRow {
    pub(super) title: String,
    /// The name in JSON.
    pub(super) name: String,
    pub(super) number: NumberView,
    pub(super) method: String,
    /// The bootstrap interval with its unit.
    pub(super) bootstrap: String,
    /// How many cycles and samples the metric was computed from.
    pub(super) basis: String,
}

/// The distribution of one kind of request time.
#[derive(Debug, Clone, Serialize)]
pub(super) struct RequestTimes {
    pub(super) title: String,
    pub(super) plot: PlotView,
    /// Name and value of each quantile.
    pub(super) quantiles: Vec<(String, NumberView)>,
}

/// A bench.
#[derive(Debug, Clone, Serialize)]
pub(super) struct BenchView {
    pub(super) id: String,
    pub(super) status: BadgeView,
    pub(super) description: String,
    /// The result in a few sentences.
    pub(super) result: String,
    pub(super) failure_message: String,
    /// Name and value: source of the energy, cycles, warm-up, parameters, place in the code, tags.
    pub(super) facts: Vec<(String, String)>,
    pub(super) tiles: Vec<TileView>,
    pub(super) findings: Vec<FindingView>,
    pub(super) metrics: Vec<MetricRow>,
    pub(super) power_plot: PlotView,
    /// The numbers of `power_plot`.
    pub(super) spans: TableView,
    pub(super) cycle_plot: PlotView,
    pub(super) cycles: TableView,
    pub(super) warm_up_plot: PlotView,
    pub(super) domains: TableView,
    pub(super) phases: TableView,
    pub(super) request_times: Vec<RequestTimes>,
    pub(super) schedule: TableView,
    /// The command that measures the bench again.
    pub(super) command: String,
}

/// The run: meter, machine and settings.
#[derive(Debug, Clone, Serialize)]
pub(super) struct RunView {
    pub(super) target: String,
    pub(super) date: String,
    /// `measured`, `estimated` or `simulated`.
    pub(super) origin: &'static str,
    pub(super) meter: String,
    pub(super) notes: Vec<String>,
    pub(super) facts: Vec<(String, String)>,
    pub(super) sensors: TableView,
    /// The settings that differ from their defaults.
    pub(super) settings: TableView,
    /// The settings that have their default values.
    pub(super) defaults: TableView,
    pub(super) environment: TableView,
}

/// A comparison.
#[derive(Debug, Clone, Serialize)]
pub(super) struct ComparisonView {
    pub(super) base: String,
    pub(super) head: String,
    pub(super) lead: String,
    /// The decision of the gate.
    pub(super) gate: &'static str,
    pub(super) gate_reasons: Vec<String>,
    /// The scale of the changes.
    pub(super) axis: String,
    pub(super) rows: Vec<ComparisonRow>,
    pub(super) notes: Vec<String>,
    pub(super) sides: TableView,
    pub(super) differences: TableView,
}

/// A bench of both sides.
#[derive(Debug, Clone, Serialize)]
pub(super) struct ComparisonRow {
    /// The page of the bench.
    pub(super) href: String,
    pub(super) id: String,
    pub(super) metric: String,
    pub(super) base: NumberView,
    pub(super) head: NumberView,
    pub(super) change: NumberView,
    /// The change on the scale of the table.
    pub(super) drawing: String,
    /// The smallest regression that the comparison would detect.
    pub(super) detectable: String,
    pub(super) design: String,
    pub(super) verdict: BadgeView,
    pub(super) reasons: Vec<String>,
}

/// The page of a comparison.
#[derive(Debug, Serialize)]
pub(super) struct ComparisonPage<'a> {
    pub(super) title: String,
    /// The target of the run whose index the page links to, or nothing for a standalone page.
    pub(super) index_target: &'a str,
    pub(super) compare: ComparisonView,
}

/// The results of benches from session to session.
#[derive(Debug, Clone, Serialize)]
pub(super) struct HistoryView {
    /// How many benches, over what time.
    pub(super) lead: String,
    pub(super) rows: Vec<TrendRow>,
    pub(super) trends: Vec<TrendView>,
    /// How many benches have no section.
    pub(super) note: String,
}

/// A bench in the overview of the history.
#[derive(Debug, Clone, Serialize)]
pub(super) struct TrendRow {
    /// The section of the bench.
    pub(super) href: String,
    pub(super) id: String,
    /// Metric, branch and machine.
    pub(super) series: String,
    pub(super) sessions: String,
    pub(super) newest: NumberView,
    /// Whether the last change of the level made it better or worse.
    pub(super) badge: Option<BadgeView>,
    pub(super) change: String,
}

/// The section of a bench in the history.
#[derive(Debug, Clone, Serialize)]
pub(super) struct TrendView {
    pub(super) anchor: String,
    pub(super) id: String,
    /// Metric, branch and machine.
    pub(super) series: String,
    /// CSS class and text of each change of the level.
    pub(super) changes: Vec<(&'static str, String)>,
    pub(super) plot: PlotView,
    /// The numbers of `plot`.
    pub(super) sessions: TableView,
}

/// The page of a history.
#[derive(Debug, Serialize)]
pub(super) struct HistoryPage<'a> {
    pub(super) title: String,
    /// The target of the run whose index the page links to, or nothing for a standalone page.
    pub(super) index_target: &'a str,
    pub(super) history: HistoryView,
}

/// The index.
#[derive(Debug, Serialize)]
pub(super) struct IndexPage {
    pub(super) title: String,
    /// Path and name of the comparison and the history.
    pub(super) pages: Vec<(&'static str, &'static str)>,
    /// `6 benches: 3 valid, …`.
    pub(super) count: String,
    /// The level of the intervals: `95 %`.
    pub(super) level: String,
    /// The findings of the run.
    pub(super) findings: Vec<FindingView>,
    /// The findings that all benches share.
    pub(super) common_findings: Vec<FindingView>,
    pub(super) cards: Vec<SummaryCard>,
    pub(super) tables: Vec<BenchTable>,
    pub(super) grids: Vec<GridView>,
    /// The grids that are not drawn.
    pub(super) grids_note: String,
}

/// The page of a bench.
#[derive(Debug, Serialize)]
pub(super) struct BenchPage<'a> {
    pub(super) title: String,
    /// The findings that all benches share.
    pub(super) common_findings: &'a [FindingView],
    pub(super) bench: BenchView,
}

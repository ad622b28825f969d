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
    pub value: String,
    /// The ends of the interval: `0.4099 … 0.4148`.
    pub interval: String,
    /// Half of the interval as a share of the value: `±0.6 %`.
    pub relative: String,
    /// `(estimated)`, `(simulated)` or nothing.
    pub origin: String,
    /// The reason for a missing number or interval.
    pub reason: String,
    /// Whether the interval is only indicative.
    pub indicative: bool,
}

impl NumberView {
    /// A dash with the reason for the missing number.
    pub fn missing(reason: &str) -> Self {
        Self { value: NONE.to_owned(), reason: reason.to_owned(), ..Self::default() }
    }
}

/// A finding.
#[derive(Debug, Clone, Serialize)]
pub(super) struct FindingView {
    /// `invalid`, `warning` or `note`.
    pub severity: &'static str,
    pub check: String,
    pub evidence: String,
    pub remedy: String,
}

/// A coloured label: the status of a bench, or a verdict.
#[derive(Debug, Clone, Serialize)]
pub(super) struct BadgeView {
    pub text: &'static str,
    /// `good`, `careful` or `bad`.
    pub rating: &'static str,
}

/// A table of texts.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct TableView {
    pub caption: String,
    pub heads: Vec<String>,
    pub rows: Vec<Vec<String>>,
    /// Whether all columns but the first hold numbers.
    pub numbers: bool,
    /// What is not in the table, and why.
    pub note: String,
}

impl TableView {
    /// A table without a note.
    pub fn new(caption: &str, heads: &[&str], rows: Vec<Vec<String>>) -> Self {
        let heads = heads.iter().map(|&head| head.to_owned()).collect();
        Self { caption: caption.to_owned(), heads, rows, ..Self::default() }
    }
}

/// A plot with its caption, or the reason for the missing plot.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct PlotView {
    pub svg: String,
    /// What the plot shows, or why it is missing.
    pub caption: String,
    /// Colour and name of each line.
    pub legend: Vec<(String, String)>,
}

impl PlotView {
    /// A missing plot with its reason.
    pub fn missing(reason: impl Into<String>) -> Self {
        Self { caption: reason.into(), ..Self::default() }
    }
}

/// A tile with one figure.
#[derive(Debug, Clone, Serialize)]
pub(super) struct TileView {
    pub title: String,
    pub number: NumberView,
}

/// A card at the top of the index.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct SummaryCard {
    pub title: String,
    /// The main figure.
    pub figure: String,
    pub text: String,
    /// The benches that the card names.
    pub links: Vec<LinkView>,
    /// `good`, `careful`, `bad` or nothing.
    pub rating: &'static str,
    /// The page with more about it.
    pub page: &'static str,
}

/// A link to a bench, and why it is named.
#[derive(Debug, Clone, Serialize)]
pub(super) struct LinkView {
    pub href: String,
    pub text: String,
    pub reason: String,
}

/// A table of benches whose energies are comparable.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct BenchTable {
    pub heading: String,
    /// The scale of the drawings.
    pub axis: String,
    pub note: String,
    pub groups: Vec<BenchGroup>,
}

/// The benches of one group or module.
#[derive(Debug, Clone, Serialize)]
pub(super) struct BenchGroup {
    pub title: String,
    pub rows: Vec<BenchRow>,
}

/// A row of the index.
#[derive(Debug, Clone, Serialize)]
pub(super) struct BenchRow {
    /// The page of the bench.
    pub href: String,
    pub id: String,
    pub status: BadgeView,
    /// The result of the comparison.
    pub verdict: Option<BadgeView>,
    pub tags: String,
    /// Gross and net energy on the scale of the table.
    pub drawing: String,
    pub energy: NumberView,
    pub net: NumberView,
    pub speed: NumberView,
    pub power: NumberView,
    /// The sort keys: energy, net energy, speed, power.
    pub keys: [String; 4],
}

/// A bench that was measured over a grid of parameters.
#[derive(Debug, Clone, Serialize)]
pub(super) struct GridView {
    pub title: String,
    pub plots: Vec<PlotView>,
    /// The cases on the Pareto front.
    pub front: TableView,
}

/// A row of the table of all metrics.
#[derive(Debug, Clone, Serialize)]
pub(super) struct MetricRow {
    pub title: String,
    /// The name in JSON.
    pub name: String,
    pub number: NumberView,
    pub method: String,
    /// The bootstrap interval and its method.
    pub bootstrap: String,
    /// How many cycles and samples the metric was computed from.
    pub basis: String,
}

/// The distribution of one kind of request time.
#[derive(Debug, Clone, Serialize)]
pub(super) struct RequestTimes {
    pub title: String,
    pub plot: PlotView,
    /// Name and value of each quantile.
    pub quantiles: Vec<(String, NumberView)>,
}

/// A bench.
#[derive(Debug, Clone, Serialize)]
pub(super) struct BenchView {
    pub id: String,
    pub status: BadgeView,
    pub description: String,
    /// The result in a few sentences.
    pub result: String,
    pub failure_message: String,
    /// Name and value: source of the energy, cycles, warm-up, parameters, place in the code, tags.
    pub facts: Vec<(String, String)>,
    pub tiles: Vec<TileView>,
    pub findings: Vec<FindingView>,
    pub metrics: Vec<MetricRow>,
    /// What all rows of `metrics` have in common.
    pub metrics_note: String,
    pub power_plot: PlotView,
    /// The numbers of `power_plot`.
    pub spans: TableView,
    pub cycle_plot: PlotView,
    pub cycles: TableView,
    pub warm_up_plot: PlotView,
    pub domains: TableView,
    pub phases: TableView,
    pub request_times: Vec<RequestTimes>,
    pub schedule: TableView,
    /// The command that measures the bench again.
    pub command: String,
}

/// The run: meter, machine and settings.
#[derive(Debug, Clone, Serialize)]
pub(super) struct RunView {
    pub target: String,
    pub date: String,
    /// `measured`, `estimated` or `simulated`.
    pub origin: &'static str,
    pub meter: String,
    pub notes: Vec<String>,
    pub facts: Vec<(String, String)>,
    pub sensors: TableView,
    /// The settings that differ from their defaults.
    pub settings: TableView,
    /// The settings that have their default values.
    pub defaults: TableView,
    pub environment: TableView,
}

/// A comparison.
#[derive(Debug, Clone, Serialize)]
pub(super) struct ComparisonView {
    pub base: String,
    pub head: String,
    pub lead: String,
    /// The decision of the gate.
    pub gate: &'static str,
    pub gate_reasons: Vec<String>,
    /// The scale of the changes.
    pub axis: String,
    pub rows: Vec<ComparisonRow>,
    pub notes: Vec<String>,
    pub sides: TableView,
    /// At most one table.
    pub custom: Vec<TableView>,
    pub differences: TableView,
}

/// A bench of both sides.
#[derive(Debug, Clone, Serialize)]
pub(super) struct ComparisonRow {
    /// The page of the bench.
    pub href: String,
    pub id: String,
    pub metric: String,
    pub base: NumberView,
    pub head: NumberView,
    pub change: NumberView,
    /// The change on the scale of the table.
    pub drawing: String,
    /// The smallest regression that the comparison would detect.
    pub detectable: String,
    pub design: String,
    pub verdict: BadgeView,
    pub reasons: Vec<String>,
}

/// The page of a comparison.
#[derive(Debug, Serialize)]
pub(super) struct ComparisonPage<'a> {
    pub title: String,
    /// The target of the run whose index the page links to, or nothing for a standalone page.
    pub index_target: &'a str,
    pub compare: ComparisonView,
}

/// The results of benches from session to session.
#[derive(Debug, Clone, Serialize)]
pub(super) struct HistoryView {
    /// How many benches, over what time.
    pub lead: String,
    pub rows: Vec<TrendRow>,
    pub trends: Vec<TrendView>,
    /// How many benches have no section.
    pub note: String,
}

/// A bench in the overview of the history.
#[derive(Debug, Clone, Serialize)]
pub(super) struct TrendRow {
    /// The section of the bench.
    pub href: String,
    pub id: String,
    /// Metric, branch and machine.
    pub series: String,
    pub sessions: String,
    pub newest: NumberView,
    /// Whether the last change of the level made it better or worse.
    pub badge: Option<BadgeView>,
    pub change: String,
}

/// The section of a bench in the history.
#[derive(Debug, Clone, Serialize)]
pub(super) struct TrendView {
    pub anchor: String,
    pub id: String,
    /// Metric, branch and machine.
    pub series: String,
    /// CSS class and text of each change of the level.
    pub changes: Vec<(&'static str, String)>,
    pub plot: PlotView,
    /// The numbers of `plot`.
    pub sessions: TableView,
}

/// The page of a history.
#[derive(Debug, Serialize)]
pub(super) struct HistoryPage<'a> {
    pub title: String,
    /// The target of the run whose index the page links to, or nothing for a standalone page.
    pub index_target: &'a str,
    pub history: HistoryView,
}

/// The index.
#[derive(Debug, Serialize)]
pub(super) struct IndexPage {
    pub title: String,
    /// Path and name of the comparison and the history.
    pub pages: Vec<(&'static str, &'static str)>,
    /// `6 benches: 3 valid, …`.
    pub count: String,
    /// The level of the intervals: `95 %`.
    pub level: String,
    /// The findings of the run.
    pub findings: Vec<FindingView>,
    /// The findings that all benches share.
    pub common_findings: Vec<FindingView>,
    pub cards: Vec<SummaryCard>,
    pub tables: Vec<BenchTable>,
    pub grids: Vec<GridView>,
    /// The grids that are not drawn.
    pub grids_note: String,
}

/// The page of a bench.
#[derive(Debug, Serialize)]
pub(super) struct BenchPage<'a> {
    pub title: String,
    /// The findings that all benches share.
    pub common_findings: &'a [FindingView],
    pub bench: BenchView,
}

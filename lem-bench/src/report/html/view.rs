//! What the templates lay out: texts that are ready to be shown. Plain data; nothing is computed in a template.
//!
//! Every text is raw: the engine escapes it. The one exception, drawn SVG, is called `svg`.

use serde::Serialize;

/// A number with its interval, its unit and its label.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Number {
    /// Value and unit, or `–`.
    pub(super) value: String,
    /// The interval's ends, `0.4099 … 0.4148`, or nothing.
    pub(super) interval: String,
    /// `±0.6 %`, or nothing.
    pub(super) relative: String,
    /// `(estimated)`, `(simulated)` or nothing.
    pub(super) origin: String,
    /// Why there is no number or no interval; else nothing.
    pub(super) reason: String,
    /// Whether the interval is only indicative.
    pub(super) indicative: bool,
}

/// A finding.
#[derive(Debug, Clone, Serialize)]
pub(super) struct FindingView {
    /// `invalid`, `warning` or `note`.
    pub(super) weight: &'static str,
    pub(super) check: String,
    pub(super) evidence: String,
    pub(super) remedy: String,
}

/// How a bench stands.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Badge {
    pub(super) text: &'static str,
    /// `good`, `careful` or `bad`.
    pub(super) tone: &'static str,
}

/// A table of texts.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Table {
    /// What it holds, for those who cannot see that.
    pub(super) caption: String,
    pub(super) heads: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
    /// Whether all but the first column hold numbers.
    pub(super) numbers: bool,
    /// What is not in it, and why; or nothing.
    pub(super) note: String,
}

/// A plot, or why there is none.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Plot {
    /// Markup, made by this library and escaped by it.
    pub(super) svg: String,
    /// What is to be seen, or why there is nothing.
    pub(super) caption: String,
    /// Lines in it: colour and name.
    pub(super) legend: Vec<(String, String)>,
}

/// A tile with one figure.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Tile {
    pub(super) title: String,
    pub(super) number: Number,
}

/// What a person must see first.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct SummaryCard {
    pub(super) title: String,
    pub(super) big: String,
    pub(super) text: String,
    /// Benches that it names.
    pub(super) links: Vec<Link>,
    /// `good`, `careful`, `bad` or nothing.
    pub(super) tone: &'static str,
    /// The page that says more, or nothing.
    pub(super) page: &'static str,
}

/// A bench that is named, and why.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Link {
    pub(super) href: String,
    pub(super) text: String,
    pub(super) why: String,
}

/// A table of benches whose energies can be laid side by side.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Kind {
    pub(super) heading: String,
    /// The scale of its drawings: markup, made by this library and escaped by it; or nothing.
    pub(super) axis: String,
    pub(super) note: String,
    pub(super) groups: Vec<Group>,
}

/// Benches of one group or module.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Group {
    pub(super) title: String,
    pub(super) rows: Vec<IndexRow>,
}

/// A row of the index.
#[derive(Debug, Clone, Serialize)]
pub(super) struct IndexRow {
    /// Its page.
    pub(super) href: String,
    pub(super) id: String,
    pub(super) badge: Badge,
    pub(super) tags: String,
    /// Gross and net on the table's scale: markup, made by this library; or nothing.
    pub(super) drawing: String,
    pub(super) energy: Number,
    pub(super) net: Number,
    pub(super) speed: Number,
    pub(super) power: Number,
    /// What a comparison says of it, or nothing.
    pub(super) verdict: Option<Badge>,
    /// What it is sorted by: energy, net, speed, power; nothing where there is none.
    pub(super) keys: [String; 4],
}

/// A function that was measured over a grid.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Grid {
    pub(super) title: String,
    /// The plots, each with a caption or the reason why there is none.
    pub(super) plots: Vec<Plot>,
    /// The benches on the front.
    pub(super) front: Table,
}

/// A row of a bench's metrics.
#[derive(Debug, Clone, Serialize)]
pub(super) struct MetricRow {
    pub(super) title: String,
    /// Its name in JSON.
    pub(super) name: String,
    pub(super) number: Number,
    pub(super) method: String,
    /// The bootstrap interval with its unit, or nothing.
    pub(super) bootstrap: String,
    pub(super) from: String,
}

/// How one kind of time is spread.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Times {
    pub(super) title: String,
    pub(super) plot: Plot,
    /// Name and value.
    pub(super) quantiles: Vec<(String, Number)>,
}

/// A bench.
#[derive(Debug, Clone, Serialize)]
pub(super) struct BenchView {
    pub(super) id: String,
    pub(super) badge: Badge,
    pub(super) description: String,
    pub(super) sentence: String,
    pub(super) failure_message: String,
    /// Name and value: place, module, source, cycles, tags, loaded idle, warm-up.
    pub(super) facts: Vec<(String, String)>,
    pub(super) tiles: Vec<Tile>,
    pub(super) findings: Vec<FindingView>,
    pub(super) metrics: Vec<MetricRow>,
    pub(super) power: Plot,
    /// The twin of `power`.
    pub(super) course: Table,
    pub(super) cycle_plot: Plot,
    pub(super) cycles: Table,
    pub(super) warm_up: Plot,
    pub(super) domains: Table,
    pub(super) phases: Table,
    pub(super) times: Vec<Times>,
    pub(super) schedule: Table,
    pub(super) repeat: String,
}

/// The run as a whole.
#[derive(Debug, Clone, Serialize)]
pub(super) struct RunView {
    pub(super) target: String,
    pub(super) date: String,
    /// `measured`, `estimated` or `simulated`.
    pub(super) origin: &'static str,
    /// What measured what: `nvml: NVIDIA H200 (gpu:0)`.
    pub(super) meter: String,
    pub(super) notes: Vec<String>,
    pub(super) facts: Vec<(String, String)>,
    pub(super) sensors: Table,
    pub(super) settings: Table,
    /// Those that were left as they are.
    pub(super) defaults: Table,
    pub(super) environment: Table,
}

/// A comparison.
#[derive(Debug, Clone, Serialize)]
pub(super) struct CompareView {
    pub(super) base: String,
    pub(super) new: String,
    pub(super) lead: String,
    /// What the gate decided, or nothing where there was none.
    pub(super) gate: &'static str,
    pub(super) gate_reasons: Vec<String>,
    /// The scale of the changes: markup, made by this library.
    pub(super) axis: String,
    pub(super) rows: Vec<CompareRow>,
    pub(super) notes: Vec<String>,
    pub(super) sides: Table,
    pub(super) differences: Table,
}

/// A bench on both sides.
#[derive(Debug, Clone, Serialize)]
pub(super) struct CompareRow {
    /// Its page, or nothing where this report has none.
    pub(super) href: String,
    pub(super) id: String,
    pub(super) metric: String,
    pub(super) base: Number,
    pub(super) new: Number,
    pub(super) change: Number,
    /// The change on the common scale: markup, made by this library; or nothing.
    pub(super) drawing: String,
    /// The smallest worsening that would be found.
    pub(super) detectable: String,
    pub(super) design: String,
    pub(super) verdict: Badge,
    pub(super) reasons: Vec<String>,
}

/// The page of a comparison.
#[derive(Debug, Serialize)]
pub(super) struct ComparePage<'a> {
    pub(super) title: String,
    /// The style sheet, ours.
    pub(super) style: &'static str,
    pub(super) run: &'a RunView,
    /// The target of the run whose index it stands beside, or nothing.
    pub(super) beside: &'a str,
    pub(super) compare: CompareView,
}

/// How benches went from session to session.
#[derive(Debug, Clone, Serialize)]
pub(super) struct HistoryView {
    /// How many benches and sessions, and from when to when.
    pub(super) lead: String,
    pub(super) rows: Vec<TrendRow>,
    pub(super) trends: Vec<TrendView>,
    /// Benches that have no section of their own, or nothing.
    pub(super) note: String,
}

/// A bench's line in the history's overview.
#[derive(Debug, Clone, Serialize)]
pub(super) struct TrendRow {
    /// Its section, or nothing.
    pub(super) href: String,
    pub(super) id: String,
    /// The metric, the branch and the machine.
    pub(super) of: String,
    pub(super) sessions: String,
    pub(super) newest: Number,
    /// How the level changed last, or nothing.
    pub(super) badge: Option<Badge>,
    pub(super) change: String,
}

/// A bench's section of the history.
#[derive(Debug, Clone, Serialize)]
pub(super) struct TrendView {
    pub(super) anchor: String,
    pub(super) id: String,
    pub(super) of: String,
    /// Where its level changed, each with `good` or `bad`; or that it did not.
    pub(super) changes: Vec<(&'static str, String)>,
    pub(super) plot: Plot,
    /// The twin of `plot`.
    pub(super) sessions: Table,
}

/// The page of a history.
#[derive(Debug, Serialize)]
pub(super) struct HistoryPage<'a> {
    pub(super) title: String,
    /// The style sheet, ours.
    pub(super) style: &'static str,
    /// The target of the run whose index it stands beside, or nothing.
    pub(super) beside: &'a str,
    pub(super) history: HistoryView,
}

/// The index.
#[derive(Debug, Serialize)]
pub(super) struct Page<'a> {
    pub(super) title: String,
    /// The style sheet, ours.
    pub(super) style: &'static str,
    pub(super) run: &'a RunView,
    /// Other pages of the report but the benches': place and name.
    pub(super) pages: Vec<(&'static str, &'static str)>,
    /// `6 benches: 3 valid, …`.
    pub(super) count: String,
    /// `95 %`.
    pub(super) level: String,
    pub(super) findings: Vec<FindingView>,
    /// Notes that every bench carries.
    pub(super) everywhere: Vec<FindingView>,
    pub(super) cards: Vec<SummaryCard>,
    pub(super) kinds: Vec<Kind>,
    pub(super) grids: Vec<Grid>,
    /// Grids that are not drawn, or nothing.
    pub(super) grids_note: String,
    /// The script, ours, and what the browser knows it by.
    pub(super) script: &'static str,
}

/// The page of a bench.
#[derive(Debug, Serialize)]
pub(super) struct BenchPage<'a> {
    pub(super) title: String,
    /// The style sheet, ours.
    pub(super) style: &'static str,
    pub(super) run: &'a RunView,
    /// Notes that every bench carries.
    pub(super) everywhere: Vec<FindingView>,
    pub(super) bench: BenchView,
}

//! Analysis: from the journals of a run to its summary, its findings, and comparisons with other runs.
//!
//! Depends on records and statistics alone, so that saved journals can be analysed again on any machine.

mod assemble;
mod checks;
pub mod compare;
mod completeness;
mod custom_metrics;
mod cycles;
mod finding;
mod heat;
mod highlights;
mod interval;
mod joint;
mod metric;
mod metrics;
mod phases;
mod request_times;
mod summarise;
mod summary;
mod view;

#[cfg(feature = "html")]
pub use assemble::calibrate_traces;
#[cfg(test)]
pub use finding::status;
pub use finding::{Check, Finding, Severity, Status, sort_findings};
pub use highlights::{ChangeHighlight, CostRange, HeadlinePrecision, Highlights, UsableBench, WorstFinding};
pub use interval::{IntervalChoice, Options};
pub use metric::{Interval, Metric};
pub use summarise::{ReadJournal, Samples, Summarised, summarise, summarise_read};
pub use summary::{
    BenchSummary, CycleSummary, DeviceHeat, Distribution, HeatSummary, KeptSamples, PhaseSummary, Rating, RunInfo,
    Summary, WarmUpSummary,
};
pub use view::View;

//! Late aggregation: from the journals of a run to its summary, and the trust ledger's judgement.
//!
//! Depends on plain records and statistics alone; must not know files, meters or devices. Saved journals can be
//! analysed again anywhere.

mod assemble;
mod calibrate;
pub mod compare;
mod completeness;
mod cycles;
mod distribution;
mod finding;
mod interval;
mod ledger;
mod metrics;
mod phases;
mod request_times;
mod summarise;
mod summary;

pub use assemble::AnalysisError;
pub use finding::{Check, Finding, Severity, Status, status};
pub use interval::{IntervalChoice, Options};
pub use summarise::{ReadJournal, summarise, summarise_read};
pub use summary::{
    BenchSummary, CycleSummary, Distribution, Interval, Metric, PhaseSummary, RunInfo, Summary, WarmUpSummary,
};

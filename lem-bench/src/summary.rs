//! The results of a run, as `summary.json` holds them.
//!
//! Fields are only added within a major version. A field that an older file lacks has its default.
//!
//! ```
//! use lem_bench::summary::Summary;
//!
//! # fn read(path: &std::path::Path) -> Result<(), Box<dyn std::error::Error>> {
//! let summary: Summary = serde_json::from_slice(&std::fs::read(path)?)?;
//! for bench in &summary.benches {
//!     if let Some(metric) = bench.headline() {
//!         println!("{}: {:?} {}", bench.bench.id, metric.value, metric.unit);
//!     }
//! }
//! # Ok(())
//! # }
//! ```

pub use crate::analysis::{
    BenchSummary, Check, CycleSummary, DeviceHeat, Distribution, Finding, HeatSummary, Interval, KeptSamples, Metric,
    PhaseSummary, RunInfo, Severity, Status, Summary, WarmUpSummary,
};
pub use crate::model::{
    BenchRecord, Calibration, ChannelProbe, Coverage, CustomKind, DenseReads, DomainCalibration, Fact, MeterProbe,
    Method, Order, Outcome, Precision, RunOrder, Setting, Source, Span, SpanKind, StopReason, Trace, TracePoint,
    Uncertainty, WarmUpCode,
};

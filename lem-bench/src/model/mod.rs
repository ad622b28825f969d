//! The data model of a run: ids, domains, windows, cycles, records, environment and evidence.
//!
//! Plain data with serde; no I/O, no clocks, no decisions.

mod bench_target;
mod custom_metric;
mod domain;
mod evidence;
pub mod fact_names;
mod metric_kind;
mod probe;
mod record;
mod session_result;
mod text;
mod thinning;
mod window;
mod work;

pub use bench_target::BenchTarget;
pub use custom_metric::{
    CustomKind, CustomMetric, MAX_CUSTOM_METRICS, ValueSums, check_metric_name, check_metric_unit, custom_metric_names,
};
pub use domain::{Domain, DomainId, DomainKind, Method, Origin, Source};
pub use evidence::{
    Calibration, CpuEvidence, CycleEvidence, DeviceLimits, DeviceProcess, DomainCalibration, GaugeEvidence, MinMeanMax,
    QuotaEvidence, RunEvidence, ThrottleReason,
};
pub use metric_kind::{EnergyBasis, MetricKind, Statistic, TimeKind};
pub use probe::{ChannelProbe, Coverage, DenseReads, MeterProbe};
pub use record::{
    BenchEnd, BenchFacts, BenchRecord, CycleRecord, Fact, IdleKind, IdleRecord, Order, Outcome, Precision, Record,
    ResumeRecord, RunEnd, RunHeader, RunOrder, Setting, StopReason, WarmUpCode, WarmUpRecord,
};
pub use session_result::SessionResult;
#[cfg(feature = "candle")]
pub(crate) use text::fnv1a64;
pub(crate) use text::{CivilTime, count_of, grouped, id_hash, is_invisible, is_or_are, p_value};
pub(crate) use thinning::overlap_ns;
pub use thinning::{PhaseSums, Thinned, TimeSums};
pub use window::{
    DomainEnergy, IdleBlock, PhaseSpan, RequestLog, SensorEvent, SensorEventKind, Span, SpanKind, Trace, TracePoint,
    Uncertainty, WindowRecord,
};
pub use work::{ArrivalCounts, Unit, WorkCounts};

/// Version of every stored format; increased when a field is added or its meaning changes. Fields added after version 1
/// have defaults, so files of older versions are still readable. From version 3 on, traces and phases are in the samples
/// file of a journal and not in its lines, and a summary contains no traces.
pub const SCHEMA_VERSION: u32 = 3;

/// The oldest version that is still readable.
pub const OLDEST_SCHEMA_VERSION: u32 = 1;

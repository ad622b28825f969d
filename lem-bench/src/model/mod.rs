//! What is written down: ids, domains, windows, cycles, records, environment and findings.
//!
//! Plain data with serde; no I/O, no clocks, no decisions.

mod calibration;
mod domain;
mod evidence;
pub mod fact_names;
mod id_hash;
mod order;
mod probe;
mod record;
mod session_result;
mod window;
mod work;

pub use calibration::{Calibration, DomainCalibration};
pub use domain::{Domain, DomainId, DomainKind, Method, Origin, Source};
pub use evidence::{
    CpuEvidence, CycleEvidence, DeviceLimits, DeviceUser, GaugeEvidence, MinMeanMax, RunEvidence, ThrottleReason,
};
pub use id_hash::id_hash;
pub use order::{Order, RunOrder};
pub use probe::{ChannelProbe, Coverage, DenseReads, MeterProbe};
pub use record::{
    BenchEnd, BenchRecord, CycleRecord, Fact, IdleKind, IdleRecord, Outcome, Precision, Record, ResumeRecord, RunEnd,
    RunHeader, Setting, StopReason, WarmUpCode, WarmUpRecord,
};
pub use session_result::SessionResult;
pub use window::{
    DomainEnergy, IdleBlock, PhaseSpan, RequestLog, SensorEvent, SensorEventKind, Span, SpanKind, Trace, TracePoint,
    WindowRecord,
};
pub use work::{Unit, WorkCounts};

/// Version of every stored format; bumped when a field is added or changes its meaning. What version 2 has more than
/// version 1 has a default, so that files of version 1 are still read.
pub const SCHEMA_VERSION: u32 = 2;

/// The oldest version that is still read.
pub const OLDEST_SCHEMA_VERSION: u32 = 1;

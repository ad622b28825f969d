//! One measured window: when it began and ended, what was done in it and what it cost, and the idle that belongs to it.

use serde::{Deserialize, Serialize};

use super::{DomainId, Method, WorkCounts};
use crate::units::{Joules, Stamp, Watts};

/// The energy of one domain over one stretch of time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DomainEnergy {
    /// The domain.
    pub domain: DomainId,
    /// The energy.
    pub joules: Joules,
    /// What the sensor alone allows: the true energy is not below this.
    pub low: Joules,
    /// What the sensor alone allows: the true energy is not above this.
    pub high: Joules,
    /// Counter or integrated power.
    pub method: Method,
    /// The same energy by the other method, where there is one: the cross-check.
    pub cross_check: Option<Joules>,
    /// What that other sensor alone allows for its own figure: not below the first, not above the second.
    #[serde(default)]
    pub cross_check_bounds: Option<(Joules, Joules)>,
}

/// A window: the one object that holds the stamps, the energy and the work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WindowRecord {
    /// When it began, after a synchronise.
    pub start: Stamp,
    /// When it ended, after a synchronise.
    pub stop: Stamp,
    /// Energy of each domain.
    pub energy: Vec<DomainEnergy>,
    /// What was done.
    pub work: WorkCounts,
}

impl WindowRecord {
    /// The window's length in seconds.
    pub fn seconds(&self) -> f64 {
        self.stop.since(self.start).as_secs_f64()
    }
}

/// A stretch of rest in which idle power was measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IdleBlock {
    /// When it began.
    pub start: Stamp,
    /// When it ended.
    pub stop: Stamp,
    /// Mean power of each domain over it.
    pub power: Vec<(DomainId, Watts)>,
}

/// Times of the requests of one cycle, raw, in the order in which they ended.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RequestLog {
    /// From a request's start to its end, in ns, one each request that ended well.
    pub latency_ns: Vec<u64>,
    /// From a request's start to its first output token, in ns, one each request that marked a token.
    pub ttft_ns: Vec<u64>,
    /// From one output token mark to the next of the same sequence, in ns, all requests one after the other.
    pub itl_ns: Vec<u64>,
    /// How many of `itl_ns` belong to each request that marked a token.
    pub itl_count: Vec<u32>,
    /// Phases that the body marked.
    pub phases: Vec<PhaseSpan>,
}

/// A phase that a body marked in a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhaseSpan {
    /// Its name: `prefill`, `decode`.
    pub name: String,
    /// When it began.
    pub start: Stamp,
    /// When it ended.
    pub stop: Stamp,
}

/// What the harness was doing during a stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum SpanKind {
    /// Rest before the first request.
    Idle,
    /// Warm-up under load.
    WarmUp,
    /// Rest between two cycles.
    Gap,
    /// Load that brings the machine back before a window; not counted.
    RampIn,
    /// A measured window.
    Window,
    /// Load after a window, so that its edge lies under load; not counted.
    RampOut,
}

/// A stretch of the power trace and what happened in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Span {
    /// What happened.
    pub kind: SpanKind,
    /// From when.
    pub start: Stamp,
    /// To when.
    pub stop: Stamp,
}

/// One point of a trace.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TracePoint(pub Stamp, pub f64);

/// What was read over time, for the picture and the cross-check.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Trace {
    /// The domain.
    pub domain: DomainId,
    /// Power in W: of a gauge as read, of a counter the mean since the point before.
    pub power_w: Vec<TracePoint>,
    /// Temperature in °C.
    pub temperature_c: Vec<TracePoint>,
    /// Share of time in which something ran on the device, 0 to 1.
    #[serde(default)]
    pub utilisation: Vec<TracePoint>,
    /// Device memory in use, in bytes.
    #[serde(default)]
    pub memory_bytes: Vec<TracePoint>,
}

/// Something that a sensor did which a good sensor does not do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SensorEvent {
    /// When it was seen.
    pub at: Stamp,
    /// The domain concerned.
    pub domain: DomainId,
    /// What it was.
    pub kind: SensorEventKind,
    /// More about it, for a person.
    pub detail: String,
}

/// Kinds of [`SensorEvent`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SensorEventKind {
    /// A read gave no value.
    ReadFailed,
    /// The device is gone.
    Lost,
    /// A counter started again (driver reload, device reset).
    CounterReset,
    /// A counter ran backwards without starting again.
    CounterBackwards,
    /// A counter passed its range and was continued.
    CounterWrapped,
    /// A counter was not read for so long that it may have passed its whole range unseen.
    CounterUnread,
    /// A counter stood still over a stretch in which it should have moved.
    CounterStuck,
    /// The clocks were held down.
    Throttled,
    /// The sampler came later than three periods after it was due.
    SamplerLate,
}

//! Windows with their energy and work, idle blocks, and what is recorded in a cycle: requests, phases, traces and
//! sensor events.

use serde::{Deserialize, Serialize};

use super::{DomainId, Method, Thinned, WorkCounts};
use crate::units::{Joules, Stamp, Watts, significant};

/// Significant digits of a standard uncertainty.
const UNCERTAINTY_DIGITS: usize = 4;

/// The standard uncertainty of an energy by its causes, each one standard deviation. They are independent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Uncertainty {
    /// The moments of the sensor's updates around the edges, and changes of the power between two of them.
    pub edges_j: Joules,
    /// The idle power by which an update was divided at an edge where work begins or ends.
    pub idle_split_j: Joules,
    /// The resolution of the sensor.
    pub resolution_j: Joules,
    /// What a sensor that may see part of the time has not seen.
    pub sampling_j: Joules,
}

impl Uncertainty {
    /// Returns the standard uncertainty of all causes together.
    pub fn total(&self) -> Joules {
        Joules(self.causes().iter().map(|(_, joules)| joules.get().powi(2)).sum::<f64>().sqrt())
    }

    /// Returns the uncertainty rounded to the digits that are stored.
    #[must_use]
    pub(crate) fn rounded(self) -> Self {
        let round = |joules: Joules| Joules(significant(joules.get(), UNCERTAINTY_DIGITS));
        Self {
            edges_j: round(self.edges_j),
            idle_split_j: round(self.idle_split_j),
            resolution_j: round(self.resolution_j),
            sampling_j: round(self.sampling_j),
        }
    }

    /// Returns the causes with their names.
    pub fn causes(&self) -> [(&'static str, Joules); 4] {
        [
            ("edges", self.edges_j),
            ("idle split", self.idle_split_j),
            ("resolution", self.resolution_j),
            ("sampling", self.sampling_j),
        ]
    }

    /// Returns the uncertainty of the sum of two energies, of which the other one counts to this share.
    #[must_use]
    pub fn plus(&self, other: &Self, share: f64) -> Self {
        let sum = |own: Joules, other: Joules| Joules(own.get().hypot(share * other.get()));
        Self {
            edges_j: sum(self.edges_j, other.edges_j),
            idle_split_j: sum(self.idle_split_j, other.idle_split_j),
            resolution_j: sum(self.resolution_j, other.resolution_j),
            sampling_j: sum(self.sampling_j, other.sampling_j),
        }
    }
}

/// The energy of one domain over a span of time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DomainEnergy {
    /// The domain.
    pub domain: DomainId,
    /// The energy.
    pub joules: Joules,
    /// Lower bound of the true energy, given the sensor's resolution and period.
    pub low: Joules,
    /// Upper bound of the true energy, given the sensor's resolution and period.
    pub high: Joules,
    /// The standard uncertainty; `None` in journals before schema version 3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uncertainty: Option<Uncertainty>,
    /// Counter or integrated power.
    pub method: Method,
    /// The same energy measured by the other method, where available, as a cross-check.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cross_check: Option<Joules>,
    /// Lower and upper bound of the cross-check, given its sensor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cross_check_bounds: Option<(Joules, Joules)>,
}

/// A window with its stamps, energy and work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WindowRecord {
    /// Start, after a device synchronisation.
    pub start: Stamp,
    /// End, after a device synchronisation.
    pub stop: Stamp,
    /// Energy of each domain.
    pub energy: Vec<DomainEnergy>,
    /// The work done.
    pub work: WorkCounts,
}

impl WindowRecord {
    /// Returns the window's length in seconds.
    pub fn seconds(&self) -> f64 {
        self.stop.since(self.start).as_secs_f64()
    }

    /// Returns the share of its time that counts: without the time in which inputs were prepared, 0 to 1.
    pub fn counted_share(&self) -> f64 {
        let share = 1.0 - self.work.prepared_s / self.seconds();
        if share.is_finite() { share.clamp(0.0, 1.0) } else { 1.0 }
    }
}

/// A span of rest in which idle power was measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IdleBlock {
    /// Start.
    pub start: Stamp,
    /// End.
    pub stop: Stamp,
    /// Mean power of each domain.
    pub power: Vec<(DomainId, Watts)>,
}

/// Raw times of the requests of one cycle, in the order in which they ended.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RequestLog {
    /// Time from start to end of each successful request, in ns.
    pub latency_ns: Vec<u64>,
    /// Time from start to first output token of each request that marked a token, in ns.
    pub ttft_ns: Vec<u64>,
    /// Time from one output token to the next of the same sequence, in ns, request by request.
    pub itl_ns: Vec<u64>,
    /// Number of entries of `itl_ns` of each request that marked a token.
    pub itl_count: Vec<u32>,
    /// Mean time from one output token to the next, in ns, of each request that marked at least two.
    #[serde(default)]
    pub tpot_ns: Vec<u64>,
    /// Phases marked by the body.
    pub phases: Vec<PhaseSpan>,
    /// How the times were thinned; `None` where all are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thinned: Option<Thinned>,
}

/// A phase of a request, marked by the body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhaseSpan {
    /// Its name: `prefill`, `decode`.
    pub name: String,
    /// Start.
    pub start: Stamp,
    /// End.
    pub stop: Stamp,
}

/// The phase of the protocol during a span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SpanKind {
    /// Rest before the first request.
    Idle,
    /// Warm-up under load.
    WarmUp,
    /// Rest between two cycles.
    Gap,
    /// Load before a window until the machine has recovered from the gap; not counted.
    RampIn,
    /// A measured window.
    Window,
    /// Load after a window, so that the window's edge is under load; not counted.
    RampOut,
}

/// A span of time and the phase of the protocol in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Span {
    /// The phase.
    pub kind: SpanKind,
    /// Start.
    pub start: Stamp,
    /// End.
    pub stop: Stamp,
}

impl Span {
    #[doc(hidden)]
    pub fn new(kind: SpanKind, start: Stamp, stop: Stamp) -> Self {
        Self { kind, start, stop }
    }
}

/// One point of a trace.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TracePoint(pub Stamp, pub f64);

/// Readings over time, for plots and the cross-check.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
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

impl Trace {
    /// A trace without points.
    #[doc(hidden)]
    pub fn new(domain: DomainId) -> Self {
        Self {
            domain,
            power_w: Vec::new(),
            temperature_c: Vec::new(),
            utilisation: Vec::new(),
            memory_bytes: Vec::new(),
        }
    }
}

/// An irregularity of a sensor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SensorEvent {
    /// When it was detected.
    pub at: Stamp,
    /// The domain concerned.
    pub domain: DomainId,
    /// The kind.
    pub kind: SensorEventKind,
    /// Details, as text.
    pub detail: String,
}

/// Kinds of [`SensorEvent`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SensorEventKind {
    /// A read returned no value.
    ReadFailed,
    /// The device is gone.
    Lost,
    /// A counter restarted (driver reload, device reset).
    CounterReset,
    /// A counter decreased without a restart.
    CounterBackwards,
    /// A counter exceeded its range and wrapped around.
    CounterWrapped,
    /// A counter was not read for so long that it may have wrapped around unnoticed.
    CounterUnread,
    /// A counter did not change in a span in which it should have.
    CounterStuck,
    /// The clocks were throttled.
    Throttled,
    /// The sampler ran more than three periods late.
    SamplerLate,
}

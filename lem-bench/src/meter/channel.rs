//! The interface of a meter: domains, channels, and reads.

use std::time::Duration;

use crate::model::{Domain, DomainId, Origin};

/// The quantity of a channel.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Quantity {
    /// Energy since an arbitrary start, as a counter; read as [`Value::Count`].
    Energy {
        /// Joules of one count.
        unit_j: f64,
        /// The counter runs from 0 to `modulus - 1` and then wraps to 0; `None` if it cannot wrap during a run.
        modulus: Option<u64>,
    },
    /// Power in watts; read as [`Value::Level`].
    Power,
    /// Temperature in °C.
    Temperature,
    /// Clock of the streaming multiprocessors (or shader engines) in MHz.
    SmClock,
    /// Memory clock in MHz.
    MemoryClock,
    /// Share of time in which the device was busy, 0 to 1.
    Utilisation,
    /// Memory in use, in bytes.
    MemoryUsed,
    /// Reasons why the clocks are throttled; read as [`Value::Bits`], in the bits that the driver defines.
    ThrottleReasons,
}

/// One quantity of a domain that a meter can read.
#[derive(Debug, Clone, PartialEq)]
pub struct Channel {
    /// The domain.
    pub domain: DomainId,
    /// The quantity, which also determines the unit.
    pub quantity: Quantity,
    /// The time between two updates of the sensor if it is specified (else a probe measures it); zero for a value that is
    /// computed at each read.
    pub update_period: Option<Duration>,
    /// The time that each update covers, if known: for power the averaging time, for a counter that integrates all the
    /// time the period or more. If it is unknown, the bounds of a window allow for a part-time sensor.
    pub averaging: Option<Duration>,
}

impl Channel {
    /// Returns a channel with unknown update period and averaging time.
    pub fn new(domain: DomainId, quantity: Quantity) -> Self {
        Self { domain, quantity, update_period: None, averaging: None }
    }

    /// Returns whether this is an energy counter.
    pub fn is_counter(&self) -> bool {
        matches!(self.quantity, Quantity::Energy { .. })
    }
}

/// The result of reading a channel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value {
    /// A counter's raw count.
    Count(u64),
    /// A gauge's value, in the unit of its [`Quantity`].
    Level(f64),
    /// A set of flags.
    Bits(u64),
}

/// Why a read failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// This read failed; a later one may succeed.
    #[error("read failed: {0}")]
    Failed(String),
    /// The device is lost; no later read will succeed.
    #[error("device lost: {0}")]
    Lost(String),
}

/// A source of counters and gauges.
///
/// `read` is called from one thread at a time (the sampler's), never from the measured thread. It may block for as long as
/// the driver takes.
pub trait Meter: Send {
    /// Returns the short name for `--meter`: `nvml`, `rapl`, `estimate`, `sim`.
    fn name(&self) -> &str;

    /// Returns whether its values are measured, estimated or simulated.
    fn origin(&self) -> Origin;

    /// Returns its domains.
    fn domains(&self) -> &[Domain];

    /// Returns its channels. Their order does not change.
    fn channels(&self) -> &[Channel];

    /// Reads the channel with this index.
    ///
    /// # Errors
    /// [`ReadError::Failed`] if a later read may succeed, [`ReadError::Lost`] if none will.
    fn read(&mut self, channel: usize) -> Result<Value, ReadError>;

    /// Returns facts about the device and its driver that belong into every result (`driver`, `gpu:0 name`, `gpu:0 power
    /// limit W`), as pairs of name and value.
    fn facts(&self) -> Vec<(String, String)> {
        Vec::new()
    }
}

impl Meter for Box<dyn Meter> {
    fn name(&self) -> &str {
        self.as_ref().name()
    }

    fn origin(&self) -> Origin {
        self.as_ref().origin()
    }

    fn domains(&self) -> &[Domain] {
        self.as_ref().domains()
    }

    fn channels(&self) -> &[Channel] {
        self.as_ref().channels()
    }

    fn read(&mut self, channel: usize) -> Result<Value, ReadError> {
        self.as_mut().read(channel)
    }

    fn facts(&self) -> Vec<(String, String)> {
        self.as_ref().facts()
    }
}

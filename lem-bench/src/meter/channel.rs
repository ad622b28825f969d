//! The interface of every meter: its domains, its channels, and one read at a time.

use std::time::Duration;

use crate::model::{Domain, DomainId, Origin};

/// What a channel tells.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Quantity {
    /// Energy since some beginning, as a counter; read as [`Value::Count`].
    Energy {
        /// Joules of one count.
        unit_j: f64,
        /// The counter runs from 0 to `modulus - 1` and then starts again at 0; `None` when it cannot wrap in a run.
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
    /// Share of time in which something ran, 0 to 1.
    Utilisation,
    /// Memory in use, in bytes.
    MemoryUsed,
    /// Reasons for which the clocks are held down; read as [`Value::Bits`], in the bits that the driver defines.
    ThrottleReasons,
}

/// One number that a meter can read.
#[derive(Debug, Clone, PartialEq)]
pub struct Channel {
    /// The domain that the number is about.
    pub domain: DomainId,
    /// What it tells, with its unit.
    pub quantity: Quantity,
    /// The time between two updates of the sensor, where the meter knows it for sure (a probe measures the rest);
    /// zero for a value that is computed at each read.
    pub update_period: Option<Duration>,
    /// The time of each update that the sensor sees, where known: for power the time over which it averages, for a
    /// counter the period or more where it integrates all the time. Where it is not known, the bounds of a window allow
    /// for a sensor that sees a part of the time.
    pub averaging: Option<Duration>,
}

impl Channel {
    /// A channel of which only the domain and the quantity are known.
    pub fn new(domain: DomainId, quantity: Quantity) -> Self {
        Self { domain, quantity, update_period: None, averaging: None }
    }

    /// Whether this is an energy counter.
    pub fn is_counter(&self) -> bool {
        matches!(self.quantity, Quantity::Energy { .. })
    }
}

/// What one read of a channel gave.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value {
    /// A counter's raw count.
    Count(u64),
    /// A gauge's level, in the unit of its [`Quantity`].
    Level(f64),
    /// A set of flags.
    Bits(u64),
}

/// Why a read gave no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadError {
    /// This read failed; a later one may not.
    Failed(String),
    /// The device is gone; no later read will succeed.
    Lost(String),
}

impl std::fmt::Display for ReadError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Failed(why) => write!(f, "read failed: {why}"),
            Self::Lost(why) => write!(f, "device lost: {why}"),
        }
    }
}

impl std::error::Error for ReadError {}

/// A reader of counters and gauges.
///
/// `read` is called from one thread at a time (the sampler's), never from the thread that is measured. It may block
/// for as long as the driver takes.
pub trait Meter: Send {
    /// The short name by which `--meter` chooses it: `nvml`, `rapl`, `estimate`, `sim`.
    fn name(&self) -> &str;

    /// Whether its numbers are measured, estimated or simulated.
    fn origin(&self) -> Origin;

    /// The domains it tells about.
    fn domains(&self) -> &[Domain];

    /// The numbers it can read. Their order is fixed for the life of the meter.
    fn channels(&self) -> &[Channel];

    /// Reads the channel with this index.
    ///
    /// # Errors
    /// [`ReadError::Failed`] when a later read may succeed, [`ReadError::Lost`] when none will.
    fn read(&mut self, channel: usize) -> Result<Value, ReadError>;

    /// Facts about the device and its driver that belong into every result (`driver`, `gpu:0 name`,
    /// `gpu:0 power limit W`), as pairs of name and value.
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

//! The description of a built-in meter, the settings for opening one, and the opened meter.

use std::path::PathBuf;
use std::sync::Arc;

use super::channel::{DeviceMonitor, Meter, OpenError};
use super::composite::Part;
use super::domain_selection::{non_overlapping, validate};
use crate::model::{DomainId, Origin};
use crate::units::Watts;

/// The default power of one busy core for the estimate: 10 W.
///
/// A round number at the upper end of thermal design power divided by cores in data sheets: about 4 W for a many-core
/// server CPU (EPYC 9654: 360 W for 96 cores), 6 W (Xeon Platinum 8480+: 350 W for 56) and 10.6 W for a desktop CPU (Ryzen
/// 9 7950X: 170 W for 16). The upper end, because a few busy cores run at boost clocks and keep caches, memory controller
/// and fabric awake. The true power may differ by a factor of three: use an estimate to compare the CPU time of two
/// programs on one machine, not for their absolute power.
pub const DEFAULT_WATTS_PER_CORE: Watts = Watts(10.0);

/// Opens a meter.
type OpenFn = fn(&OpenOptions) -> Result<Opened, OpenError>;

/// A built-in meter: its name, its help, and how to open it.
///
/// Two kinds are equal if their names are.
pub struct MeterKind {
    /// The name for `--meter` and in results, such as `nvml`.
    pub name: &'static str,
    /// What it reads, in a few words for the help.
    pub help: &'static str,
    /// Whether its numbers are measured or estimated.
    pub origin: Origin,
    /// Opens this meter alone.
    pub(super) open: OpenFn,
    /// Opens this meter for [`MeterChoice::Auto`](super::MeterChoice::Auto), with others that complement it.
    pub(super) open_for_auto: OpenFn,
}

impl PartialEq for MeterKind {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for MeterKind {}

impl std::fmt::Debug for MeterKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MeterKind").field("name", &self.name).field("origin", &self.origin).finish_non_exhaustive()
    }
}

/// The settings for opening the NVIDIA meter.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NvmlOptions {
    /// The path of the driver's library; `None` searches `libnvidia-ml.so.1` with the system's loader.
    pub lib_path: Option<PathBuf>,
    /// The value of `CUDA_VISIBLE_DEVICES`; `None` if it is not set and all GPUs are visible.
    pub visible: Option<String>,
    /// The value of `CUDA_DEVICE_ORDER`.
    pub device_order: Option<String>,
}

/// The settings for opening any meter.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenOptions {
    /// The folder of sysfs: `/sys`, except in tests and in containers that mount it elsewhere.
    pub sysfs_root: PathBuf,
    /// The settings for NVIDIA GPUs.
    pub nvml: NvmlOptions,
    /// Power of one busy core, for the estimate.
    pub estimate_watts: Watts,
}

impl Default for OpenOptions {
    /// Returns `/sys`, all GPUs, and the default power per core.
    fn default() -> Self {
        Self { sysfs_root: PathBuf::from("/sys"), nvml: NvmlOptions::default(), estimate_watts: DEFAULT_WATTS_PER_CORE }
    }
}

/// An opened meter.
pub struct Opened {
    /// The meter; a [`Composite`](super::Composite) if several are read.
    pub meter: Box<dyn Meter>,
    /// The domains whose sum is the headline energy; none contains another.
    pub headline: Vec<DomainId>,
    /// For each channel of the meter, which meter reads it and with which origin.
    pub parts: Vec<Part>,
    /// Facts about the choice that belong into the result, one sentence each.
    pub notes: Vec<String>,
    /// Devices that cannot be measured, one sentence each: for the result, and for the user before the first bench.
    pub unmeasured: Vec<String>,
    /// Reads the processes, power limits and memory of the devices, if the meter supports it.
    pub monitor: Option<Arc<dyn DeviceMonitor>>,
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opened")
            .field("meter", &self.meter.name())
            .field("headline", &self.headline)
            .field("notes", &self.notes)
            .field("unmeasured", &self.unmeasured)
            .finish_non_exhaustive()
    }
}

impl Opened {
    pub(super) fn new(meter: Box<dyn Meter>, headline: Vec<DomainId>, notes: Vec<String>) -> Self {
        let parts = vec![Part::of(meter.as_ref()); meter.channels().len()];
        Self { meter, headline, parts, notes, unmeasured: Vec::new(), monitor: None }
    }

    /// Validates a custom meter. The headline is those of its domains that no other domain contains.
    ///
    /// # Errors
    /// [`OpenError::SameDomain`] if it lists a domain twice; [`OpenError::Failed`] if a channel or a parent refers to a
    /// domain that it does not list, or a headline domain has neither an energy counter nor a power gauge.
    pub fn custom(meter: Box<dyn Meter>) -> Result<Self, OpenError> {
        validate(meter.as_ref())?;
        let headline = non_overlapping(meter.domains());
        Ok(Self::new(meter, headline, Vec::new()))
    }
}

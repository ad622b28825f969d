//! The results of `cargo lem doctor`. `--json` prints them as they are.

use serde::Serialize;

use crate::model::{Domain, DomainId, Fact, MeterProbe, Origin};

/// All results.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Diagnosis {
    /// Version of this library.
    pub(super) lem_bench: String,
    /// Every kind of meter, in the order of preference of `--meter auto`.
    pub(super) meters: Vec<MeterState>,
    /// The meter that `--meter auto` uses.
    pub(super) auto: Auto,
    /// Why no sensor was probed; `None` if they were.
    pub(super) not_probed: Option<String>,
    /// Facts about the machine.
    pub(super) environment: Vec<Fact>,
}

/// One kind of meter.
#[derive(Debug, Clone, Serialize)]
pub(super) struct MeterState {
    /// Its value of `--meter`.
    pub(super) name: String,
    /// Whether it can be read.
    pub(super) ready: bool,
    /// Why it cannot be read.
    pub(super) why: Option<String>,
    /// What the user can do about it.
    pub(super) remedy: Option<String>,
    /// The domains that it measures.
    pub(super) domains: Vec<Domain>,
    /// The domains whose sum is the headline energy.
    pub(super) headline: Vec<DomainId>,
    /// Notes of the meter about itself.
    pub(super) notes: Vec<String>,
    /// Facts about its devices.
    pub(super) facts: Vec<Fact>,
    /// Results of the probe of its sensors.
    pub(super) probe: Option<MeterProbe>,
    /// Its noise at rest; `None` for an estimate, and if the power could not be measured.
    pub(super) at_rest: Option<AtRest>,
    /// Other processes with a context on its devices.
    pub(super) users: Vec<String>,
}

/// A meter's noise at rest.
#[derive(Debug, Clone, Serialize)]
pub(super) struct AtRest {
    /// Mean power of the headline domains, in W.
    pub(super) mean_w: f64,
    /// Standard deviation of the mean powers of the blocks, in W.
    pub(super) sd_w: f64,
    /// Number of blocks.
    pub(super) blocks: usize,
    /// Length of a block, in seconds.
    pub(super) block_s: f64,
    /// The smallest detectable changes for some lengths of a measurement.
    pub(super) resolvable: Vec<Resolvable>,
}

/// The smallest change of mean power that two measurements can distinguish from the noise at rest.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Resolvable {
    /// The length of each measurement, in seconds.
    pub(super) seconds: f64,
    /// The change, in W.
    pub(super) watts: f64,
    /// The change, in percent of the power at rest; `None` if that is 0.
    pub(super) percent_of_rest: Option<f64>,
}

/// The meter that `--meter auto` uses.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Auto {
    /// The meter; `None` if a wrong setting prevents the choice.
    pub(super) meter: Option<String>,
    /// Whether it measures or estimates.
    pub(super) origin: Option<Origin>,
    /// The domains whose sum is the headline energy.
    pub(super) headline: Vec<DomainId>,
    /// Why none was chosen.
    pub(super) why: Option<String>,
}

//! What the doctor found. Plain data; also what `--json` shows.

use serde::Serialize;

use crate::model::{Domain, DomainId, Fact, MeterProbe, Origin};

/// All of it.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Diagnosis {
    /// Version of this library.
    pub(super) lem_bench: String,
    /// Every kind of meter, in the order in which `--meter auto` prefers them.
    pub(super) meters: Vec<MeterState>,
    /// What `--meter auto` takes.
    pub(super) auto: Auto,
    /// Why no sensor was probed, if none was.
    pub(super) not_probed: Option<String>,
    /// The machine.
    pub(super) environment: Vec<Fact>,
}

/// One kind of meter.
#[derive(Debug, Clone, Serialize)]
pub(super) struct MeterState {
    /// The name by which `--meter` chooses it.
    pub(super) name: String,
    /// Whether it can be read.
    pub(super) ready: bool,
    /// Why not.
    pub(super) why: Option<String>,
    /// What can be done about it.
    pub(super) remedy: Option<String>,
    /// What it tells about.
    pub(super) domains: Vec<Domain>,
    /// The domains whose sum is the headline energy.
    pub(super) headline: Vec<DomainId>,
    /// What it says about itself.
    pub(super) notes: Vec<String>,
    /// What its devices say about themselves.
    pub(super) facts: Vec<Fact>,
    /// What its sensors were seen to do.
    pub(super) probe: Option<MeterProbe>,
    /// Its noise while nothing was asked of the machine; `None` for an estimate, which has no rest, and where it could
    /// not be watched.
    pub(super) at_rest: Option<AtRest>,
    /// Processes that hold a context on its devices, this one left out.
    pub(super) users: Vec<String>,
}

/// A meter's noise at rest.
#[derive(Debug, Clone, Serialize)]
pub(super) struct AtRest {
    /// Mean power of the headline domains, in W.
    pub(super) mean_w: f64,
    /// Standard deviation of the blocks' mean powers, in W.
    pub(super) sd_w: f64,
    /// Blocks.
    pub(super) blocks: usize,
    /// Seconds of each.
    pub(super) block_s: f64,
    /// The smallest change that measurements of some lengths could tell from this noise.
    pub(super) resolvable: Vec<Resolvable>,
}

/// The smallest change of mean power that two measurements of a length could tell from the noise at rest.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Resolvable {
    /// The length of each of the two, in seconds.
    pub(super) seconds: f64,
    /// The change, in W.
    pub(super) watts: f64,
    /// The change, in percent of the power at rest; `None` where that is zero.
    pub(super) percent_of_rest: Option<f64>,
}

/// What `--meter auto` takes.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Auto {
    /// The meter; `None` where a wrong setting keeps it from being chosen.
    pub(super) meter: Option<String>,
    /// Whether it measures.
    pub(super) origin: Option<Origin>,
    /// The domains whose sum is the headline energy.
    pub(super) headline: Vec<DomainId>,
    /// Why none is taken.
    pub(super) why: Option<String>,
}

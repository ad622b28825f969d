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

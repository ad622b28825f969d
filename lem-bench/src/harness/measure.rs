//! Bench mode.

use super::exit::{Exit, Stop};
use super::run::{Call, Chosen};

pub(super) fn run(_call: &Call, _chosen: Chosen) -> Result<Exit, Stop> {
    Err(Stop::machine("measuring is not wired up yet"))
}

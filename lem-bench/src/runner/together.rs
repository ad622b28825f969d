//! What the processes of a run say to each other while they measure one bench side by side.
//!
//! Must not know how it gets from one to the other.

use serde::{Deserialize, Serialize};

use crate::units::Stamp;

/// What one process says when it meets the others.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RankMessage {
    /// Its machine. Stamps of processes on one machine can be laid side by side.
    pub host: String,
    /// Its clock when it came.
    pub now: Stamp,
    /// The windows of the cycle that has just ended.
    pub windows: Vec<(Stamp, Stamp)>,
    /// Joules of the cycle that this process has measured, 0 where that is others' to do; `None` when they can't be had.
    pub joules: Option<f64>,
    /// Work of the cycle, in the units of the headline metric.
    pub work: u64,
    /// There are enough cycles; the word of rank 0 counts.
    pub done: bool,
}

/// The other processes of the run. All meet in the same places of each bench.
pub trait RankBarrier: Send + Sync {
    /// This process' rank, from 0.
    fn rank(&self) -> u32;

    /// The next bench begins.
    fn begin(&self);

    /// Says `word` at the place where this process stands, once, and looks who has come there. What each has said, by
    /// rank, once all have: from then on it stands at the next place. `None` while some are awaited.
    ///
    /// # Errors
    /// One of them will not come any more, and why.
    fn come(&self, word: &RankMessage) -> Result<Option<Vec<RankMessage>>, String>;

    /// Says that this process comes to no further place of this bench.
    fn leave(&self, why: &str);
}

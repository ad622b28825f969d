//! The messages that ranks exchange while they measure the same bench, and the barrier that carries them.

use serde::{Deserialize, Serialize};

use crate::units::Stamp;

/// What a rank posts at a barrier.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RankMessage {
    /// The rank's machine. Stamps of processes on one machine are comparable.
    pub host: String,
    /// The rank's clock when it arrived.
    pub now: Stamp,
    /// The windows of the cycle that has just ended.
    pub windows: Vec<(Stamp, Stamp)>,
    /// Energy of the cycle that this rank measured, in joules; 0 when another rank measures it, `None` when it is not
    /// available.
    pub joules: Option<f64>,
    /// Work of the cycle, in the unit of the headline metric.
    pub work: u64,
    /// Whether there are enough cycles; only the value of rank 0 counts.
    pub done: bool,
}

/// The barriers between the ranks of a run. Each rank passes the same barriers of each bench in the same order.
pub trait RankBarrier: Send + Sync {
    /// This process' rank, from 0.
    fn rank(&self) -> u32;

    /// Starts the next bench.
    fn start_bench(&self);

    /// Posts `message` at the current barrier, once, and returns the messages of all ranks, by rank, when all have
    /// arrived; the next call is for the next barrier. `None` while ranks are missing.
    ///
    /// # Errors
    /// A rank will not arrive, and the reason.
    fn post(&self, message: &RankMessage) -> Result<Option<Vec<RankMessage>>, String>;

    /// Withdraws this rank from the bench: it arrives at no further barrier of it.
    fn abort(&self, reason: &str);
}

//! This process as one of the ranks that measure a bench: waits at barriers and combines the ranks' results.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::event::Interrupt;
use crate::clock::Clock;
use crate::model::WorkCounts;
use crate::protocol::{CycleTotals, Schedule};
use crate::units::Stamp;

/// Time between two polls of the barrier.
const POLL_INTERVAL: Duration = Duration::from_millis(2);

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

/// The other ranks of the run. Without a barrier this process is the only one, and nothing here waits.
pub(super) struct Ranks {
    barrier: Option<Arc<dyn RankBarrier>>,
    clock: Arc<dyn Clock>,
    interrupt: Interrupt,
    /// Why this rank no longer waits for the others in the current bench.
    error: Option<String>,
    /// Last look at the barrier before a window.
    last_poll: Stamp,
}

impl Ranks {
    pub fn new(barrier: Option<Arc<dyn RankBarrier>>, clock: Arc<dyn Clock>, interrupt: Interrupt) -> Self {
        Self { barrier, clock, interrupt, error: None, last_poll: Stamp::default() }
    }

    /// Starts the next bench on all ranks.
    pub fn start_bench(&mut self) {
        (self.error, self.last_poll) = (None, Stamp::default());
        if let Some(barrier) = &self.barrier {
            barrier.start_bench();
        }
    }

    /// This process' rank; `None` when it is the only process.
    pub fn rank(&self) -> Option<u32> {
        self.barrier.as_ref().map(|barrier| barrier.rank())
    }

    /// Why a rank will not arrive at the barriers of this bench any more.
    pub fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }

    /// Posts `message` and returns the messages of all ranks, by rank: none when this process is alone or another rank
    /// has failed, `None` while ranks are missing.
    fn poll(&mut self, message: &RankMessage) -> Option<Vec<RankMessage>> {
        let Some(barrier) = self.barrier.as_ref().filter(|_| self.error.is_none()) else { return Some(Vec::new()) };
        barrier.post(message).unwrap_or_else(|error| {
            self.error = Some(error);
            Some(Vec::new())
        })
    }

    /// Waits until all ranks have arrived. Returns their messages, by rank: none when this process is alone, was
    /// interrupted, or another rank has failed.
    pub fn barrier_wait(&mut self, message: RankMessage) -> Vec<RankMessage> {
        let message = RankMessage { now: self.clock.now(), ..message };
        loop {
            match self.poll(&message) {
                None if self.interrupt.is_requested() => return Vec::new(),
                None => std::thread::sleep(POLL_INTERVAL),
                Some(messages) => {
                    // Each simulated machine has its own clock: set all to the latest.
                    let latest = messages.iter().map(|message| message.now).max();
                    if let Some(latest) = latest.filter(|_| self.clock.is_virtual()) {
                        self.interrupt.sleep_until(&*self.clock, latest);
                    }
                    return messages;
                }
            }
        }
    }

    /// Waits until all ranks have arrived, without a message.
    pub fn synchronize(&mut self) {
        drop(self.barrier_wait(RankMessage::default()));
    }

    /// Whether all ranks have reached the start of the window. Until they have, requests continue, so that the device
    /// stays under load.
    pub fn is_everyone_ready(&mut self) -> bool {
        if self.clock.is_virtual() || self.barrier.is_none() {
            self.synchronize();
            return true;
        }
        let now = self.clock.now();
        if now.since(self.last_poll) < POLL_INTERVAL {
            return false;
        }
        self.last_poll = now;
        self.poll(&RankMessage { now, ..RankMessage::default() }).is_some()
    }

    /// The totals of a cycle over all ranks; this rank's own when it is alone.
    pub fn join_totals(&mut self, own: CycleTotals) -> CycleTotals {
        let message = RankMessage { joules: own.joules, work: own.work, ..RankMessage::default() };
        let messages = self.barrier_wait(message);
        let totals = messages.iter().map(|message| CycleTotals { joules: message.joules, work: message.work });
        if messages.is_empty() { own } else { CycleTotals::sum(totals) }
    }

    /// Whether there are enough cycles, as rank 0 decides.
    pub fn has_enough_cycles(&mut self, own: bool) -> bool {
        let messages = self.barrier_wait(RankMessage { done: own, ..RankMessage::default() });
        messages.first().map_or(own, |leader| leader.done)
    }

    /// Withdraws this rank from the bench, unless another one did so first.
    pub fn abort(&mut self, reason: &str) {
        if let Some(barrier) = self.barrier.as_ref().filter(|_| self.error.is_none()) {
            barrier.abort(reason);
        }
    }
}

/// The schedule of a rank. With a target precision only rank 0 searches, with the totals of all ranks; the others
/// continue until it has enough cycles.
pub(super) fn rank_schedule(schedule: &Schedule, rank: Option<u32>) -> Schedule {
    match rank {
        None | Some(0) => *schedule,
        Some(_) => Schedule { cycles: schedule.max_cycles(), precision: None, ..*schedule },
    }
}

/// Extends each window to the first start and the last stop among the ranks of this machine, because energy within that
/// time cannot be attributed to one rank.
pub(super) fn merge_windows(rank: Option<u32>, messages: &[RankMessage], windows: &mut [(Stamp, Stamp, WorkCounts)]) {
    let Some(host) = rank.and_then(|rank| messages.get(rank as usize)).map(|own| &own.host) else { return };
    for message in messages.iter().filter(|message| message.host == *host) {
        for ((start, stop, _), other) in windows.iter_mut().zip(&message.windows) {
            *start = other.0.min(*start);
            *stop = other.1.max(*stop);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merges_windows_of_one_machine() {
        let message =
            |host: &str, window| RankMessage { host: host.to_owned(), windows: vec![window], ..RankMessage::default() };
        let messages = [
            message("a", (Stamp(10), Stamp(20))),
            message("a", (Stamp(8), Stamp(19))),
            message("b", (Stamp(1), Stamp(99))),
        ];
        let mut windows = [(Stamp(10), Stamp(20), WorkCounts::default())];
        merge_windows(Some(0), &messages, &mut windows);
        assert_eq!((windows[0].0, windows[0].1), (Stamp(8), Stamp(20)));
        merge_windows(None, &[], &mut windows);
        assert_eq!((windows[0].0, windows[0].1), (Stamp(8), Stamp(20)));
    }
}

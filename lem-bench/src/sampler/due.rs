//! When a counter is read: around edges, for the trace where it draws it, and often enough that nothing is missed.
//!
//! Must not know what it says.

use std::time::Duration;

use super::edge::SLOW;
use super::readings::CounterTrack;
use crate::units::Stamp;

/// The longest time between two reads of a counter that does not wrap.
const KEEP_ALIVE: Duration = Duration::from_secs(5);

/// Why counters are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reads {
    /// An edge is near.
    All,
    /// So many ticks after this edge are awaited: a counter that has shown them has no more to say about it, and a read
    /// of it may cost milliseconds.
    Ticks(Stamp, usize),
    /// A point of the trace is due.
    Trace,
}

/// Whether a counter is read now. Between edges those that do not draw the trace are read only so often that no wrap
/// or reset is missed.
pub(super) fn is_due(track: &CounterTrack, reads: Reads, now: Stamp) -> bool {
    let Some(last) = track.samples.last() else { return true };
    let passed = now.since(last.at);
    match reads {
        Reads::All => true,
        Reads::Ticks(edge, ticks) => !track.has_ticked(edge, ticks),
        Reads::Trace => passed >= track.least_gap && (track.traced || passed >= patience(track)),
    }
}

/// The longest time between two reads of a counter.
pub(super) fn patience(track: &CounterTrack) -> Duration {
    let period = track.period.unwrap_or(SLOW).as_secs_f64();
    track.unwrapper.patience_s(period).map_or(KEEP_ALIVE, |s| KEEP_ALIVE.min(Duration::from_secs_f64(s)))
}

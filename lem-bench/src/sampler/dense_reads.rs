//! What reading a counter densely does to it.
//!
//! Some counters lie when they are read often (an RTX 4090's lost three quarters of its energy under reads every 10 ms,
//! 13 % under reads every 100 ms: Dauner et al., HotCarbon 2026), and on some cards the reads themselves cost power (4 W
//! of an H200's 78 W at rest, read every millisecond). So a counter is left alone for a while between two stretches of
//! dense reads, and its mean power under each, from tick to tick, is compared.

use std::time::Duration;

use super::probe::SPACING;
use super::watch::{Change, Watch};
use crate::clock::Clock;
use crate::meter::Meter;
use crate::model::{ChannelProbe, DenseReads};
use crate::stats;
use crate::units::Stamp;

/// Between two reads, as shares of the period, from dense to sparse: one of them is what a sampler may use.
const SHARES: [f64; 3] = [0.05, 0.25, 1.05];

/// Where even reads a period apart change the figure, this many periods apart are taken to be harmless.
const ALONE: f64 = 10.0;

/// Counters that are tried out side by side, and what they are read with.
pub(super) struct DenseReadTest<'a> {
    pub(super) counters: Vec<DenseReadResult<'a>>,
    pub(super) meter: &'a mut dyn Meter,
    pub(super) clock: &'a dyn Clock,
}

/// A counter on trial.
pub(super) struct DenseReadResult<'a> {
    pub(super) watch: &'a mut Watch,
    pub(super) period: Duration,
    pub(super) found: &'a mut ChannelProbe,
}

/// What one counter did in one stretch, from tick to tick.
#[derive(Debug, Default)]
struct Stretch {
    from: Option<Stamp>,
    last: Option<Stamp>,
    joules: f64,
    /// The mean power between each two changes.
    periods: Vec<f64>,
    ended: bool,
}

impl Stretch {
    fn take(&mut self, change: Change) {
        if let Some(last) = self.last {
            self.joules += change.step;
            self.periods.push(change.step / change.at.seconds_from(last).max(1e-9));
        }
        self.from.get_or_insert(change.at);
        self.last = Some(change.at);
    }

    /// `None` when it did not tick at both ends.
    fn watts(&self) -> Option<f64> {
        let seconds = self.last?.seconds_from(self.from?);
        (self.ended && seconds > 0.0).then(|| self.joules / seconds)
    }
}

/// Compares dense reads with none over about `time`, and writes down for each counter what was found, and the least
/// harmless time between two reads where dense ones are not harmless.
pub(super) fn try_out(mut trial: DenseReadTest<'_>, time: Duration) {
    // Dense reads, none, dense reads: a power that drifts all the way does not look like a difference.
    let before = trial.stretch(|_| SPACING, time / 4);
    let alone = trial.stretch(|_| time / 2, time / 2);
    let after = trial.stretch(|_| SPACING, time / 4);
    for (((tried, before), alone), after) in trial.counters.iter_mut().zip(&before).zip(&alone).zip(&after) {
        tried.found.dense_reads = compared(before, alone, after);
    }
    trial.counters.retain(|tried| tried.found.dense_reads.is_some_and(|found| found.disturb()));
    for share in SHARES {
        if trial.counters.is_empty() {
            return;
        }
        let stretches = trial.stretch(|tried| tried.period.mul_f64(share), time / 2);
        for (tried, stretch) in trial.counters.iter_mut().zip(&stretches) {
            let harmless = tried.found.dense_reads.zip(stretch.watts());
            if harmless.is_some_and(|(found, dense_w)| !DenseReads { dense_w, ..found }.disturb()) {
                tried.found.safe_interval_s = Some(share * tried.period.as_secs_f64());
            }
        }
        trial.counters.retain(|tried| tried.found.safe_interval_s.is_none());
    }
    for tried in trial.counters {
        tried.found.safe_interval_s = Some(ALONE * tried.period.as_secs_f64());
    }
}

fn compared(before: &Stretch, alone: &Stretch, after: &Stretch) -> Option<DenseReads> {
    let dense_w = f64::midpoint(before.watts()?, after.watts()?);
    let spread: Vec<f64> = before.periods.iter().chain(&after.periods).copied().collect();
    let half = stats::mean_ci(&spread, 0.99).map_or(f64::INFINITY, |ci| (ci.high - ci.low) / 2.0);
    // The quiet stretch is about as long as the two others together, so its mean scatters as theirs does.
    let noise_w = half * std::f64::consts::SQRT_2;
    Some(DenseReads { interval_s: SPACING.as_secs_f64(), dense_w, sparse_w: alone.watts()?, noise_w })
}

impl DenseReadTest<'_> {
    /// Reads each counter every `spacing` for at least `time`, from a tick of each to another.
    fn stretch(&mut self, spacing: impl Fn(&DenseReadResult<'_>) -> Duration, time: Duration) -> Vec<Stretch> {
        let Self { counters, meter, clock } = self;
        let mut stretches: Vec<Stretch> = counters.iter().map(|_| Stretch::default()).collect();
        let slowest = counters.iter().map(|tried| tried.period).max().unwrap_or_default();
        // What happened since the last read belongs to no stretch.
        for tried in counters.iter_mut() {
            tried.watch.look(*meter, *clock);
        }
        let give_up = clock.now() + slowest * 5;
        while stretches.iter().any(|stretch| stretch.from.is_none()) && clock.now() < give_up {
            clock.sleep(SPACING);
            for (tried, stretch) in counters.iter_mut().zip(&mut stretches).filter(|(_, s)| s.from.is_none()) {
                tried.watch.look(*meter, *clock).into_iter().for_each(|change| stretch.take(change));
            }
        }
        let start = clock.now();
        let until = start + time.max(slowest * 3);
        let mut due: Vec<Stamp> = counters.iter().map(|tried| start + spacing(tried)).collect();
        while let Some(next) = due.iter().copied().min().filter(|next| *next < until) {
            clock.sleep_until(next);
            for ((tried, stretch), due) in counters.iter_mut().zip(&mut stretches).zip(&mut due) {
                if *due <= next {
                    tried.watch.look(*meter, *clock).into_iter().for_each(|change| stretch.take(change));
                    *due = clock.now() + spacing(tried);
                }
            }
        }
        clock.sleep_until(until);
        for (tried, stretch) in counters.iter_mut().zip(&mut stretches) {
            tried.watch.look(*meter, *clock).into_iter().for_each(|change| stretch.take(change));
        }
        let give_up = clock.now() + slowest * 5;
        while stretches.iter().any(|stretch| !stretch.ended) && clock.now() < give_up {
            clock.sleep(SPACING);
            for (tried, stretch) in counters.iter_mut().zip(&mut stretches).filter(|(_, s)| !s.ended) {
                if let Some(change) = tried.watch.look(*meter, *clock) {
                    stretch.take(change);
                    stretch.ended = true;
                }
            }
        }
        stretches
    }
}

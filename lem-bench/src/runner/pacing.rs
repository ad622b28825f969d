//! How many iterations a step has, and what is known about the speed of a body.

use std::time::Duration;

use crate::bench::{InputChoice, Iteration, Run};
use crate::protocol::Schedule;
use crate::units::Stamp;

/// About how long a body runs iterations before it asks for the next step. A longer iteration is a step of its own.
const STEP_TIME: Duration = Duration::from_micros(100);

/// Iterations from this length on are timed: the clock then takes less than a hundredth of the time. The mean over the
/// warm-up decides once for a bench, so that the times are of all iterations and not of the slow ones.
const MIN_TIMED: Duration = Duration::from_micros(5);

/// How often concurrent requests ask for the next step, where no edge is expected.
const WAKE_INTERVAL: Duration = Duration::from_millis(50);

/// The speed of a body.
#[derive(Debug, Default)]
pub(super) struct Pacing {
    /// Mean time of an iteration of the last step; `None` before the first.
    time_per_iteration: Option<Duration>,
    /// Number of iterations of the last step.
    last_count: u32,
    /// Time and number of iterations of the warm-up.
    warm_up: (Duration, u64),
    is_timed: bool,
    /// End of the last step or request.
    last_stop: Stamp,
    /// End of the first request.
    first_stop: Option<Stamp>,
    /// The longest time of a request during which another one ended. The first ones, which may take longer than all
    /// others, don't count.
    longest_concurrent: Duration,
}

impl Pacing {
    /// Takes the result of a step. Returns the time that it adds to those before: concurrent requests share their time.
    pub fn add(&mut self, iteration: &Iteration<'_>) -> Duration {
        let (start, count) = (iteration.start, iteration.done + iteration.failed);
        let first_stop = *self.first_stop.get_or_insert(iteration.stop);
        if start < self.last_stop && start >= first_stop {
            self.longest_concurrent = self.longest_concurrent.max(iteration.stop.since(start));
        }
        let time = iteration.stop.since(start.max(self.last_stop));
        self.last_stop = self.last_stop.max(iteration.stop);
        self.time_per_iteration = Some(time / count.max(1));
        self.last_count = count;
        if !self.is_timed {
            self.warm_up = (self.warm_up.0 + time, self.warm_up.1 + u64::from(count));
        }
        time
    }

    /// The warm-up has ended.
    pub fn warmed_up(&mut self) {
        let (time, count) = self.warm_up;
        self.is_timed = time.as_nanos() >= MIN_TIMED.as_nanos() * u128::from(count.max(1));
    }

    /// Whether requests overlapped.
    pub fn is_concurrent(&self) -> bool {
        !self.longest_concurrent.is_zero()
    }

    /// The longest time of a concurrent request: after it, the first of those that started together have ended. Zero for a
    /// body without concurrent requests.
    pub fn longest_concurrent(&self) -> Duration {
        self.longest_concurrent
    }

    /// Plans a step.
    pub fn step(&self, choice: InputChoice, is_timed: bool, now: Stamp, edge_from: Option<Stamp>) -> Run {
        let time = self.time_per_iteration.unwrap_or(STEP_TIME);
        let planned = STEP_TIME.as_nanos() / time.as_nanos().max(1);
        // At most twice as many as in the last step, since a single iteration may have ended at once by chance.
        let repeat = planned.clamp(1, u128::from(2 * self.last_count.max(1))).min(1_000_000) as u32;
        // An edge that is late waits for the end of a request.
        let wake = Some(edge_from.filter(|at| *at > now).unwrap_or(now + WAKE_INTERVAL));
        Run { is_timed: is_timed && self.is_timed, wake, ..Run::new(choice, repeat) }
    }

    /// Returns the number of iterations from the start of a ramp-in to the end of its cycle.
    pub fn iterations_per_cycle(&self, schedule: &Schedule) -> u32 {
        let Some(time) = self.time_per_iteration else { return 0 };
        let load = schedule.ramp_in + (schedule.window + schedule.phase) * schedule.windows + schedule.ramp_out;
        let iterations = load.as_nanos() / time.as_nanos().max(1);
        let needed = u128::from(schedule.window_iterations) * u128::from(schedule.windows);
        u32::try_from(iterations.max(needed)).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::Tally;

    fn add(pacing: &mut Pacing, start: u64, stop: u64, done: u32) -> Duration {
        let tally = Tally::default();
        pacing.add(&Iteration {
            start: Stamp(start),
            is_arrival: false,
            dropped: 0,
            stop: Stamp(stop),
            done,
            failed: 0,
            failure: None,
            times_ns: &[],
            prepared: Duration::ZERO,
            tally: &tally,
            marks: &[],
            phases: &[],
            metrics: &[],
        })
    }

    fn repeat(pacing: &Pacing) -> u32 {
        pacing.step(InputChoice::Next, true, Stamp(0), None).repeat
    }

    #[test]
    fn one_instant_call_doubles_the_step_at_most() {
        let mut pacing = Pacing::default();
        assert_eq!(repeat(&pacing), 1);
        add(&mut pacing, 0, 5_000_000, 1);
        assert_eq!(repeat(&pacing), 1);
        add(&mut pacing, 5_000_000, 5_000_010, 1);
        assert_eq!(repeat(&pacing), 2);
        add(&mut pacing, 5_000_010, 15_000_010, 2);
        assert_eq!(repeat(&pacing), 1);
    }

    #[test]
    fn steps_of_fast_calls_grow_to_their_time() {
        let mut pacing = Pacing::default();
        let mut now = 0;
        for _ in 0..30 {
            let count = repeat(&pacing);
            add(&mut pacing, now, now + 10 * u64::from(count), count);
            now += 10 * u64::from(count);
        }
        assert_eq!(repeat(&pacing), 10_000);
    }

    #[test]
    fn mean_of_the_warm_up_decides_about_times() {
        let timed = |times: [u64; 4]| {
            let mut pacing = Pacing::default();
            let mut now = 0;
            for time in times {
                add(&mut pacing, now, now + time, 1);
                now += time;
            }
            pacing.warmed_up();
            pacing.step(InputChoice::Next, true, Stamp(0), None).is_timed
        };
        assert!(timed([30_000, 30_000, 30_000, 60_000]));
        assert!(!timed([1_000, 1_000, 1_000, 10_000]), "the mean is 3.25 µs");
    }

    #[test]
    fn concurrent_requests_share_their_time() {
        let mut pacing = Pacing::default();
        let times = [(0, 100), (0, 130), (100, 180), (130, 190)];
        let shared = times.map(|(start, stop)| add(&mut pacing, start, stop, 1).as_nanos());
        assert_eq!(shared, [100, 30, 50, 10]);
        assert_eq!(pacing.longest_concurrent(), Duration::from_nanos(80), "the first two started before one had ended");
    }
}

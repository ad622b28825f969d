//! The time plan: how long each bench and the whole run will take, computed before the measurement.

use std::time::Duration;

use crate::protocol::Schedule;

/// One bench of a plan.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedBench {
    /// Its id.
    pub id: String,
    /// How it is measured.
    pub schedule: Schedule,
    /// Number of processes that measure it at the same time.
    pub processes: u32,
}

/// The plan of a run. The time of user code before `iter…` is not included, because it is not known.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TimePlan {
    benches: Vec<PlannedBench>,
}

impl TimePlan {
    /// Creates the plan of these benches, in this order.
    pub fn new(benches: Vec<PlannedBench>) -> Self {
        Self { benches }
    }

    /// Returns the benches, in the order of the run.
    pub fn benches(&self) -> &[PlannedBench] {
        &self.benches
    }

    /// Returns the time of the bare idle measurement before the set-up of the first bench, which is as long as the idle
    /// blocks of that bench.
    pub fn bare_idle(&self) -> Duration {
        let idle_time = |bench: &PlannedBench| {
            let schedule = &bench.schedule;
            if schedule.idle_blocks == 0 {
                Duration::ZERO
            } else {
                schedule.idle_block * schedule.idle_blocks + schedule.guard * 2
            }
        };
        self.benches.first().map(idle_time).unwrap_or_default()
    }

    /// Returns the expected time of the whole run, with the shortest warm-ups and the minimum number of cycles.
    pub fn total(&self) -> Duration {
        self.bare_idle() + self.remaining_after(0)
    }

    /// Returns the expected time with the maximum number of cycles.
    pub fn max_total(&self) -> Duration {
        self.bare_idle() + self.benches.iter().map(|bench| bench.schedule.expected_max()).sum::<Duration>()
    }

    /// Returns the expected time of the remaining benches after the first `done` ones.
    pub fn remaining_after(&self, done: usize) -> Duration {
        self.benches.iter().skip(done).map(|bench| bench.schedule.expected()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ChannelProbe, DomainId, MeterProbe, Origin};
    use crate::protocol::{Overrides, Profile};

    fn schedule(origin: Origin) -> Schedule {
        let domain = DomainId::new("gpu:0");
        let channel = ChannelProbe {
            domain: domain.clone(),
            counter: true,
            update_period_s: Some(0.1),
            quantum: None,
            read_cost_s: 0.0,
            updates: 20,
            averaging_s: None,
            dense_reads: None,
            safe_interval_s: None,
        };
        let probe = MeterProbe { meter: "m".to_owned(), origin, channels: vec![channel], temperature: true };
        Schedule::plan(Profile::Default, &probe, &[domain], &Overrides::default())
    }

    #[test]
    fn total_includes_bare_idle() {
        let schedule = schedule(Origin::Measured);
        let bench = |id: &str| PlannedBench { id: id.to_owned(), schedule, processes: 1 };
        let plan = TimePlan::new(vec![bench("a"), bench("b"), bench("c")]);
        assert!(plan.bare_idle() >= schedule.idle_block * 5 && plan.bare_idle() < schedule.idle_block * 6);
        assert_eq!(plan.total(), plan.bare_idle() + schedule.expected() * 3);
        assert_eq!(plan.remaining_after(2), schedule.expected());
        assert_eq!(plan.remaining_after(9), Duration::ZERO);
    }

    #[test]
    fn estimate_has_no_bare_idle() {
        let bench = PlannedBench { id: "a".to_owned(), schedule: schedule(Origin::Estimated), processes: 1 };
        assert_eq!(TimePlan::new(vec![bench]).bare_idle(), Duration::ZERO);
        assert_eq!(TimePlan::default().total(), Duration::ZERO);
    }
}

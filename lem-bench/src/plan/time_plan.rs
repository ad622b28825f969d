//! The time plan: how long each bench and the whole run will take, known before anything is measured.

use std::time::Duration;

use crate::protocol::Schedule;

/// One bench of a plan.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedBench {
    /// Its id.
    pub id: String,
    /// How it is measured.
    pub schedule: Schedule,
    /// By how many processes side by side.
    pub processes: u32,
}

/// The plan of a run. What user code does before its `iter…` is not in it: nobody can know it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TimePlan {
    benches: Vec<PlannedBench>,
}

impl TimePlan {
    /// The plan of these benches, in this order.
    pub fn new(benches: Vec<PlannedBench>) -> Self {
        Self { benches }
    }

    /// The benches, in the order in which they are run.
    pub fn benches(&self) -> &[PlannedBench] {
        &self.benches
    }

    /// The bare idle that is measured once, before the first bench sets anything up: as long as the first bench's
    /// idle blocks.
    pub fn bare_idle(&self) -> Duration {
        let blocks = |bench: &PlannedBench| {
            let schedule = &bench.schedule;
            if schedule.idle_blocks == 0 {
                Duration::ZERO
            } else {
                schedule.idle_block * schedule.idle_blocks + schedule.guard * 2
            }
        };
        self.benches.first().map(blocks).unwrap_or_default()
    }

    /// The time that the whole run is expected to take, with every warm-up at its floor and as few cycles as each bench
    /// may have.
    pub fn total(&self) -> Duration {
        self.bare_idle() + self.left_after(0)
    }

    /// The same with as many cycles as each bench may have.
    pub fn most(&self) -> Duration {
        self.bare_idle() + self.benches.iter().map(|bench| bench.schedule.longest()).sum::<Duration>()
    }

    /// The time that the benches from number `done` on are expected to take.
    pub fn left_after(&self, done: usize) -> Duration {
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
    fn the_whole_is_its_benches_and_one_bare_idle() {
        let schedule = schedule(Origin::Measured);
        let bench = |id: &str| PlannedBench { id: id.to_owned(), schedule, processes: 1 };
        let plan = TimePlan::new(vec![bench("a"), bench("b"), bench("c")]);
        assert!(plan.bare_idle() >= schedule.idle_block * 5 && plan.bare_idle() < schedule.idle_block * 6);
        assert_eq!(plan.total(), plan.bare_idle() + schedule.expected() * 3);
        assert_eq!(plan.left_after(2), schedule.expected());
        assert_eq!(plan.left_after(9), Duration::ZERO);
    }

    #[test]
    fn an_estimate_has_no_idle_and_an_empty_plan_no_time() {
        let bench = PlannedBench { id: "a".to_owned(), schedule: schedule(Origin::Estimated), processes: 1 };
        assert_eq!(TimePlan::new(vec![bench]).bare_idle(), Duration::ZERO);
        assert_eq!(TimePlan::default().total(), Duration::ZERO);
    }
}

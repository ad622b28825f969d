//! The plan of a run: which benches are measured, in which order and for how long, and which shard measures them.

use std::time::Duration;

use crate::model::id_hash;
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

/// Shard `number` of `count`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// Number of the shard, from 1.
    pub number: u32,
    /// Number of all shards.
    pub count: u32,
}

impl Shard {
    /// Parses `K/N` with 1 ≤ K ≤ N; returns `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let (number, count) = text.split_once('/')?;
        let shard = Self { number: number.trim().parse().ok()?, count: count.trim().parse().ok()? };
        (1..=shard.count).contains(&shard.number).then_some(shard)
    }

    /// Returns whether this shard measures the bench `id`. Depends only on the id and the number of shards, so adding
    /// or removing benches does not move others.
    pub fn contains(self, id: &str) -> bool {
        // FNV-1a mixes the first bytes of short ids poorly, so all bits are mixed by SplitMix64's finaliser before the
        // range is divided.
        let mut x = id_hash(id);
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^= x >> 31;
        (u128::from(x) * u128::from(self.count)) >> 64 == u128::from(self.number - 1)
    }
}

impl std::fmt::Display for Shard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.number, self.count)
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

    #[test]
    fn shards_partition_evenly() {
        for count in [1, 2, 4, 7] {
            let mut sizes = vec![0; count as usize];
            for n in 0..4000 {
                let id = format!("decode/batch={n}/dtype=bf16");
                let shards: Vec<u32> =
                    (1..=count).filter(|number| Shard { number: *number, count }.contains(&id)).collect();
                assert_eq!(shards.len(), 1, "{id}: {shards:?}");
                sizes[shards[0] as usize - 1] += 1;
            }
            let fair = 4000 / count as i64;
            // Five standard deviations of a binomial count.
            let spread = 5.0 * (4000.0 / f64::from(count)).sqrt();
            assert!(sizes.iter().all(|n: &i64| ((n - fair) as f64).abs() <= spread), "{sizes:?}");
        }
    }

    #[test]
    fn parses_valid_shards_only() {
        assert_eq!(Shard::parse("2/4"), Some(Shard { number: 2, count: 4 }));
        assert_eq!(Shard::parse("4/4").unwrap().to_string(), "4/4");
        for text in ["", "1", "0/4", "5/4", "1/0", "a/4", "1/-4", "1/4/2"] {
            assert_eq!(Shard::parse(text), None, "{text:?}");
        }
    }
}

//! The budget of samples: how many request times and phases of a bench are written.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::model::{BenchRecord, RequestLog, id_hash};

/// The default budget of a bench, in MiB.
pub const DEFAULT_SAMPLE_MIB: u32 = 32;

/// Bytes of a time, at most times where they are above four seconds.
const BYTES_PER_TIME: u64 = 4;

/// Bytes of a phase: start, length and name.
const BYTES_PER_PHASE: u64 = 12;

/// About the least number of requests of a cycle that are kept.
const MIN_REQUESTS: u64 = 8;

/// Bounds the samples of each bench. The journal holds exact sums of all.
#[derive(Debug)]
pub(super) struct SampleBudget {
    bytes: u64,
    /// The number of cycles that share the budget of a bench.
    cycles: BTreeMap<String, u64>,
}

impl SampleBudget {
    pub fn new(mib: u32) -> Self {
        Self { bytes: u64::from(mib) << 20, cycles: BTreeMap::new() }
    }

    pub fn set_mib(&mut self, mib: u32) {
        self.bytes = u64::from(mib) << 20;
    }

    /// Takes the planned cycles of a bench.
    pub fn begin(&mut self, bench: &BenchRecord) {
        let planned = bench.most_cycles().or(bench.cycles()).unwrap_or(1);
        self.cycles.insert(bench.id.clone(), u64::from(planned.max(1)));
    }

    /// Returns the samples to write of a cycle. Powers of two let all cycles of a bench be thinned alike later.
    pub fn apply<'a>(&self, bench: &str, cycle: u32, requests: &'a RequestLog) -> Cow<'a, RequestLog> {
        let share = (self.bytes / self.cycles.get(bench).copied().unwrap_or(1)).max(1);
        let bytes = requests.times() * BYTES_PER_TIME + requests.phases.len() as u64 * BYTES_PER_PHASE;
        let factor = bytes.div_ceil(share).next_power_of_two();
        if factor == 1 {
            return Cow::Borrowed(requests);
        }
        // Whole requests are dropped: of a few long ones, some are kept, whatever their size.
        let number = requests.latency_ns.len().max(requests.itl_count.len()) as u64;
        let of_requests = factor.min((number / MIN_REQUESTS).max(1).next_power_of_two());
        let seed = id_hash(bench) ^ u64::from(cycle);
        Cow::Owned(requests.thin(of_requests, seed).thin_phases(factor, seed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::PhaseSpan;
    use crate::units::Stamp;

    #[test]
    fn cycles_share_the_budget_of_their_bench() {
        let mut budget = SampleBudget::new(1);
        let mut bench = BenchRecord::new("fast", "m");
        bench.schedule.insert(BenchRecord::CYCLES.to_owned(), 4.0);
        budget.begin(&bench);
        let requests = |n: u64| RequestLog { latency_ns: (0..n).collect(), ..RequestLog::default() };
        // A quarter of a MiB: 65,536 times of four bytes.
        for (n, every) in [(10, 1), (65_536, 1), (65_537, 2), (1_000_000, 16)] {
            let written = requests(n);
            let written = budget.apply("fast", 0, &written);
            assert_eq!(written.every(), every, "{n}");
            assert!(written.latency_ns.len() <= 65_536, "{n}");
        }
        let (written, others) = (requests(1_000), requests(1_000));
        assert_eq!(budget.apply("unknown", 0, &written).latency_ns, others.latency_ns);
        let phase = |start| PhaseSpan { name: "decode".to_owned(), start: Stamp(start), stop: Stamp(start + 1) };
        let marked = RequestLog { phases: (0..50_000).map(phase).collect(), ..requests(4) };
        let written = budget.apply("fast", 0, &marked);
        assert_eq!((written.every(), written.times(), written.all_phases()), (1, 4, 50_000));
        assert!((12_500..=21_845).contains(&written.phases.len()), "{}", written.phases.len());
        let many = requests(200_000);
        assert_ne!(budget.apply("fast", 0, &many), budget.apply("fast", 1, &many), "each cycle draws anew");
    }
}

//! Thinning of request times and phases: keeps one of every few, with the exact sums of all.

use serde::{Deserialize, Serialize};

use super::{PhaseSpan, RequestLog};
use crate::units::Stamp;

/// The least number of phases of one name that are kept, where there are so many.
const MIN_PHASES: u64 = 8;

/// Sums over the times of all requests, also those that are not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeSums {
    /// The number of times.
    pub count: u64,
    /// Their sum, in ns.
    pub total_ns: u64,
    /// The shortest.
    pub min_ns: u64,
    /// The longest.
    pub max_ns: u64,
}

impl TimeSums {
    /// Sums over times in ns; `None` without any.
    pub fn of(times_ns: &[u64]) -> Option<Self> {
        Some(Self {
            count: times_ns.len() as u64,
            total_ns: times_ns.iter().fold(0, |sum, ns| sum.saturating_add(*ns)),
            min_ns: *times_ns.iter().min()?,
            max_ns: *times_ns.iter().max()?,
        })
    }

    /// Adds the sums over other times.
    pub fn add(&mut self, other: &Self) {
        self.count += other.count;
        self.total_ns = self.total_ns.saturating_add(other.total_ns);
        self.min_ns = self.min_ns.min(other.min_ns);
        self.max_ns = self.max_ns.max(other.max_ns);
    }
}

/// Sums over all phases of a cycle, also those that are not kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhaseTotals {
    /// The phases by name, in the order in which they were first marked.
    pub names: Vec<PhaseSums>,
    /// How much longer all of them are together than the time that they cover, in ns: the time in which several run.
    pub overlap_ns: u64,
}

/// Sums over the phases of one name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhaseSums {
    /// The name.
    pub name: String,
    /// The number of phases.
    pub count: u64,
    /// Their total length, in ns.
    pub total_ns: u64,
}

impl PhaseTotals {
    /// Sums over phases.
    pub fn of(phases: &[PhaseSpan]) -> Self {
        let mut names: Vec<PhaseSums> = Vec::new();
        let mut spans: Vec<(Stamp, Stamp)> = Vec::with_capacity(phases.len());
        for PhaseSpan { name, start, stop } in phases {
            let length = stop.since(*start).as_nanos() as u64;
            spans.push((*start, *stop));
            match names.iter_mut().find(|sums| sums.name == *name) {
                Some(sums) => {
                    sums.count += 1;
                    sums.total_ns = sums.total_ns.saturating_add(length);
                }
                None => names.push(PhaseSums { name: name.clone(), count: 1, total_ns: length }),
            }
        }
        Self { names, overlap_ns: overlap_ns(spans) }
    }
}

/// Returns the total length of spans minus the time that they cover, in ns.
pub fn overlap_ns(mut spans: Vec<(Stamp, Stamp)>) -> u64 {
    spans.sort_unstable();
    let (mut end, mut overlap) = (Stamp::default(), 0_u64);
    for (start, stop) in spans {
        overlap = overlap.saturating_add(stop.min(end).since(start).as_nanos() as u64);
        end = end.max(stop);
    }
    overlap
}

/// How the samples of a cycle were thinned, and what they were before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thinned {
    /// One request of so many is kept: a power of two, 1 where only phases were thinned.
    pub every: u64,
    /// Sums over all latencies.
    pub latency: Option<TimeSums>,
    /// Sums over all times to first token.
    pub ttft: Option<TimeSums>,
    /// Sums over all times between tokens.
    pub itl: Option<TimeSums>,
    /// Times per output token.
    #[serde(default)]
    pub tpot: Option<TimeSums>,
    /// Sums over all phases; `None` where all phases are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phases: Option<PhaseTotals>,
}

impl Thinned {
    /// What a log is that was not thinned.
    fn none(log: &RequestLog) -> Self {
        Self {
            every: 1,
            latency: TimeSums::of(&log.latency_ns),
            ttft: TimeSums::of(&log.ttft_ns),
            itl: TimeSums::of(&log.itl_ns),
            tpot: TimeSums::of(&log.tpot_ns),
            phases: None,
        }
    }

    /// Returns the number of times before.
    fn times(&self) -> u64 {
        let sums = [self.latency, self.ttft, self.itl, self.tpot];
        sums.into_iter().flatten().map(|sums| sums.count).sum()
    }
}

impl RequestLog {
    /// Returns how many requests each kept one represents.
    pub fn every(&self) -> u64 {
        self.thinned.as_ref().map_or(1, |thinned| thinned.every)
    }

    /// Returns whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.times() == 0 && self.phases.is_empty() && self.thinned.is_none()
    }

    /// Returns the number of its times.
    pub fn times(&self) -> u64 {
        let columns = [&self.latency_ns, &self.ttft_ns, &self.itl_ns, &self.tpot_ns];
        columns.into_iter().map(|column| column.len() as u64).sum()
    }

    /// Returns the number of its times with those that are not kept.
    pub fn all_times(&self) -> u64 {
        self.thinned.as_ref().map_or_else(|| self.times(), Thinned::times)
    }

    /// Returns the number of its phases with those that are not kept.
    pub fn all_phases(&self) -> u64 {
        let totals = self.thinned.as_ref().and_then(|thinned| thinned.phases.as_ref());
        totals.map_or(self.phases.len() as u64, |totals| totals.names.iter().map(|sums| sums.count).sum())
    }

    /// Keeps one request of each `factor` in a row, drawn at random, with all its times. So the kept ones are unbiased also
    /// where inputs repeat with a period. The phases are kept.
    #[must_use]
    pub fn thin(&self, factor: u64, seed: u64) -> Self {
        if factor <= 1 {
            return self.clone();
        }
        let before = self.thinned.clone().unwrap_or_else(|| Thinned::none(self));
        let keeps = |index: usize| is_drawn(index as u64, factor, seed);
        let (mut itl_ns, mut rest) = (Vec::new(), self.itl_ns.as_slice());
        for (index, count) in self.itl_count.iter().enumerate() {
            let (own, others) = rest.split_at((*count as usize).min(rest.len()));
            rest = others;
            if keeps(index) {
                itl_ns.extend_from_slice(own);
            }
        }
        Self {
            latency_ns: kept(&self.latency_ns, keeps),
            ttft_ns: kept(&self.ttft_ns, keeps),
            itl_ns,
            itl_count: kept(&self.itl_count, keeps),
            tpot_ns: kept(&self.tpot_ns, keeps),
            phases: self.phases.clone(),
            thinned: Some(Thinned { every: before.every.saturating_mul(factor), ..before }),
        }
    }

    /// Keeps one phase of each `factor` of the same name in a row, drawn at random, and of each name a few. The times are
    /// kept.
    #[must_use]
    pub fn thin_phases(mut self, factor: u64, seed: u64) -> Self {
        if factor <= 1 || self.phases.is_empty() {
            return self;
        }
        let mut thinned = self.thinned.take().unwrap_or_else(|| Thinned::none(&self));
        let totals = thinned.phases.get_or_insert_with(|| PhaseTotals::of(&self.phases));
        let mut numbers = vec![0_u64; totals.names.len()];
        self.phases.retain(|phase| {
            let Some(name) = totals.names.iter().position(|sums| sums.name == phase.name) else { return true };
            let factor = factor.min(totals.names[name].count / MIN_PHASES).max(1);
            let number = numbers[name];
            numbers[name] += 1;
            is_drawn(number, factor, seed ^ mix(name as u64))
        });
        self.thinned = Some(thinned);
        self
    }
}

/// Returns whether this one of `factor` in a row is the one that is kept.
fn is_drawn(index: u64, factor: u64, seed: u64) -> bool {
    let (block, place) = (index / factor, index % factor);
    mix(seed ^ mix(block)) % factor == place
}

fn kept<T: Copy>(values: &[T], keeps: impl Fn(usize) -> bool) -> Vec<T> {
    values.iter().enumerate().filter(|(index, _)| keeps(*index)).map(|(_, value)| *value).collect()
}

/// Mixes the bits of a number: the finalizer of SplitMix64.
fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Requests whose times repeat with a period of three, each with `i % 4` intervals.
    fn log(requests: u64) -> RequestLog {
        let time = |i: u64| 1_000 * (i % 3 + 1);
        let count = |i: u64| (i % 4) as u32;
        RequestLog {
            latency_ns: (0..requests).map(time).collect(),
            ttft_ns: (0..requests).map(|i| 10 * time(i)).collect(),
            itl_ns: (0..requests).flat_map(|i| vec![i; i as usize % 4]).collect(),
            itl_count: (0..requests).map(count).collect(),
            ..RequestLog::default()
        }
    }

    #[test]
    fn sums_stay_exact_and_requests_whole() {
        let whole = log(10_000);
        let twice = whole.thin(4, 7).thin(2, 8);
        let thinned = twice.thinned.clone().unwrap();
        assert_eq!((twice.every(), thinned.every), (8, 8));
        assert_eq!((twice.all_times(), whole.all_times()), (35_000, 35_000));
        assert_eq!(thinned.latency, TimeSums::of(&whole.latency_ns));
        assert_eq!(thinned.latency.unwrap().total_ns, 1_000 * 19_999);
        assert_eq!(
            thinned.itl.unwrap(),
            TimeSums { count: 15_000, total_ns: whole.itl_ns.iter().sum(), min_ns: 1, max_ns: 9_999 }
        );
        assert_eq!(twice.latency_ns.len(), twice.ttft_ns.len());
        assert_eq!(twice.itl_count.iter().sum::<u32>() as usize, twice.itl_ns.len());
        let mut rest = twice.itl_ns.as_slice();
        for count in &twice.itl_count {
            let (own, others) = rest.split_at(*count as usize);
            assert!(own.iter().all(|request| *request == own[0] && request % 4 == u64::from(*count)), "{own:?}");
            rest = others;
        }
    }

    /// A fixed phase would keep only every third input of three.
    #[test]
    fn periodic_inputs_are_kept_in_proportion() {
        for factor in [2, 4, 64] {
            let kept = log(96_000).thin(factor, 42);
            assert_eq!(kept.latency_ns.len() as u64, 96_000 / factor);
            for time in [1_000, 2_000, 3_000] {
                let share =
                    kept.latency_ns.iter().filter(|ns| **ns == time).count() as f64 / kept.latency_ns.len() as f64;
                assert!((share - 1.0 / 3.0).abs() < 0.05, "{factor}: {share} of {time}");
            }
        }
    }

    #[test]
    fn factor_one_changes_nothing() {
        assert_eq!(log(10).thin(1, 3).thin_phases(1, 3), log(10));
    }

    fn phase(name: &str, start: u64, stop: u64) -> PhaseSpan {
        PhaseSpan { name: name.to_owned(), start: Stamp(start), stop: Stamp(stop) }
    }

    #[test]
    fn phases_of_each_name_are_kept_in_proportion() {
        // A long phase before each short one, and a rare one.
        let mut phases: Vec<PhaseSpan> = (0..64_000)
            .flat_map(|i| {
                [phase("prefill", 100 * i, 100 * i + 90), phase("decode", 100 * i + 90, 100 * i + 95 + i % 5)]
            })
            .collect();
        phases.extend((0..12).map(|i| phase("load", 10_000_000 + i, 10_000_001 + i)));
        let whole = RequestLog { phases, ..log(10) };
        let thin = whole.clone().thin_phases(64, 7);
        let kept = |name: &str| thin.phases.iter().filter(|phase| phase.name == name).count();
        assert_eq!((kept("prefill"), kept("decode"), kept("load")), (1_000, 1_000, 12));
        assert_eq!((thin.all_phases(), whole.all_phases()), (128_012, 128_012));
        let totals = thin.thinned.clone().unwrap().phases.unwrap();
        assert_eq!(totals, PhaseTotals::of(&whole.phases));
        assert_eq!(totals.names[0], PhaseSums { name: "prefill".to_owned(), count: 64_000, total_ns: 5_760_000 });
        assert_eq!((totals.names[1].total_ns, totals.overlap_ns), (64_000 * 7, 0));
        assert_eq!((thin.every(), thin.times()), (1, whole.times()));
        // The mean of the phases that are kept is near that of all.
        let lengths = thin.phases.iter().filter(|phase| phase.name == "decode").map(|p| p.stop.0 - p.start.0);
        assert!((lengths.sum::<u64>() as f64 / 1_000.0 - 7.0).abs() < 0.2);
        let again = thin.thin_phases(4, 8);
        assert!(again.phases.len() < 1_000 && again.all_phases() == 128_012);
    }

    #[test]
    fn overlap_counts_shared_time() {
        let spans = |spans: &[(u64, u64)]| spans.iter().map(|(a, b)| (Stamp(*a), Stamp(*b))).collect::<Vec<_>>();
        assert_eq!(overlap_ns(spans(&[(0, 10), (10, 20), (30, 40)])), 0);
        assert_eq!(overlap_ns(spans(&[(5, 8), (0, 10), (9, 12)])), 4, "3 within the first, 1 at its end");
        assert_eq!(overlap_ns(spans(&[(0, 10), (0, 10), (0, 10)])), 20);
    }
}

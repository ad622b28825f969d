//! Thinning of request times: keeps one request of every few, with the exact sums of all.

use serde::{Deserialize, Serialize};

use super::RequestLog;

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

/// How the request times of a cycle were thinned, and what they were before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thinned {
    /// One request of so many is kept: a power of two above 1.
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
}

impl RequestLog {
    /// Returns how many requests each kept one stands for.
    pub fn every(&self) -> u64 {
        self.thinned.map_or(1, |thinned| thinned.every)
    }

    /// Returns the number of its times.
    pub fn times(&self) -> usize {
        self.latency_ns.len() + self.ttft_ns.len() + self.itl_ns.len() + self.itl_count.len() + self.tpot_ns.len()
    }

    /// Keeps one request of each `factor` in a row, drawn at random, with all its times. So the kept ones are unbiased also
    /// where inputs repeat with a period. The phases are kept.
    #[must_use]
    pub fn thin(&self, factor: u64, seed: u64) -> Self {
        if factor <= 1 {
            return self.clone();
        }
        let before = self.thinned.unwrap_or_else(|| Thinned {
            every: 1,
            latency: TimeSums::of(&self.latency_ns),
            ttft: TimeSums::of(&self.ttft_ns),
            itl: TimeSums::of(&self.itl_ns),
            tpot: TimeSums::of(&self.tpot_ns),
        });
        let keeps = |index: usize| {
            let (block, place) = (index as u64 / factor, index as u64 % factor);
            mix(seed ^ mix(block)) % factor == place
        };
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
        let thinned = twice.thinned.unwrap();
        assert_eq!((twice.every(), thinned.every), (8, 8));
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
        assert_eq!(log(10).thin(1, 3), log(10));
    }
}

//! Samples pooled over cycles, prepared so that a quantile of any mixture of whole cycles takes microseconds.
//!
//! Must not know what was sampled, nor how mixtures are drawn.
//!
//! Each cycle is sorted once. A table counts, for a few thousand pivots spread evenly over the pool, how many samples of
//! each cycle are at most the pivot. A mixture is a multiplicity for each cycle; the number of its samples at or below a
//! value is the sum of multiplicities times counts. So an order statistic is found by a binary search over the pivots,
//! whose table stays in cache, then by bisection of the values between two of them in the sorted cycles. It is exact:
//! the same number as concatenating the cycles and sorting.

use super::error::StatsError;
use super::pooled_build::{FEW, count, less, pivots, sort};
use super::quantile::between;
use super::sample::{Key, Sample};
use super::sum::fsum;

/// Samples of several cycles, ready for quantiles of the pool and of resampled cycles.
#[derive(Debug, Clone)]
pub struct PooledSamples<T: Sample> {
    /// Keys of each cycle, ascending.
    cycles: Vec<Vec<T::Key>>,
    /// Ascending, distinct; the last is the largest sample.
    pivots: Vec<T::Key>,
    /// Row by row: how many samples of each cycle are at most the pivot.
    counts: Vec<u32>,
}

impl<T: Sample> PooledSamples<T> {
    /// As [`Self::from_vecs`] on a copy of the samples.
    ///
    /// # Errors
    ///
    /// As [`Self::from_vecs`].
    pub fn new(cycles: &[&[T]], threads: Option<usize>) -> Result<Self, StatsError> {
        Self::from_vecs(cycles.iter().map(|cycle| cycle.to_vec()).collect(), threads)
    }

    /// Sorts the samples of each cycle where they lie, in parallel on `threads` (none: as many as pay); one cycle or more,
    /// none empty. Takes at most 16 MB besides.
    ///
    /// # Errors
    ///
    /// `InsufficientData` without cycles or with an empty one, `NonFinite`, `BadParameter` for a cycle of 2³² samples.
    pub fn from_vecs(cycles: Vec<Vec<T>>, threads: Option<usize>) -> Result<Self, StatsError> {
        if cycles.iter().any(|c| u32::try_from(c.len()).is_err()) {
            return Err(StatsError::BadParameter);
        }
        Self::from_sorted(sort(cycles, threads)?)
    }

    fn from_sorted(cycles: Vec<Vec<T::Key>>) -> Result<Self, StatsError> {
        if cycles.is_empty() || cycles.iter().any(Vec::is_empty) {
            return Err(StatsError::InsufficientData);
        }
        let pivots = pivots(&cycles);
        let counts = count(&cycles, &pivots);
        Ok(Self { cycles, pivots, counts })
    }

    /// The pool without some of its samples: `removed` lists them, cycle by cycle, in any order. What a cycle does not
    /// hold is passed over; a cycle that holds nothing any more is left out.
    ///
    /// Much cheaper than sorting what is left.
    ///
    /// # Errors
    ///
    /// `LengthMismatch` when `removed` has not one entry a cycle, `InsufficientData` when nothing is left, `NonFinite`.
    pub fn without(self, removed: Vec<Vec<T>>) -> Result<Self, StatsError> {
        if removed.len() != self.cycles.len() {
            return Err(StatsError::LengthMismatch);
        }
        let removed = sort(removed, Some(1))?;
        let mut cycles = self.cycles;
        for (cycle, removed) in cycles.iter_mut().zip(&removed) {
            less(cycle, removed);
        }
        cycles.retain(|cycle| !cycle.is_empty());
        Self::from_sorted(cycles)
    }

    /// Number of cycles.
    pub fn cycles(&self) -> usize {
        self.cycles.len()
    }

    /// Number of samples in all cycles.
    pub fn samples(&self) -> u64 {
        self.cycles.iter().map(|c| c.len() as u64).sum()
    }

    /// The mean of all samples, in their unit.
    pub fn mean(&self) -> f64 {
        // Whole nanoseconds add up without rounding in stretches of this length.
        let stretches = self.cycles.iter().flat_map(|cycle| cycle.chunks(4096));
        fsum(stretches.map(|keys| keys.iter().map(|&key| T::value(key)).sum())) / self.samples() as f64
    }

    /// The smallest and the largest sample.
    pub fn range(&self) -> (f64, f64) {
        let smallest = self.cycles.iter().filter_map(|cycle| cycle.first()).min();
        let largest = self.pivots.last();
        let value = |key: Option<&T::Key>| key.map_or(f64::NAN, |&key| T::value(key));
        (value(smallest), value(largest))
    }

    /// The quantile `q` of the pool, type 7 (Hyndman & Fan 1996), in the unit of the samples.
    ///
    /// # Errors
    ///
    /// `BadParameter` for a `q` outside [0, 1].
    pub fn quantile(&self, q: f64) -> Result<f64, StatsError> {
        self.mixture_quantile(&vec![1; self.cycles.len()], q)
    }

    /// The quantile `q` of a mixture in which each cycle occurs `times[i]` times: exactly that of the concatenation.
    ///
    /// # Errors
    ///
    /// `LengthMismatch` when `times` has not one entry a cycle, `InsufficientData` when all are 0, `BadParameter` for
    /// a `q` outside [0, 1].
    pub fn mixture_quantile(&self, times: &[u32], q: f64) -> Result<f64, StatsError> {
        if times.len() != self.cycles.len() {
            return Err(StatsError::LengthMismatch);
        }
        if !(0.0..=1.0).contains(&q) {
            return Err(StatsError::BadParameter);
        }
        let mut search = self.search();
        search.take(times);
        search.quantile(q).ok_or(StatsError::InsufficientData)
    }

    /// Of each cycle, the samples below `value` plus half of those equal to it, and all samples.
    pub(super) fn ranks(&self, value: f64) -> impl Iterator<Item = (f64, f64)> {
        self.cycles.iter().map(move |keys| {
            let below = keys.partition_point(|&k| T::value(k) < value);
            let up_to = below + keys[below..].partition_point(|&k| T::value(k) <= value);
            (f64::midpoint(below as f64, up_to as f64), keys.len() as f64)
        })
    }

    /// A search with its own scratch space, to be used again and again.
    pub(super) fn search(&self) -> QuantileSearch<'_, T> {
        QuantileSearch { pool: self, parts: Vec::with_capacity(self.cycles.len()), left: Vec::new(), total: 0 }
    }
}

/// A cycle of the mixture and the range of its samples that may still hold the order statistic.
#[derive(Debug, Clone, Copy)]
struct Part {
    cycle: usize,
    times: u64,
    low: usize,
    high: usize,
    middle: usize,
}

/// Finds quantiles of one mixture after another without allocating.
#[derive(Debug)]
pub(super) struct QuantileSearch<'a, T: Sample> {
    pool: &'a PooledSamples<T>,
    parts: Vec<Part>,
    left: Vec<(T::Key, u64)>,
    total: u64,
}

impl<T: Sample> QuantileSearch<'_, T> {
    /// Makes the mixture in which cycle i occurs `times[i]` times current.
    pub(super) fn take(&mut self, times: &[u32]) {
        let used = times.iter().enumerate().filter(|(_, times)| **times > 0);
        self.parts.clear();
        self.parts.extend(used.map(|(cycle, &t)| Part { cycle, times: u64::from(t), low: 0, high: 0, middle: 0 }));
        self.total = self.parts.iter().map(|p| p.times * self.pool.cycles[p.cycle].len() as u64).sum();
    }

    /// The type-7 quantile of the current mixture, `q` in [0, 1]; none when it is empty.
    pub(super) fn quantile(&mut self, q: f64) -> Option<f64> {
        let last = self.total.checked_sub(1)?;
        let at = last as f64 * q;
        let below = (at.floor() as u64).min(last);
        let (low, high) = self.order_statistics(below);
        Some(between(T::value(low), T::value(high), at - below as f64))
    }

    /// The order statistic of rank `rank` (from 0) and the next one (itself when it is the last).
    fn order_statistics(&mut self, rank: u64) -> (T::Key, T::Key) {
        // Both ends may be the order statistic; `low..high` of each part holds its samples between them.
        let (mut floor, mut ceiling) = self.bracket(rank);
        while floor < ceiling && self.parts.iter().map(|p| p.high - p.low).sum::<usize>() > FEW {
            let middle = floor + (ceiling - floor) / 2;
            let limit = T::Key::narrow(middle);
            let mut count = 0;
            for part in &mut self.parts {
                let keys = &self.pool.cycles[part.cycle][part.low..part.high];
                part.middle = part.low + keys.partition_point(|&k| k <= limit);
                count += part.times * part.middle as u64;
            }
            if count > rank {
                ceiling = middle;
                self.parts.iter_mut().for_each(|p| p.high = p.middle);
            } else {
                floor = middle + 1;
                self.parts.iter_mut().for_each(|p| p.low = p.middle);
            }
        }
        if floor < ceiling { self.count_out(rank) } else { self.at(T::Key::narrow(ceiling), rank) }
    }

    /// Narrows the parts to what lies above one pivot and up to the next; the least and greatest key this leaves.
    fn bracket(&mut self, rank: u64) -> (u64, u64) {
        let pool = self.pool;
        let width = pool.cycles.len();
        let row = |j: usize| &pool.counts[j * width..(j + 1) * width];
        let (mut from, mut to) = (0, pool.pivots.len() - 1);
        while from < to {
            let middle = usize::midpoint(from, to);
            let counts = row(middle);
            let count: u64 = self.parts.iter().map(|p| p.times * u64::from(counts[p.cycle])).sum();
            if count > rank { to = middle } else { from = middle + 1 }
        }
        for part in &mut self.parts {
            part.low = if from == 0 { 0 } else { row(from - 1)[part.cycle] as usize };
            part.high = row(from)[part.cycle] as usize;
        }
        let smallest = || self.parts.iter().map(|p| pool.cycles[p.cycle][0].wide()).min();
        let floor = if from == 0 { smallest().unwrap_or(0) } else { pool.pivots[from - 1].wide() + 1 };
        (floor, pool.pivots[from].wide())
    }

    /// The answer when the order statistic is known to be `key`.
    fn at(&self, key: T::Key, rank: u64) -> (T::Key, T::Key) {
        let count: u64 = self.parts.iter().map(|p| p.times * p.high as u64).sum();
        (key, if count > rank + 1 { key } else { self.above().unwrap_or(key) })
    }

    /// The smallest sample above all that is left.
    fn above(&self) -> Option<T::Key> {
        self.parts.iter().filter_map(|p| self.pool.cycles[p.cycle].get(p.high).copied()).min()
    }

    /// The answer from the few samples left, one by one.
    fn count_out(&mut self, rank: u64) -> (T::Key, T::Key) {
        self.left.clear();
        let mut count = 0;
        for part in &self.parts {
            count += part.times * part.low as u64;
            let keys = &self.pool.cycles[part.cycle][part.low..part.high];
            self.left.extend(keys.iter().map(|&key| (key, part.times)));
        }
        self.left.sort_unstable();
        let mut found = None;
        for &(key, times) in &self.left {
            count += times;
            if let Some(found) = found {
                return (found, key);
            }
            if count > rank + 1 {
                return (key, key);
            }
            if count > rank {
                found = Some(key);
            }
        }
        let last = found.unwrap_or_else(|| T::Key::narrow(0));
        (last, self.above().unwrap_or(last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::quantile7;

    /// A deterministic scramble.
    fn noise(i: u64) -> u64 {
        let z = (i ^ (i >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB) >> 40
    }

    fn compare<T: Sample + Into<f64>>(cycles: &[Vec<T>], times: &[u32]) {
        let slices: Vec<&[T]> = cycles.iter().map(Vec::as_slice).collect();
        let pool = PooledSamples::new(&slices, Some(2)).unwrap();
        let all: Vec<f64> =
            cycles.iter().zip(times).flat_map(|(c, &t)| (0..t).flat_map(|_| c.iter().map(|&v| v.into()))).collect();
        let q = [0.0, 0.001, 0.25, 0.5, 0.77, 0.95, 0.99, 0.9999, 1.0];
        for (q, want) in q.into_iter().zip(quantile7(&all, &q).unwrap()) {
            assert_eq!(pool.mixture_quantile(times, q).unwrap(), want, "q {q} times {times:?}");
        }
    }

    #[test]
    fn mixtures_equal_the_concatenation() {
        for (lengths, spread) in [([9000, 1, 500], 1 << 20), ([40, 50, 3], 4), ([7000, 7000, 7000], 1), ([1, 1, 1], 9)]
        {
            let cycle = |c: usize| (0..lengths[c] as u64).map(move |i| (noise(i * 3 + c as u64) % spread) as u32);
            let whole: Vec<Vec<u32>> = (0..3).map(|c| cycle(c).collect()).collect();
            let real: Vec<Vec<f64>> = (0..3).map(|c| cycle(c).map(|v| 1e3 - f64::from(v)).collect()).collect();
            for times in [[1, 1, 1], [0, 0, 3], [2, 1, 0], [0, 3, 0], [5, 0, 1]] {
                compare(&whole, &times);
                compare(&real, &times);
            }
        }
    }

    #[test]
    fn what_is_removed_is_as_if_it_had_never_been_there() {
        let cycle = |c: u64| (0..5000).map(|i| (noise(i * 3 + c) % 700) as u32).collect::<Vec<u32>>();
        let cycles: Vec<Vec<u32>> = (0..3).map(cycle).collect();
        let removed: Vec<Vec<u32>> = cycles.iter().map(|c| c.iter().step_by(7).copied().collect()).collect();
        let left = cycles.iter().map(|c| c.iter().enumerate().filter(|(i, _)| i % 7 != 0).map(|(_, v)| *v).collect());
        let left = PooledSamples::from_vecs(left.collect::<Vec<Vec<u32>>>(), None).unwrap();
        let less = PooledSamples::from_vecs(cycles, Some(3)).unwrap().without(removed).unwrap();
        assert_eq!((less.cycles.clone(), less.range(), less.mean()), (left.cycles.clone(), left.range(), left.mean()));
        assert_eq!(less.mixture_quantile(&[2, 0, 1], 0.95), left.mixture_quantile(&[2, 0, 1], 0.95));
        let pool = || PooledSamples::new(&[&[5_u32, 5, 7][..], &[1]], None).unwrap();
        let less = pool().without(vec![vec![5, 6], vec![1]]).unwrap();
        assert_eq!((less.cycles(), less.samples(), less.range(), less.mean()), (1, 2, (5.0, 7.0), 6.0));
        assert_eq!(pool().without(vec![vec![5, 5, 7], vec![1, 1]]).unwrap_err(), StatsError::InsufficientData);
        assert_eq!(pool().without(vec![]).unwrap_err(), StatsError::LengthMismatch);
    }

    #[test]
    fn extreme_keys_are_found() {
        compare(&[vec![0_u32; 50], vec![u32::MAX; 50]], &[1, 1]);
        let pool = PooledSamples::new(&[&[0, u64::MAX, 1 << 40][..], &[0; 40]], None).unwrap();
        assert_eq!(pool.quantile(1.0).unwrap(), u64::MAX as f64);
        assert_eq!(pool.mixture_quantile(&[1, 0], 0.5).unwrap(), (1_u64 << 40) as f64);
        assert_eq!(pool.mixture_quantile(&[0, 2], 0.5).unwrap(), 0.0);
    }

    #[test]
    fn what_cannot_be_pooled_says_so() {
        assert_eq!(PooledSamples::<u32>::new(&[], None).unwrap_err(), StatsError::InsufficientData);
        assert_eq!(PooledSamples::new(&[&[1_u32][..], &[]], None).unwrap_err(), StatsError::InsufficientData);
        assert_eq!(PooledSamples::new(&[&[1.0, f64::NAN][..]], None).unwrap_err(), StatsError::NonFinite);
        let pool = PooledSamples::new(&[&[1.0_f32][..]], None).unwrap();
        assert_eq!(pool.mixture_quantile(&[0], 0.5), Err(StatsError::InsufficientData));
        assert_eq!(pool.mixture_quantile(&[1, 1], 0.5), Err(StatsError::LengthMismatch));
        assert_eq!(pool.quantile(1.1), Err(StatsError::BadParameter));
    }
}

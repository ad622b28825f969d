//! The sample types that can be pooled, their order-preserving integer keys, and resampling.

use std::num::NonZeroUsize;
use std::thread;

use rand::rngs::Xoshiro256PlusPlus;
use rand::{Rng, SeedableRng};

use super::error::StatsError;

/// Name of the random number generator, saved with every bootstrap interval.
pub const GENERATOR: &str = "xoshiro256++";

/// Number of resamples that share one generator. The generator of a block depends only on the seed and the block's
/// number, not on the thread that runs it.
const BLOCK: usize = 64;

/// Maximum number of resamples.
const MAX_RESAMPLES: usize = 10_000_000;

/// Maximum number of values that all resamples return together; limits memory use.
const MAX_VALUES: usize = 100_000_000;

/// Nanoseconds of work that justify one more thread, including its start and join.
const NS_PER_THREAD: usize = 200_000;

/// An integer that sorts like the sample it represents.
pub trait Key: Copy + Ord + Send + Sync + 'static {
    /// Returns the key widened to 64 bits.
    fn wide(self) -> u64;
    /// Returns the key from its 64-bit form.
    fn narrow(wide: u64) -> Self;
}

impl Key for u32 {
    fn wide(self) -> u64 {
        u64::from(self)
    }

    fn narrow(wide: u64) -> Self {
        wide as Self
    }
}

impl Key for u64 {
    fn wide(self) -> u64 {
        self
    }

    fn narrow(wide: u64) -> Self {
        wide
    }
}

/// A sample that can be pooled: whole nanoseconds as `u32` or `u64` (half the memory, no conversion), or any unit as
/// `f32` or `f64`. Sealed.
pub trait Sample: Copy + Send + Sync + sealed::Sealed {
    /// The integer that is sorted in place of the sample.
    type Key: Key;
    /// Returns the key of a finite sample; `None` for NaN and infinities.
    fn key(self) -> Option<Self::Key>;
    /// Returns the keys of `samples`, reusing their memory where key and sample have the same type; `None` when one
    /// sample is NaN or infinite.
    fn keys(samples: Vec<Self>) -> Option<Vec<Self::Key>> {
        samples.into_iter().map(Self::key).collect()
    }
    /// Returns the sample that a key represents, as a float in the sample's unit.
    fn value(key: Self::Key) -> f64;
}

impl Sample for u32 {
    type Key = u32;

    fn key(self) -> Option<u32> {
        Some(self)
    }

    fn keys(samples: Vec<Self>) -> Option<Vec<u32>> {
        Some(samples)
    }

    fn value(key: u32) -> f64 {
        f64::from(key)
    }
}

impl Sample for u64 {
    type Key = u64;

    fn key(self) -> Option<u64> {
        Some(self)
    }

    fn keys(samples: Vec<Self>) -> Option<Vec<u64>> {
        Some(samples)
    }

    fn value(key: u64) -> f64 {
        key as f64
    }
}

// Positive floats sort like their bits; negative floats sort below them, in reverse order of their bits.

impl Sample for f32 {
    type Key = u32;

    fn key(self) -> Option<u32> {
        let bits = self.to_bits();
        self.is_finite().then_some(if bits >> 31 == 1 { !bits } else { bits | 1 << 31 })
    }

    fn value(key: u32) -> f64 {
        f64::from(f32::from_bits(if key >> 31 == 1 { key & !(1 << 31) } else { !key }))
    }
}

impl Sample for f64 {
    type Key = u64;

    fn key(self) -> Option<u64> {
        let bits = self.to_bits();
        self.is_finite().then_some(if bits >> 63 == 1 { !bits } else { bits | 1 << 63 })
    }

    fn value(key: u64) -> f64 {
        f64::from_bits(if key >> 63 == 1 { key & !(1 << 63) } else { !key })
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for u32 {}
    impl Sealed for u64 {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

/// Settings of the resampling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resampling {
    /// Number of resamples, 1 to 10 million.
    pub resamples: usize,
    /// Seed; the same seed gives a bit-identical interval.
    pub seed: u64,
    /// Number of threads; `None` chooses by the machine and the amount of work. Does not change the result.
    pub threads: Option<usize>,
}

impl Default for Resampling {
    fn default() -> Self {
        Self { resamples: 10_000, seed: 0, threads: None }
    }
}

impl Resampling {
    /// Checks that resamples of `width` values each are within the limits.
    pub(super) fn check(&self, width: usize) -> Result<(), StatsError> {
        let count_ok = (1..=MAX_RESAMPLES).contains(&self.resamples);
        let memory_ok = self.resamples.saturating_mul(width) <= MAX_VALUES;
        if count_ok && memory_ok { Ok(()) } else { Err(StatsError::BadParameter) }
    }

    /// Calls `resample` once for each row of `width` values of the result, which is initialized to zeros.
    ///
    /// `scratch` creates the buffers that a thread reuses; `ns` is the approximate cost of one resample in nanoseconds.
    pub(super) fn run<S>(
        &self,
        width: usize,
        ns: usize,
        scratch: impl Fn() -> S + Sync,
        resample: impl Fn(&mut Draws, &mut S, &mut [f64]) + Sync,
    ) -> Vec<f64> {
        let mut out = vec![0.0; self.resamples * width];
        let blocks = self.resamples.div_ceil(BLOCK);
        let threads = thread_count(self.threads, self.resamples.saturating_mul(ns) / NS_PER_THREAD);
        let share = blocks.div_ceil(threads.min(blocks));
        let run_blocks = |first: usize, rows: &mut [f64]| {
            let mut scratch = scratch();
            for (block, rows) in (first..).zip(rows.chunks_mut(BLOCK * width)) {
                let mut draws = Draws::for_block(self.seed, block as u64);
                rows.chunks_mut(width).for_each(|row| resample(&mut draws, &mut scratch, row));
            }
        };
        thread::scope(|scope| {
            let mut parts = out.chunks_mut(share * BLOCK * width).enumerate();
            let first = parts.next();
            for (i, rows) in parts {
                let run_blocks = &run_blocks;
                scope.spawn(move || run_blocks(i * share, rows));
            }
            if let Some((_, rows)) = first {
                run_blocks(0, rows);
            }
        });
        out
    }
}

/// Returns the number of threads to use: `requested`, or else the machine's parallelism, limited to the `useful`
/// number.
pub(super) fn thread_count(requested: Option<usize>, useful: usize) -> usize {
    let automatic = || thread::available_parallelism().map_or(1, NonZeroUsize::get).min(useful);
    requested.unwrap_or_else(automatic).clamp(1, 256)
}

/// A generator of random indices.
#[derive(Debug, Clone)]
pub(super) struct Draws(Xoshiro256PlusPlus);

impl Draws {
    fn for_block(seed: u64, block: u64) -> Self {
        // A multiplier other than SplitMix64's increment; with that, neighbouring blocks would share words of state.
        Self(Xoshiro256PlusPlus::seed_from_u64(seed ^ block.wrapping_mul(0xD134_2543_DE82_EF95)))
    }

    /// Calls `f` with each position in `0..count` and an index drawn from `0..n`.
    ///
    /// Takes two indices from each 64-bit word by multiply and shift (Lemire 2019). Without the rejection step the
    /// probability of an index is off by at most n/2³², which is too little to affect an interval.
    #[inline]
    pub fn for_each_index(&mut self, n: usize, count: usize, mut f: impl FnMut(usize, usize)) {
        let n = n as u64;
        let mut position = 0;
        while position + 1 < count {
            let word = self.0.next_u64();
            f(position, (((word >> 32) * n) >> 32) as usize);
            f(position + 1, (((word & 0xFFFF_FFFF) * n) >> 32) as usize);
            position += 2;
        }
        if position < count {
            f(position, (((self.0.next_u64() >> 32) * n) >> 32) as usize);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_preserve_order_and_value() {
        let x = [f64::MIN, -1e12, -1.5, -1e-300, -0.0, 0.0, 5e-324, 1.0, 1e12, f64::MAX];
        let keys: Vec<u64> = x.iter().map(|v| v.key().unwrap()).collect();
        assert!(keys.is_sorted());
        assert!(keys.iter().zip(x).all(|(&k, v)| f64::value(k).to_bits() == v.to_bits()));
        let y = [-3.5_f32, -0.0, 0.25, 7e30];
        assert!(y.iter().all(|v| f32::value(v.key().unwrap()) == f64::from(*v)));
        assert_eq!((f64::NAN.key(), f32::INFINITY.key()), (None, None));
    }

    #[test]
    fn indices_are_uniform() {
        let mut counts = [0_u32; 10];
        for block in 0..2_000 {
            let mut draws = Draws::for_block(1, block);
            for _ in 0..BLOCK {
                draws.for_each_index(10, 10, |_, i| counts[i] += 1);
            }
        }
        // 128,000 expected each, binomial sd 340; chi-square with 9 degrees of freedom is below 27.9 in 99.9 %.
        let chi: f64 = counts.iter().map(|&c| (f64::from(c) - 128_000.0).powi(2) / 128_000.0).sum();
        assert!(chi < 27.9, "{chi} {counts:?}");
    }

    #[test]
    fn independent_of_thread_count() {
        let run = |threads| {
            Resampling { resamples: 1_001, seed: 7, threads: Some(threads) }.run(
                2,
                1,
                || [0.0; 3],
                |draws, drawn, row| {
                    draws.for_each_index(1_000, 3, |position, i| drawn[position] = i as f64);
                    row.copy_from_slice(&drawn[1..]);
                },
            )
        };
        let single = run(1);
        assert_eq!(single.len(), 2_002);
        assert!([0, 2, 3, 7, 64, 999_999].into_iter().all(|n| run(n) == single));
    }
}

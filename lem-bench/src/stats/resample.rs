//! Seeded resampling, spread over threads, with the same result for any number of them.
//!
//! Must not know what is resampled.

use super::error::StatsError;
use rand::rngs::Xoshiro256PlusPlus;
use rand::{Rng, SeedableRng};
use std::num::NonZeroUsize;
use std::thread;

/// Name of the generator, as saved beside every bootstrap interval.
pub const GENERATOR: &str = "xoshiro256++";

/// Resamples that share one generator. The generator of a block depends on the seed and the block's number alone,
/// so which thread runs it does not matter.
const BLOCK: usize = 64;

/// Most resamples anybody can want.
const MOST_RESAMPLES: usize = 10_000_000;

/// Most numbers that all resamples together may answer: beyond, memory is at stake.
const MOST_ANSWERS: usize = 100_000_000;

/// Nanoseconds of work for which another thread pays, its start and the wait for it included.
const THREAD_PAYS_NS: usize = 200_000;

/// How to resample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resampling {
    /// Number of resamples, 1 to 10 million.
    pub resamples: usize,
    /// Seed; the same seed gives the same interval to the last bit.
    pub seed: u64,
    /// Threads; none leaves it to the machine and the amount of work. Does not change the result.
    pub threads: Option<usize>,
}

impl Default for Resampling {
    fn default() -> Self {
        Self { resamples: 10_000, seed: 0, threads: None }
    }
}

impl Resampling {
    /// Whether resamples that answer `width` numbers each can be made.
    pub(super) fn check(&self, width: usize) -> Result<(), StatsError> {
        let some = (1..=MOST_RESAMPLES).contains(&self.resamples);
        let held = self.resamples.saturating_mul(width) <= MOST_ANSWERS;
        if some && held { Ok(()) } else { Err(StatsError::BadParameter) }
    }

    /// Runs `resample` once for each row of `width` values of the answer, which starts as zeros.
    ///
    /// `scratch` makes what a thread reuses; `ns` is about what one resample costs.
    pub(super) fn run<S>(
        &self,
        width: usize,
        ns: usize,
        scratch: impl Fn() -> S + Sync,
        resample: impl Fn(&mut Draws, &mut S, &mut [f64]) + Sync,
    ) -> Vec<f64> {
        let mut out = vec![0.0; self.resamples * width];
        let blocks = self.resamples.div_ceil(BLOCK);
        let wanted = threads(self.threads, self.resamples.saturating_mul(ns) / THREAD_PAYS_NS);
        let share = blocks.div_ceil(wanted.min(blocks));
        let work = |first: usize, rows: &mut [f64]| {
            let mut scratch = scratch();
            for (block, rows) in (first..).zip(rows.chunks_mut(BLOCK * width)) {
                let mut draws = Draws::of_block(self.seed, block as u64);
                rows.chunks_mut(width).for_each(|row| resample(&mut draws, &mut scratch, row));
            }
        };
        thread::scope(|scope| {
            let mut parts = out.chunks_mut(share * BLOCK * width).enumerate();
            let own = parts.next();
            for (i, rows) in parts {
                let work = &work;
                scope.spawn(move || work(i * share, rows));
            }
            if let Some((_, rows)) = own {
                work(0, rows);
            }
        });
        out
    }
}

/// Threads to use: those asked for, else those of the machine, but no more than pay.
pub(super) fn threads(asked: Option<usize>, paying: usize) -> usize {
    let machine = || thread::available_parallelism().map_or(1, NonZeroUsize::get).min(paying);
    asked.unwrap_or_else(machine).clamp(1, 256)
}

/// Random indices.
#[derive(Debug, Clone)]
pub(super) struct Draws(Xoshiro256PlusPlus);

impl Draws {
    fn of_block(seed: u64, block: u64) -> Self {
        // Not SplitMix64's own increment: neighbouring blocks would share words of state.
        Self(Xoshiro256PlusPlus::seed_from_u64(seed ^ block.wrapping_mul(0xD134_2543_DE82_EF95)))
    }

    /// Calls `f` with each position in `0..count` and an index drawn from `0..n`.
    ///
    /// Two indices from each word by multiply and shift (Lemire 2019): without its rejection step an index is too likely
    /// by n/2³² at most, which no interval can show.
    #[inline]
    pub(super) fn each(&mut self, n: usize, count: usize, mut f: impl FnMut(usize, usize)) {
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
    fn every_index_is_drawn_equally_often() {
        let mut counts = [0_u32; 10];
        for block in 0..2_000 {
            let mut draws = Draws::of_block(1, block);
            for _ in 0..BLOCK {
                draws.each(10, 10, |_, i| counts[i] += 1);
            }
        }
        // 128,000 expected each, binomial sd 340; chi-square with 9 degrees of freedom is below 27.9 in 99.9 %.
        let chi: f64 = counts.iter().map(|&c| (f64::from(c) - 128_000.0).powi(2) / 128_000.0).sum();
        assert!(chi < 27.9, "{chi} {counts:?}");
    }

    #[test]
    fn any_number_of_threads_draws_the_same() {
        let run = |threads| {
            Resampling { resamples: 1_001, seed: 7, threads: Some(threads) }.run(
                2,
                1,
                || [0.0; 3],
                |draws, drawn, row| {
                    draws.each(1_000, 3, |position, i| drawn[position] = i as f64);
                    row.copy_from_slice(&drawn[1..]);
                },
            )
        };
        let one = run(1);
        assert_eq!(one.len(), 2_002);
        assert!([0, 2, 3, 7, 64, 999_999].into_iter().all(|n| run(n) == one));
    }
}

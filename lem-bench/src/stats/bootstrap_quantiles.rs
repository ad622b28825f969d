//! Bootstrap intervals of pooled quantiles: whole cycles resampled, the quantile of every resample exact.
//!
//! Must not know what was sampled. The default interval of such a quantile is in `quantile_ci`.

use super::bca::bca_in_place;
use super::bootstrap_ci::BootstrapCi;
use super::error::{StatsError, level};
use super::pooled::PooledSamples;
use super::quantile::probabilities;
use super::resample::Resampling;
use super::sample::Sample;

/// A mixture's quantile costs about this many nanoseconds.
const QUANTILE_NS: usize = 2_000;

/// Bootstrap intervals of one pooled quantile, in the unit of the samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct QuantileBootstrap {
    /// Which quantile, in [0, 1].
    pub q: f64,
    /// The quantile of the pooled samples.
    pub estimate: f64,
    /// Percentile interval.
    pub percentile: BootstrapCi,
    /// BCa interval, its acceleration from leaving out cycles.
    pub bca: BootstrapCi,
}

impl QuantileBootstrap {
    /// The interval to show: BCa from 20 cycles on; below, percentile, which then under-covers and says so.
    pub fn headline(&self) -> BootstrapCi {
        if self.bca.under_covers { self.percentile } else { self.bca }
    }
}

/// As [`PooledSamples::bootstrap`] on samples that are not prepared yet: one slice a cycle, two or more.
///
/// # Errors
///
/// As [`PooledSamples::new`] and [`PooledSamples::bootstrap`].
pub fn bootstrap_quantiles<T: Sample>(
    cycles: &[&[T]],
    qs: &[f64],
    conf: f64,
    resampling: &Resampling,
) -> Result<Vec<QuantileBootstrap>, StatsError> {
    PooledSamples::new(cycles, resampling.threads)?.bootstrap(qs, conf, resampling)
}

impl<T: Sample> PooledSamples<T> {
    /// Percentile (Efron 1979) and BCa (Efron 1987) intervals at level `conf` of the pooled quantiles `qs`, whole cycles
    /// resampled (Davison & Hinkley 1997, §3.8); the quantiles of a resample share its cycles.
    ///
    /// # Errors
    ///
    /// `InsufficientData` below two cycles, `BadParameter` for a quantile outside [0, 1], the level, resamples
    /// outside 1 to 10 million, or more than 100 million replicates in all.
    pub fn bootstrap(
        &self,
        qs: &[f64],
        conf: f64,
        resampling: &Resampling,
    ) -> Result<Vec<QuantileBootstrap>, StatsError> {
        let cycles = self.cycles();
        if cycles < 2 {
            return Err(StatsError::InsufficientData);
        }
        probabilities(qs)?;
        level(conf)?;
        resampling.check(qs.len())?;
        if qs.is_empty() {
            return Ok(Vec::new());
        }
        let scratch = || (self.search(), vec![0; cycles]);
        let cost = QUANTILE_NS * qs.len();
        let replicates = resampling.run(qs.len(), cost, scratch, |draws, (search, times), out| {
            times.fill(0);
            draws.each(cycles, cycles, |_, i| times[i] += 1);
            search.take(times);
            for (out, &q) in out.iter_mut().zip(qs) {
                // No cycle is empty, so neither is a resample.
                *out = search.quantile(q).unwrap_or(f64::NAN);
            }
        });
        let column = |i: usize| replicates.iter().skip(i).step_by(qs.len()).copied().collect::<Vec<f64>>();
        qs.iter()
            .enumerate()
            .map(|(i, &q)| {
                let estimate = self.quantile(q)?;
                let mut reps = column(i);
                let bca = bca_in_place(estimate, &mut reps, &self.leave_one_out(q), conf)?;
                let (percentile, bca) = BootstrapCi::plain(&bca, conf, reps.len(), cycles, resampling);
                Ok(QuantileBootstrap { q, estimate, percentile, bca })
            })
            .collect()
    }

    /// The quantile without each cycle in turn, `q` in [0, 1]; NaN where nothing is left.
    pub(super) fn leave_one_out(&self, q: f64) -> Vec<f64> {
        let mut search = self.search();
        let mut times = vec![1; self.cycles()];
        (0..self.cycles())
            .map(|left_out| {
                times[left_out] = 0;
                search.take(&times);
                times[left_out] = 1;
                search.quantile(q).unwrap_or(f64::NAN)
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replicates_and_threads_agree() {
        let cycles: Vec<Vec<u32>> = (0..6).map(|c| (0..400).map(|i| (i * 7919) % 1009 + c * 20).collect()).collect();
        let cycles: Vec<&[u32]> = cycles.iter().map(Vec::as_slice).collect();
        let run = |threads| {
            let resampling = Resampling { resamples: 3_000, seed: 3, threads: Some(threads) };
            bootstrap_quantiles(&cycles, &[0.5, 0.95, 0.99], 0.95, &resampling).unwrap()
        };
        let one = run(1);
        assert_eq!(one, run(2));
        assert_eq!(one, run(5));
        for q in one {
            assert!(q.percentile.low < q.estimate && q.estimate < q.percentile.high, "{q:?}");
            assert!(q.percentile.under_covers && q.headline() == q.percentile);
        }
    }

    #[test]
    fn two_cycles_span_their_quantiles() {
        let (a, b) = ([1.0; 30], [2.0; 30]);
        let result = bootstrap_quantiles(&[&a, &b], &[0.5], 0.95, &Resampling::default()).unwrap();
        assert_eq!((result[0].percentile.low, result[0].estimate, result[0].percentile.high), (1.0, 1.5, 2.0));
        assert_eq!(bootstrap_quantiles(&[&a], &[0.5], 0.95, &Resampling::default()), Err(StatsError::InsufficientData));
    }
}

//! Bootstrap intervals of a ratio of sums over cycles. Whole cycles are resampled, never requests.

use super::bootstrap_ci::{Bootstrap, BootstrapCi, BootstrapMethod, bca_in_place, jackknife_ratio};
use super::descriptive::{constant, fsum, mean, select};
use super::error::{StatsError, check_finite};
use super::ratio::{Idle, RatioInput, same_ratio, spread_se};
use super::sample::{Draws, Resampling};

/// Bootstrap-t needs at least this many cycles for a useful distribution.
const MIN_CYCLES_STUDENTISED: usize = 5;

/// Marks a value that does not exist in a resample.
const MISSING: f64 = f64::NAN;

/// Returns bootstrap intervals of joules per token from cycle sums, at the level of the input, widened by its
/// inflation.
///
/// Resamples whole cycles and, for [`Idle::Blocks`], also the idle blocks, so that the interval includes the error of
/// the idle power. Studentised replicates use the linearised standard error of each resample; replicates whose error is
/// at most 1e-9·|θ*| are dropped. The acceleration of BCa is that of leaving out cycles.
///
/// # Errors
///
/// As [`ratio_ci`](super::ratio_ci); also `InsufficientData` for [`Idle::Shared`] with an error, because that needs the
/// blocks, `BadParameter` for resamples outside 1 to 10 million, `ZeroDenominator` when no resample has tokens.
pub fn bootstrap_ratio(input: &RatioInput<'_>, resampling: &Resampling) -> Result<Bootstrap, StatsError> {
    input.check()?;
    resampling.check(2)?;
    let net = input.idle.net(input.energy_j, input.time_s)?;
    let blocks = match input.idle {
        Idle::Blocks(blocks) => blocks,
        Idle::Shared { se, .. } if se > 0.0 => return Err(StatsError::InsufficientData),
        _ => &[],
    };
    let tokens = fsum(input.tokens.iter().copied());
    let theta = fsum(net.iter().copied()) / tokens;
    let cycles = Cycles::new(&net, input.tokens, input.time_s, blocks, theta);
    let (_, idle_se, _) = input.idle.shared()?;
    let idle_se = idle_se * fsum(input.time_s.iter().copied()) / tokens;
    let se = spread_se(&net, input.tokens, theta).hypot(idle_se);
    cycles.intervals(se, &jackknife_ratio(&net, input.tokens), input.conf, input.inflate, resampling)
}

/// One cycle as input of the resampling.
#[derive(Debug, Clone, Copy)]
struct Row {
    /// y − θ·n: small, so that sums of a resample stay precise.
    residual: f64,
    tokens: f64,
    time: f64,
}

/// Residual, tokens, and the products that the sum of squares of a resample needs; padded to six numbers for aligned
/// loads.
type Products = [f64; 6];

/// The data that are resampled.
#[derive(Debug)]
struct Cycles {
    theta: f64,
    rows: Vec<Row>,
    products: Vec<Products>,
    /// Idle blocks minus their mean, W; empty when there is nothing to resample.
    blocks: Vec<f64>,
}

impl Cycles {
    fn new(y: &[f64], n: &[f64], time: &[f64], blocks: &[f64], theta: f64) -> Self {
        // Cycles with equal ratios have no residual; computed, it would be a rounding error.
        let exact = same_ratio(y, n);
        let rows = y.iter().zip(n).zip(time).map(|((y, &tokens), &time)| Row {
            residual: if exact { 0.0 } else { y - theta * tokens },
            tokens,
            time,
        });
        let rows: Vec<Row> = rows.collect();
        let products = rows.iter().map(|&Row { residual: r, tokens: n, .. }| [r, n, r * r, r * n, n * n, 0.0]);
        let products = products.collect();
        let blocks = if constant(blocks) {
            Vec::new()
        } else {
            let power = mean(blocks);
            blocks.iter().map(|b| b - power).collect()
        };
        Self { theta, rows, products, blocks }
    }

    /// Returns all intervals at level `conf`, given the standard error of the estimate and its leave-one-out values.
    fn intervals(
        &self,
        se: f64,
        jack: &[f64],
        conf: f64,
        inflate: f64,
        resampling: &Resampling,
    ) -> Result<Bootstrap, StatsError> {
        let (theta, cycles) = (self.theta, self.rows.len());
        check_finite(&[theta, se], 2)?;
        let (mut reps, mut ts) = self.replicates(resampling);
        let used = reps.len();
        if used == 0 {
            return Err(StatsError::ZeroDenominator);
        }
        let bca = bca_in_place(theta, &mut reps, jack, conf)?;
        let (percentile, bca) = BootstrapCi::from_bca(&bca, conf, used, cycles, resampling);
        let enough = cycles >= MIN_CYCLES_STUDENTISED && ts.len() > resampling.resamples / 2;
        let studentized = enough.then(|| {
            let alpha = (1.0 - conf) / 2.0;
            let q = select(&mut ts, &[1.0 - alpha, alpha]);
            BootstrapCi {
                method: BootstrapMethod::BootstrapT,
                low: theta - q[0] * se,
                high: theta - q[1] * se,
                used: ts.len(),
                under_covers: false,
                ..percentile
            }
        });
        Ok(Bootstrap {
            theta,
            percentile: percentile.widened(theta, inflate),
            bca: bca.widened(theta, inflate),
            studentized: studentized.map(|ci| ci.widened(theta, inflate)),
        })
    }

    /// Returns the replicates of the ratio and of its studentised deviation, without those that do not exist.
    fn replicates(&self, resampling: &Resampling) -> (Vec<f64>, Vec<f64>) {
        let (c, k) = (self.rows.len(), self.blocks.len());
        let pairs = if k == 0 {
            resampling.run(2, 3 * c, || vec![0; c], |draws, drawn, out| self.resample(draws, drawn, out))
        } else {
            let scratch = || (vec![0; c], vec![0.0; k]);
            resampling.run(2, 6 * (c + k), scratch, |draws, (drawn, blocks), out| {
                let (power, se) = self.resample_idle(draws, blocks);
                draws.for_each_index(c, c, |position, i| drawn[position] = i as u32);
                let (shift, se) = self.deviation_and_se(drawn, power, se);
                self.write_replicate(shift, se, out);
            })
        };
        let column = |i: usize| {
            let mut column = Vec::with_capacity(resampling.resamples);
            column.extend(pairs.chunks_exact(2).map(|pair| pair[i]).filter(|v| v.is_finite()));
            column
        };
        (column(0), column(1))
    }

    /// Draws one resample of the cycles and writes θ* and (θ* − θ)/se*.
    #[inline]
    fn resample(&self, draws: &mut Draws, drawn: &mut [u32], out: &mut [f64]) {
        let cycles = self.products.len();
        let mut sums: Products = [0.0; 6];
        draws.for_each_index(cycles, cycles, |position, i| {
            drawn[position] = i as u32;
            sums = std::array::from_fn(|l| sums[l] + self.products[i][l]);
        });
        // With δ = r/n, Σ(r_i − δn_i)²·n² in terms that do not depend on a division.
        let [r, n, rr, rn, nn, _] = sums;
        let (own, cross, square) = (rr * n * n, 2.0 * r * n * rn, r * r * nn);
        let squares = own - cross + square;
        // Where the terms cancel (rare) or overflow, the squares are summed directly.
        if squares > 1e-6 * (own + cross.abs() + square) {
            let c = cycles as f64;
            let root = (squares * (c / (c - 1.0))).sqrt();
            out[0] = self.snap_to_estimate(r / n);
            out[1] = if root > 1e-9 * (out[0] * n * n).abs() { r * n / root } else { MISSING };
        } else {
            let (shift, se) = self.deviation_and_se(drawn, 0.0, 0.0);
            self.write_replicate(shift, se, out);
        }
    }

    /// θ* − θ and its standard error for the cycles drawn, with an idle power `power` above the estimated one of
    /// standard error `power_se` (W).
    fn deviation_and_se(&self, drawn: &[u32], power: f64, power_se: f64) -> (f64, f64) {
        let rows = || drawn.iter().map(|&i| &self.rows[i as usize]);
        let (mut residual, mut tokens, mut time) = (0.0, 0.0, 0.0);
        for row in rows() {
            residual += row.residual;
            tokens += row.tokens;
            time += row.time;
        }
        // Σ(E − P*·T) = Σ residual + θ·Σn − (P* − P)·ΣT.
        let shift = (residual - power * time) / tokens;
        let squares: f64 = rows()
            .map(|row| {
                let r = row.residual - power * row.time - shift * row.tokens;
                r * r
            })
            .sum();
        let c = drawn.len() as f64;
        let within = (squares * c / (c - 1.0)).sqrt() / tokens;
        (shift, within.hypot(power_se * time / tokens))
    }

    /// Writes θ* and (θ* − θ)/se*; the latter is missing without a standard error.
    fn write_replicate(&self, shift: f64, se: f64, out: &mut [f64]) {
        out[0] = self.snap_to_estimate(shift);
        out[1] = if se > 1e-9 * out[0].abs() { shift / se } else { MISSING };
    }

    /// Returns θ*. A resample equal to the sample is a tie with θ; without this, rounding in another order could
    /// separate them.
    fn snap_to_estimate(&self, shift: f64) -> f64 {
        if shift.abs() <= 1e-12 * self.theta.abs() { self.theta } else { self.theta + shift }
    }

    /// Draws one resample of the idle blocks and returns its mean minus the estimated one and the standard error of
    /// that, W.
    fn resample_idle(&self, draws: &mut Draws, drawn: &mut [f64]) -> (f64, f64) {
        let k = self.blocks.len() as f64;
        draws.for_each_index(self.blocks.len(), drawn.len(), |position, i| drawn[position] = self.blocks[i]);
        let power = drawn.iter().sum::<f64>() / k;
        let squares: f64 = drawn.iter().map(|b| (b - power) * (b - power)).sum();
        (power, (squares / (k * (k - 1.0))).sqrt())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const Y: [f64; 5] = [100.0, 104.0, 98.0, 120.0, 101.0];
    const N: [f64; 5] = [50.0, 51.0, 49.0, 50.0, 52.0];

    #[test]
    fn idle_blocks_widen_interval() {
        let (energy, time): (Vec<f64>, Vec<f64>) = Y.iter().map(|y| (y + 500.0, 10.0)).unzip();
        let blocks = [49.0, 50.0, 51.0, 50.5, 49.5];
        let width = |idle| {
            let input = RatioInput { idle, ..RatioInput::new(&energy, &time, &N) };
            let b = bootstrap_ratio(&input, &Resampling::default()).unwrap();
            (b.theta, b.percentile.high - b.percentile.low)
        };
        let (theta, wide) = width(Idle::Blocks(&blocks));
        let (same, narrow) = width(Idle::Shared { p: 50.0, se: 0.0, df: None });
        assert_eq!(theta, same);
        assert!(wide > 1.05 * narrow, "{wide} {narrow}");
    }

    #[test]
    fn equal_cycles_give_point() {
        let y = [0.3, 0.6, 0.9, 0.3, 0.3];
        let n = [1.0, 2.0, 3.0, 1.0, 1.0];
        let b = bootstrap_ratio(&RatioInput::new(&y, &y, &n), &Resampling::default()).unwrap();
        assert_eq!((b.percentile.low, b.percentile.high), (b.theta, b.theta));
        assert!(b.studentized.is_none());
    }
}

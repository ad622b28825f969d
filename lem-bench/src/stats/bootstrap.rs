//! Bootstrap intervals of a ratio of sums over cycles, and of a mean: cycles are resampled, never requests.
//!
//! Must not know the metric. Quantiles of pooled samples are in `bootstrap_quantiles`.

use super::bca::{bca_in_place, jackknife_ratio};
use super::bootstrap_ci::{Bootstrap, BootstrapCi, BootstrapMethod};
use super::error::{StatsError, finite, level};
use super::idle::Idle;
use super::quantile::select;
use super::ratio::{RatioInput, same_ratio, spread_se};
use super::resample::{Draws, Resampling};
use super::sum::{constant, fsum, mean};

/// Below this many cycles bootstrap-t has no useful distribution to read from.
const LEAST_CYCLES_STUDENTISED: usize = 5;

/// Marks what a resample does not have.
const NONE: f64 = f64::NAN;

/// Bootstrap intervals of joules per token from cycle sums, at the level of the input, widened by its inflation.
///
/// Resamples whole cycles and, given [`Idle::Blocks`], the idle blocks too, so that the error of the idle power is in
/// the interval. Studentised replicates use the linearised standard error of each resample; those whose error is at
/// most 1e-9·|θ*| are dropped. The acceleration of BCa comes from leaving out cycles.
///
/// # Errors
///
/// As [`ratio_ci`](super::ratio_ci); also `InsufficientData` for [`Idle::Shared`] with an error, whose blocks would be
/// needed, `BadParameter` for resamples outside 1 to 10 million, `ZeroDenominator` when no resample has tokens.
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

/// Bootstrap intervals of the mean of one value a cycle, at level `conf`.
///
/// # Errors
///
/// `InsufficientData` below two values, `NonFinite`, `BadParameter` for the level or the resamples.
pub fn bootstrap_mean(x: &[f64], conf: f64, resampling: &Resampling) -> Result<Bootstrap, StatsError> {
    finite(x, 2)?;
    level(conf)?;
    resampling.check(2)?;
    let ones = vec![1.0; x.len()];
    let theta = mean(x);
    let cycles = Cycles::new(x, &ones, &ones, &[], theta);
    cycles.intervals(spread_se(x, &ones, theta), &jackknife_ratio(x, &ones), conf, 1.0, resampling)
}

/// One cycle as the resampling reads it.
#[derive(Debug, Clone, Copy)]
struct Row {
    /// y − θ·n: small, so that sums of a resample keep their digits.
    residual: f64,
    tokens: f64,
    time: f64,
}

/// Residual, tokens, and the products of both that the sum of squares of a resample takes; one number for even loads.
type Products = [f64; 6];

/// What is resampled.
#[derive(Debug)]
struct Cycles {
    theta: f64,
    rows: Vec<Row>,
    products: Vec<Products>,
    /// Idle blocks less their mean, W; none when there is nothing to resample.
    blocks: Vec<f64>,
}

impl Cycles {
    fn new(y: &[f64], n: &[f64], time: &[f64], blocks: &[f64], theta: f64) -> Self {
        // Cycles of one and the same ratio have no residual, whatever rounding says.
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

    /// All intervals at level `conf`, given the standard error of the estimate and its leave-one-out values.
    fn intervals(
        &self,
        se: f64,
        jack: &[f64],
        conf: f64,
        inflate: f64,
        resampling: &Resampling,
    ) -> Result<Bootstrap, StatsError> {
        let (theta, cycles) = (self.theta, self.rows.len());
        finite(&[theta, se], 2)?;
        let (mut reps, mut ts) = self.replicates(resampling);
        let used = reps.len();
        if used == 0 {
            return Err(StatsError::ZeroDenominator);
        }
        let bca = bca_in_place(theta, &mut reps, jack, conf)?;
        let (percentile, bca) = BootstrapCi::plain(&bca, conf, used, cycles, resampling);
        let readable = cycles >= LEAST_CYCLES_STUDENTISED && ts.len() > resampling.resamples / 2;
        let studentized = readable.then(|| {
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

    /// Replicates of the ratio, and of its studentised deviation, without those that do not exist.
    fn replicates(&self, resampling: &Resampling) -> (Vec<f64>, Vec<f64>) {
        let (c, k) = (self.rows.len(), self.blocks.len());
        let pairs = if k == 0 {
            resampling.run(2, 3 * c, || vec![0; c], |draws, drawn, out| self.resample(draws, drawn, out))
        } else {
            let scratch = || (vec![0; c], vec![0.0; k]);
            resampling.run(2, 6 * (c + k), scratch, |draws, (drawn, blocks), out| {
                let (power, se) = self.resample_idle(draws, blocks);
                draws.each(c, c, |position, i| drawn[position] = i as u32);
                let (shift, se) = self.deviation(drawn, power, se);
                self.answer(shift, se, out);
            })
        };
        let column = |i: usize| {
            let mut column = Vec::with_capacity(resampling.resamples);
            column.extend(pairs.chunks_exact(2).map(|pair| pair[i]).filter(|v| v.is_finite()));
            column
        };
        (column(0), column(1))
    }

    /// One resample of the cycles: θ* and (θ* − θ)/se*.
    #[inline]
    fn resample(&self, draws: &mut Draws, drawn: &mut [u32], out: &mut [f64]) {
        let cycles = self.products.len();
        let mut sums: Products = [0.0; 6];
        draws.each(cycles, cycles, |position, i| {
            drawn[position] = i as u32;
            sums = std::array::from_fn(|l| sums[l] + self.products[i][l]);
        });
        // With δ = r/n, Σ(r_i − δn_i)²·n² in terms that wait for no division.
        let [r, n, rr, rn, nn, _] = sums;
        let (own, cross, square) = (rr * n * n, 2.0 * r * n * rn, r * r * nn);
        let squares = own - cross + square;
        // Where the terms cancel (hardly ever) or overflow, the squares are summed one by one.
        if squares > 1e-6 * (own + cross.abs() + square) {
            let c = cycles as f64;
            let root = (squares * (c / (c - 1.0))).sqrt();
            out[0] = self.tied(r / n);
            out[1] = if root > 1e-9 * (out[0] * n * n).abs() { r * n / root } else { NONE };
        } else {
            let (shift, se) = self.deviation(drawn, 0.0, 0.0);
            self.answer(shift, se, out);
        }
    }

    /// θ* − θ and its standard error for the cycles drawn, with an idle power `power` above the estimated one of
    /// standard error `power_se` (W).
    fn deviation(&self, drawn: &[u32], power: f64, power_se: f64) -> (f64, f64) {
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

    /// θ* and (θ* − θ)/se*; the latter none where there is no standard error.
    fn answer(&self, shift: f64, se: f64, out: &mut [f64]) {
        out[0] = self.tied(shift);
        out[1] = if se > 1e-9 * out[0].abs() { shift / se } else { NONE };
    }

    /// θ*: a resample that is the sample itself is a tie with θ, whatever the order of its sums did.
    fn tied(&self, shift: f64) -> f64 {
        if shift.abs() <= 1e-12 * self.theta.abs() { self.theta } else { self.theta + shift }
    }

    /// One resample of the idle blocks: its mean above the estimated one and the standard error of that, W.
    fn resample_idle(&self, draws: &mut Draws, drawn: &mut [f64]) -> (f64, f64) {
        let k = self.blocks.len() as f64;
        draws.each(self.blocks.len(), drawn.len(), |position, i| drawn[position] = self.blocks[i]);
        let power = drawn.iter().sum::<f64>() / k;
        let squares: f64 = drawn.iter().map(|b| (b - power) * (b - power)).sum();
        (power, (squares / (k * (k - 1.0))).sqrt())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::exhaustive_cluster;

    const Y: [f64; 5] = [100.0, 104.0, 98.0, 120.0, 101.0];
    const N: [f64; 5] = [50.0, 51.0, 49.0, 50.0, 52.0];

    #[test]
    fn random_resamples_agree_with_all_resamples() {
        let all = exhaustive_cluster(&Y, &N, 0.9).unwrap();
        let input = RatioInput { conf: 0.9, ..RatioInput::new(&Y, &N, &N) };
        let some = bootstrap_ratio(&input, &Resampling { resamples: 200_000, ..Resampling::default() }).unwrap();
        // Monte Carlo: the distribution is discrete, so a quantile moves by a step of the support or not at all.
        let near = |got: f64, want: f64| assert!((got - want).abs() < 0.004 * want, "{got} {want}");
        near(some.percentile.low, all.bca.pct_low);
        near(some.percentile.high, all.bca.pct_high);
        near(some.bca.low, all.bca.bca_low);
        near(some.bca.high, all.bca.bca_high);
        let (t, want) = (some.studentized.unwrap(), all.studentized.unwrap());
        near(t.low, want.0);
        assert!((t.high - want.1).abs() < 0.02 * want.1, "{} {}", t.high, want.1);
        let share = all.n_studentized as f64 / all.n_resamples as f64;
        assert!((t.used as f64 / 200_000.0 - share).abs() < 0.001);
    }

    #[test]
    fn idle_blocks_widen_the_interval() {
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
    fn equal_cycles_give_a_point() {
        let y = [0.3, 0.6, 0.9, 0.3, 0.3];
        let n = [1.0, 2.0, 3.0, 1.0, 1.0];
        let b = bootstrap_ratio(&RatioInput::new(&y, &y, &n), &Resampling::default()).unwrap();
        assert_eq!((b.percentile.low, b.percentile.high), (b.theta, b.theta));
        assert!(b.studentized.is_none());
    }
}

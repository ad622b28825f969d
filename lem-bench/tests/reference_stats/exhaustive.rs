//! All resamples of a few cycles instead of random ones: the bootstrap without Monte Carlo error.

use super::checks::{check_finite, check_level, sum};
use super::quantile::quantile7;
use lem_bench::__private::stats::{Bca, StatsError, bca_from_reps, jackknife_ratio};

/// Maximum number of cycles; more would have over a million resamples.
const MAX_CYCLES: usize = 7;

/// Studentised quantiles need more values than this.
const MIN_STUDENTISED: usize = 10;

/// Intervals of Σy/Σn from all C^C resamples of C cycles.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Exhaustive {
    /// The estimate Σy/Σn.
    pub(crate) theta: f64,
    /// Its linearised standard error.
    pub(crate) se: f64,
    /// Number of resamples: C^C.
    pub(crate) n_resamples: usize,
    /// Percentile and BCa intervals.
    pub(crate) bca: Bca,
    /// Number of resamples whose own standard error is not zero.
    pub(crate) n_studentized: usize,
    /// Bootstrap-t interval; `None` with ten studentised values or fewer.
    pub(crate) studentized: Option<(f64, f64)>,
}

/// Returns percentile, BCa (Efron 1987) and bootstrap-t (Efron 1979) intervals of Σy/Σn over all resamples of the
/// cycles.
///
/// `y` and `n` have one value per cycle, 2 to 7 cycles. Replicates within 1e-12 of the estimate are ties with it;
/// studentised values need a standard error above 1e-9·|θ*|.
///
/// # Errors
///
/// `InsufficientData`, `NonFinite`, `LengthMismatch`, `ZeroDenominator` when some resample has no tokens,
/// `BadParameter` for the level or more than 7 cycles.
pub(crate) fn exhaustive_cluster(y: &[f64], n: &[f64], conf: f64) -> Result<Exhaustive, StatsError> {
    check_finite(y, 2)?;
    check_finite(n, 2)?;
    if y.len() != n.len() {
        return Err(StatsError::LengthMismatch);
    }
    check_level(conf)?;
    let cycles = y.len();
    if cycles > MAX_CYCLES {
        return Err(StatsError::BadParameter);
    }
    if sum(n.iter().copied()) == 0.0 {
        return Err(StatsError::ZeroDenominator);
    }
    let theta = sum(y.iter().copied()) / sum(n.iter().copied());
    let se = linearised_se(y, n, theta);
    let n_resamples = cycles.pow(cycles as u32);
    let (mut reps, mut ts) = (Vec::with_capacity(n_resamples), Vec::with_capacity(n_resamples));
    for (drawn, orders) in multisets(cycles) {
        let (yy, nn): (Vec<f64>, Vec<f64>) = drawn.iter().map(|&i| (y[i], n[i])).unzip();
        let tokens = sum(nn.iter().copied());
        if tokens == 0.0 {
            return Err(StatsError::ZeroDenominator);
        }
        let mut rep = sum(yy.iter().copied()) / tokens;
        if (rep - theta).abs() <= 1e-12 * theta.abs() {
            rep = theta;
        }
        reps.extend(std::iter::repeat_n(rep, orders));
        let s = linearised_se(&yy, &nn, rep);
        if s > 1e-9 * rep.abs() {
            ts.extend(std::iter::repeat_n((rep - theta) / s, orders));
        }
    }
    check_finite(&reps, 1)?;
    check_finite(&ts, 0)?;
    let bca = bca_from_reps(theta, &reps, &jackknife_ratio(y, n), conf)?;
    let alpha = (1.0 - conf) / 2.0;
    let n_studentized = ts.len();
    let studentized = if n_studentized > MIN_STUDENTISED {
        let q = quantile7(&ts, &[1.0 - alpha, alpha])?;
        Some((theta - q[0] * se, theta - q[1] * se))
    } else {
        None
    };
    Ok(Exhaustive { theta, se, n_resamples, bca, n_studentized, studentized })
}

/// Returns √(Σ(y − θn)² / (C(C−1))) / mean(n) (Cochran 1977, eq. 6.13).
fn linearised_se(y: &[f64], n: &[f64], theta: f64) -> f64 {
    let cycles = y.len() as f64;
    let squares = sum(y.iter().zip(n).map(|(y, n)| (y - theta * n).powi(2)));
    (squares / (cycles * (cycles - 1.0))).sqrt() / (sum(n.iter().copied()) / cycles)
}

/// Returns every multiset of `n` draws from `0..n`, sorted, with the number of orders in which it can be drawn.
fn multisets(n: usize) -> Vec<(Vec<usize>, usize)> {
    let mut all = Vec::new();
    let mut drawn = vec![0; n];
    loop {
        all.push((drawn.clone(), orders(&drawn)));
        // The next non-decreasing sequence: increment the last element that can grow, and set all following ones to it.
        let Some(position) = drawn.iter().rposition(|&d| d + 1 < n) else { return all };
        let next = drawn[position] + 1;
        drawn[position..].fill(next);
    }
}

/// Returns n! / Π m_i! of a sorted multiset.
fn orders(drawn: &[usize]) -> usize {
    let factorial = |n: usize| (1..=n).product::<usize>();
    drawn.chunk_by(|a, b| a == b).fold(factorial(drawn.len()), |orders, same| orders / factorial(same.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn multisets_cover_every_sequence_once() {
        for n in 2..=6 {
            let all = multisets(n);
            assert_eq!(all.iter().map(|(_, orders)| orders).sum::<usize>(), n.pow(n as u32));
        }
        assert_eq!(multisets(2), vec![(vec![0, 0], 1), (vec![0, 1], 2), (vec![1, 1], 1)]);
    }
}

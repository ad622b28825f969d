//! All resamples of a few cycles instead of random ones: the bootstrap without Monte Carlo error.
//!
//! Must not know how random resamples are drawn; it is what they are tested against.

use super::bca::{Bca, bca_in_place, jackknife_ratio};
use super::error::{StatsError, finite, level};
use super::quantile::select;
use super::ratio::linearised_se;
use super::sum::fsum;

/// More cycles than this would be more than a million resamples.
const MOST_CYCLES: usize = 7;

/// Fewer studentised values than this carry no quantile.
const LEAST_STUDENTISED: usize = 10;

/// Intervals of Σy/Σn from all C^C resamples of C cycles.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Exhaustive {
    /// The estimate Σy/Σn.
    pub theta: f64,
    /// Its linearised standard error.
    pub se: f64,
    /// Number of resamples: C^C.
    pub n_resamples: usize,
    /// Percentile and BCa intervals.
    pub bca: Bca,
    /// Resamples whose own standard error is not zero.
    pub n_studentized: usize,
    /// Bootstrap-t interval; none with ten studentised values or fewer.
    pub studentized: Option<(f64, f64)>,
}

/// Percentile, BCa (Efron 1987) and bootstrap-t (Efron 1979) intervals of Σy/Σn over all resamples of the cycles.
///
/// `y` and `n` have one value a cycle, 2 to 7 cycles. Replicates within 1e-12 of the estimate are ties with it;
/// studentised values need a standard error above 1e-9·|θ*|.
///
/// # Errors
///
/// `InsufficientData`, `NonFinite`, `LengthMismatch`, `ZeroDenominator` when some resample has no tokens,
/// `BadParameter` for the level or more than 7 cycles.
pub fn exhaustive_cluster(y: &[f64], n: &[f64], conf: f64) -> Result<Exhaustive, StatsError> {
    finite(y, 2)?;
    finite(n, 2)?;
    if y.len() != n.len() {
        return Err(StatsError::LengthMismatch);
    }
    level(conf)?;
    let cycles = y.len();
    if cycles > MOST_CYCLES {
        return Err(StatsError::BadParameter);
    }
    if fsum(n.iter().copied()) == 0.0 {
        return Err(StatsError::ZeroDenominator);
    }
    let theta = fsum(y.iter().copied()) / fsum(n.iter().copied());
    let se = linearised_se(y, n, theta);
    let n_resamples = cycles.pow(cycles as u32);
    let (mut reps, mut ts) = (Vec::with_capacity(n_resamples), Vec::with_capacity(n_resamples));
    for (drawn, orders) in multisets(cycles) {
        let (yy, nn): (Vec<f64>, Vec<f64>) = drawn.iter().map(|&i| (y[i], n[i])).unzip();
        let tokens = fsum(nn.iter().copied());
        if tokens == 0.0 {
            return Err(StatsError::ZeroDenominator);
        }
        let mut rep = fsum(yy.iter().copied()) / tokens;
        if (rep - theta).abs() <= 1e-12 * theta.abs() {
            rep = theta;
        }
        reps.extend(std::iter::repeat_n(rep, orders));
        let s = linearised_se(&yy, &nn, rep);
        if s > 1e-9 * rep.abs() {
            ts.extend(std::iter::repeat_n((rep - theta) / s, orders));
        }
    }
    finite(&reps, 1)?;
    finite(&ts, 0)?;
    let bca = bca_in_place(theta, &mut reps, &jackknife_ratio(y, n), conf)?;
    let alpha = (1.0 - conf) / 2.0;
    let n_studentized = ts.len();
    let studentized = (n_studentized > LEAST_STUDENTISED).then(|| {
        let q = select(&mut ts, &[1.0 - alpha, alpha]);
        (theta - q[0] * se, theta - q[1] * se)
    });
    Ok(Exhaustive { theta, se, n_resamples, bca, n_studentized, studentized })
}

/// Every multiset of `n` draws from `0..n`, sorted, with the number of orders in which it can be drawn.
fn multisets(n: usize) -> Vec<(Vec<usize>, usize)> {
    let mut found = Vec::new();
    let mut drawn = vec![0; n];
    loop {
        found.push((drawn.clone(), orders(&drawn)));
        // The next non-decreasing sequence: raise the last element that can rise, and all after it to the same.
        let Some(at) = drawn.iter().rposition(|&d| d + 1 < n) else { return found };
        let raised = drawn[at] + 1;
        drawn[at..].fill(raised);
    }
}

/// n! / Π m_i! of a sorted multiset.
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

//! Changes of level in a history: circular binary segmentation with clamped outliers and permutation tests; and linear
//! trends.

use rand::SeedableRng;
use rand::rngs::Xoshiro256PlusPlus;
use rand::seq::SliceRandom;

use super::descriptive::{MAD_TO_SD, constant, fsum, mean, median_of_sorted, sorted};
use super::distributions::t_sf;
use super::error::{StatsError, check_finite};

/// Entries on either side whose median separates an outlier from a new level; a level has three entries or more.
const NEIGHBOURS: usize = 2;

/// Entries are clamped to this many standard deviations from the median of their neighbours.
const OUTLIER_SDS: f64 = 3.0;

/// Settings of the change-point search.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChangePointRule {
    /// Probability of a false change in a history without one, in (0, 1).
    pub alpha: f64,
    /// Minimum number of entries of a level, 2 or more.
    pub min_entries: usize,
    /// Number of permutations per test, 99 or more and enough for `alpha`.
    pub permutations: usize,
    /// Seed of the permutations; the same seed gives the same result.
    pub seed: u64,
}

impl Default for ChangePointRule {
    fn default() -> Self {
        Self { alpha: 0.01, min_entries: 3, permutations: 1_999, seed: 1 }
    }
}

/// A change of level.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChangePoint {
    /// Index of the first entry of the new level.
    pub at: usize,
    /// Median of the level before, in the unit of the history.
    pub before: f64,
    /// Median of the level from here on.
    pub after: f64,
    /// p value of both levels being equal, by permutation; at least 1/(permutations + 1).
    pub p: f64,
}

/// Returns the changes of level of a history in chronological order (ln J/token of sessions, or any other quantity).
///
/// Uses circular binary segmentation (Olshen & Venkatraman 2004): of all sub-segments of a segment, the one whose mean
/// differs most from that of the rest is split off when at most `alpha` of the permuted segments show as large a
/// difference, and the parts are split again. A rise that is reverted later is therefore found as two changes.
/// Afterwards, changes whose two adjacent levels do not differ by the same test are removed, the least certain first.
/// Outliers are clamped before: to three standard deviations (from the differences of neighbours) around the median of
/// five (Hampel 1974). If entries are exchangeable, any change is found with probability `alpha` at most.
///
/// The time is quadratic in the length: 200 entries take milliseconds, 2,000 entries a few seconds.
///
/// # Errors
///
/// `InsufficientData` for fewer than 2·`min_entries` entries, `NonFinite`, `BadParameter` for a rule outside its
/// ranges.
pub fn change_points(x: &[f64], rule: &ChangePointRule) -> Result<Vec<ChangePoint>, StatsError> {
    let reachable = rule.alpha * (rule.permutations as f64 + 1.0) >= 1.0;
    if !(rule.alpha > 0.0 && rule.alpha < 1.0 && rule.min_entries >= 2 && rule.permutations >= 99 && reachable) {
        return Err(StatsError::BadParameter);
    }
    check_finite(x, 2 * rule.min_entries)?;
    let clamped = clamp_outliers(x);
    check_finite(&clamped, 1)?;
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(rule.seed);
    let mut cuts = Vec::new();
    split_segment(&clamped, 0, rule, &mut rng, &mut cuts);
    cuts.sort_unstable();
    let mut found = test_cuts(x, &clamped, &cuts, rule, &mut rng);
    while let Some(worst) = (0..found.len()).max_by(|a, b| found[*a].p.total_cmp(&found[*b].p))
        && found[worst].p > rule.alpha
    {
        cuts.remove(worst);
        found = test_cuts(x, &clamped, &cuts, rule, &mut rng);
    }
    Ok(found)
}

/// Splits a segment that begins at `offset` of the whole, and its parts recursively.
fn split_segment(
    x: &[f64],
    offset: usize,
    rule: &ChangePointRule,
    rng: &mut Xoshiro256PlusPlus,
    cuts: &mut Vec<usize>,
) {
    if x.len() < 2 * rule.min_entries {
        return;
    }
    let mut centred = centred(x);
    let (observed, from, to) = best_segment(&centred, rule.min_entries);
    if p_value(&mut centred, observed, rule, rng, |r| best_segment(r, rule.min_entries).0) > rule.alpha {
        return;
    }
    let mut begin = 0;
    for end in [from, to, x.len()] {
        if end > begin {
            split_segment(&x[begin..end], offset + begin, rule, rng, cuts);
        }
        if end > 0 && end < x.len() {
            cuts.push(offset + end);
        }
        begin = end;
    }
}

/// Returns the change points at `cuts` (ascending), each tested on its two adjacent levels.
fn test_cuts(
    x: &[f64],
    clamped: &[f64],
    cuts: &[usize],
    rule: &ChangePointRule,
    rng: &mut Xoshiro256PlusPlus,
) -> Vec<ChangePoint> {
    let edges: Vec<usize> = [0].into_iter().chain(cuts.iter().copied()).chain([x.len()]).collect();
    let level = |from: usize, to: usize| median_of_sorted(&sorted(&x[from..to]));
    let test_cut = |edge: &[usize]| {
        let mut both = centred(&clamped[edge[0]..edge[2]]);
        let left = edge[1] - edge[0];
        let difference = |r: &[f64]| r[..left].iter().sum::<f64>().abs();
        let observed = difference(&both);
        let p = p_value(&mut both, observed, rule, rng, difference);
        ChangePoint { at: edge[1], before: level(edge[0], edge[1]), after: level(edge[1], edge[2]), p }
    };
    edges.windows(3).map(test_cut).collect()
}

/// Returns the share of permutations whose statistic is at least the observed one, counting the observed order (Phipson
/// & Smyth 2010). Returns early when the share can no longer be at most `alpha`.
fn p_value(
    values: &mut [f64],
    observed: f64,
    rule: &ChangePointRule,
    rng: &mut Xoshiro256PlusPlus,
    statistic: impl Fn(&[f64]) -> f64,
) -> f64 {
    // Sums of the same values in another order are ties; the factor absorbs rounding.
    let limit = observed * (1.0 - 1e-12);
    let mut at_least_observed = 1.0;
    for done in 1..=rule.permutations {
        values.shuffle(rng);
        at_least_observed += f64::from(u8::from(statistic(values) >= limit));
        if at_least_observed > rule.alpha * (rule.permutations as f64 + 1.0) {
            return at_least_observed / (done as f64 + 1.0);
        }
    }
    at_least_observed / (rule.permutations as f64 + 1.0)
}

/// Returns the difference and the sub-segment `from..to` whose mean differs most from that of the rest, in standard
/// errors up to a factor. The sub-segment has at least `min_len` entries; each part of the rest has at least `min_len`
/// entries or is empty.
fn best_segment(centred: &[f64], min_len: usize) -> (f64, usize, usize) {
    let n = centred.len();
    let mut sums = Vec::with_capacity(n + 1);
    sums.push(0.0);
    sums.extend(centred.iter().scan(0.0, |sum, r| {
        *sum += r;
        Some(*sum)
    }));
    let weight: Vec<f64> = (0..=n).map(|k| (k as f64 * (n - k) as f64).sqrt().recip()).collect();
    let mut best = (0.0, 0, n);
    for from in (0..=n - min_len).filter(|from| *from == 0 || *from >= min_len) {
        let last = n - min_len;
        let ends = (from + min_len..=last).chain((from > 0).then_some(n));
        for to in ends {
            let size = (sums[to] - sums[from]).abs() * weight[to - from];
            if size > best.0 {
                best = (size, from, to);
            }
        }
    }
    best
}

/// Returns the values minus their mean.
fn centred(x: &[f64]) -> Vec<f64> {
    let m = mean(x);
    x.iter().map(|v| v - m).collect()
}

/// Returns the history with outliers clamped towards the median of their neighbours.
fn clamp_outliers(x: &[f64]) -> Vec<f64> {
    let steps: Vec<f64> = x.windows(2).map(|pair| (pair[1] - pair[0]).abs()).collect();
    // The difference of two neighbours of one level has √2 times their standard deviation.
    let limit = OUTLIER_SDS * MAD_TO_SD * median_of_sorted(&sorted(&steps)) * std::f64::consts::FRAC_1_SQRT_2;
    if limit == 0.0 {
        return x.to_vec();
    }
    let width = (2 * NEIGHBOURS + 1).min(x.len());
    let clamp = |i: usize| {
        let from = i.saturating_sub(NEIGHBOURS).min(x.len() - width);
        let middle = median_of_sorted(&sorted(&x[from..from + width]));
        x[i].max(middle - limit).min(middle + limit)
    };
    (0..x.len()).map(clamp).collect()
}

/// A least-squares line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Line {
    /// Its slope, unit of `y` per unit of `x`.
    pub slope: f64,
    /// Two-sided p value of no slope.
    pub p: f64,
}

/// Returns the least-squares slope of `y` against `x` (three pairs or more), tested with Student's t on n − 2 degrees
/// of freedom (equivalent to the test of Pearson's correlation). If `x` or `y` is constant, the slope is 0 with p = 1;
/// a perfect line has p = 0.
///
/// # Errors
///
/// `LengthMismatch`; `InsufficientData` below three pairs; `NonFinite`.
pub fn line(x: &[f64], y: &[f64]) -> Result<Line, StatsError> {
    if x.len() != y.len() {
        return Err(StatsError::LengthMismatch);
    }
    check_finite(x, 3)?;
    check_finite(y, 3)?;
    if constant(x) || constant(y) {
        return Ok(Line { slope: 0.0, p: 1.0 });
    }
    let (mx, my) = (mean(x), mean(y));
    let squares = fsum(x.iter().map(|v| (v - mx) * (v - mx)));
    let slope = fsum(x.iter().zip(y).map(|(v, w)| (v - mx) * (w - my))) / squares;
    let total = fsum(y.iter().map(|w| (w - my) * (w - my)));
    let degrees = x.len() as f64 - 2.0;
    let residual = fsum(x.iter().zip(y).map(|(v, w)| {
        let r = w - my - slope * (v - mx);
        r * r
    })) / degrees;
    let p = if residual > 1e-28 * total { 2.0 * t_sf(slope.abs() / (residual / squares).sqrt(), degrees) } else { 0.0 };
    check_finite(&[slope, p], 2)?;
    Ok(Line { slope, p })
}

/// A least-squares line through a series, and the correlation of neighbours.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trend {
    /// Least-squares slope, unit of the series per step.
    pub slope: f64,
    /// Two-sided p value of no slope.
    pub p: f64,
    /// Lag-1 autocorrelation.
    pub r1: f64,
}

/// Returns the least-squares slope of `x` (three values or more) against its index, tested with n − 2 degrees of
/// freedom, and the lag-1 autocorrelation. A constant series has slope and autocorrelation 0 and p = 1; a perfect line
/// has p = 0.
///
/// # Errors
///
/// `InsufficientData` below three values, `NonFinite`.
pub fn trend(x: &[f64]) -> Result<Trend, StatsError> {
    check_finite(x, 3)?;
    if constant(x) {
        return Ok(Trend { slope: 0.0, p: 1.0, r1: 0.0 });
    }
    let index: Vec<f64> = (0..x.len()).map(|i| i as f64).collect();
    let Line { slope, p } = line(&index, x)?;
    let centred = centred(x);
    let total = fsum(centred.iter().map(|c| c * c));
    // Squares of values below 1e-162 underflow to 0.
    let r1 = if total > 0.0 { fsum(centred.windows(2).map(|w| w[1] * w[0])) / total } else { 0.0 };
    check_finite(&[r1], 1)?;
    Ok(Trend { slope, p, r1 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::norm_ppf;
    use rand::RngExt;

    /// Normal noise with sd 1 around levels.
    fn history(seed: u64, levels: &[(usize, f64)]) -> Vec<f64> {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        let mut noise = || norm_ppf(rng.random::<f64>().max(1e-12));
        levels.iter().flat_map(|&(n, level)| vec![level; n]).map(|level| level + noise()).collect()
    }

    fn found(x: &[f64]) -> Vec<usize> {
        change_points(x, &ChangePointRule::default()).unwrap().iter().map(|c| c.at).collect()
    }

    #[test]
    fn finds_steps() {
        let (mut exact, mut near) = (0, 0);
        for seed in 0..50 {
            let cuts = found(&history(seed, &[(20, 0.0), (15, 4.0)]));
            exact += u32::from(cuts == [20]);
            near += u32::from(cuts.len() == 1 && cuts[0].abs_diff(20) <= 1);
        }
        assert!(exact >= 40 && near >= 47, "{exact} {near} of 50");
    }

    #[test]
    fn reverted_rise_has_two_edges_and_outliers_none() {
        let bumps = (0..50).filter(|seed| found(&history(*seed, &[(15, 0.0), (8, 5.0), (15, 0.0)])).len() == 2).count();
        assert!(bumps >= 45, "{bumps} of 50");
        let mut x = history(3, &[(40, 0.0)]);
        (x[12], x[30]) = (1e6, -1e9);
        assert_eq!(found(&x), [] as [usize; 0]);
    }

    #[test]
    fn few_sessions_show_large_change() {
        // Four times the spread, five sessions after twelve.
        let detected = (0..50).filter(|seed| !found(&history(*seed, &[(12, 0.0), (5, 4.0)])).is_empty()).count();
        assert!(detected >= 45, "{detected} of 50");
    }

    #[test]
    fn false_alarm_rate_is_bounded() {
        let rule = ChangePointRule { alpha: 0.05, permutations: 199, ..ChangePointRule::default() };
        let any = |seed: &u64| !change_points(&history(*seed, &[(24, 0.0)]), &rule).unwrap().is_empty();
        let alarms = (0..400).filter(any).count();
        // 20 expected at most, binomial sd 4.4.
        assert!(alarms <= 34, "{alarms} of 400");
    }

    #[test]
    fn ties_constants_and_short_histories() {
        assert_eq!(found(&[2.5; 30]), [] as [usize; 0]);
        assert_eq!(found(&[1.0, 2.0, 1.0, 2.0, 1.0, 2.0, 1.0, 2.0]), [] as [usize; 0]);
        let steps: Vec<f64> = [1.0; 10].into_iter().chain([1e12; 10]).collect();
        let change = change_points(&steps, &ChangePointRule::default()).unwrap();
        assert_eq!(change.len(), 1);
        assert_eq!((change[0].at, change[0].before, change[0].after), (10, 1.0, 1e12));
        assert!(change[0].p < 0.01);
        assert_eq!(change_points(&[1.0; 5], &ChangePointRule::default()), Err(StatsError::InsufficientData));
        let wrong = ChangePointRule { permutations: 99, alpha: 0.001, ..ChangePointRule::default() };
        assert_eq!(change_points(&[1.0; 9], &wrong), Err(StatsError::BadParameter));
    }

    #[test]
    fn same_seed_same_result() {
        let x = history(9, &[(12, 0.0), (12, 2.0)]);
        let rule = ChangePointRule::default();
        assert_eq!(change_points(&x, &rule), change_points(&x, &rule));
    }

    #[test]
    fn slope_matches_hand_calculation() {
        // y = x + (0, 1, -1, 0): slope 0.8, residual 1.8 / 2, standard error sqrt(0.9 / 5) = 0.4243, t = 1.8856.
        let line = line(&[1.0, 2.0, 3.0, 4.0], &[1.0, 3.0, 2.0, 4.0]).unwrap();
        assert!((line.slope - 0.8).abs() < 1e-12, "{line:?}");
        assert!((line.p - 0.2).abs() < 1e-9, "{line:?}");
    }

    #[test]
    fn constant_has_no_slope() {
        assert_eq!(line(&[5.0; 3], &[1.0, 2.0, 3.0]).unwrap(), Line { slope: 0.0, p: 1.0 });
        assert_eq!(line(&[1.0, 2.0, 3.0], &[2.0, 4.0, 6.0]).unwrap().p, 0.0);
        assert_eq!(line(&[1.0, 2.0], &[1.0, 2.0]), Err(StatsError::InsufficientData));
        assert_eq!(line(&[1.0, 2.0, 3.0], &[1.0]), Err(StatsError::LengthMismatch));
    }
}

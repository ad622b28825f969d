//! Where a history changed its level: circular binary segmentation, outliers drawn in, with permutations for the null.
//!
//! Must not know what the history measures, nor what its entries are called.

use rand::SeedableRng;
use rand::rngs::Xoshiro256PlusPlus;
use rand::seq::SliceRandom;

use super::error::{StatsError, finite};
use super::quantile::{median_of_sorted, sorted};
use super::sum::mean;
use super::summary::MAD_TO_SD;

/// Entries on either side whose median tells an outlier from a new level: a level is three entries or more.
const NEIGHBOURS: usize = 2;

/// An entry further than so many standard deviations from the median of its neighbours is drawn in to there.
const OUTLIER: f64 = 3.0;

/// How a history is cut.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChangePointRule {
    /// How often a history without a change may show one, in (0, 1).
    pub alpha: f64,
    /// The fewest entries of a level, 2 or more.
    pub least: usize,
    /// Permutations of each test, 99 or more and enough for `alpha`.
    pub permutations: usize,
    /// Their seed; the same seed gives the same answer.
    pub seed: u64,
}

impl Default for ChangePointRule {
    fn default() -> Self {
        Self { alpha: 0.01, least: 3, permutations: 1_999, seed: 1 }
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
    /// p value of the two levels being one, by permutation: 1/(permutations + 1) at least.
    pub p: f64,
}

/// The changes of level of a history in the order in which it happened (ln J/token of sessions, or any other quantity).
///
/// Circular binary segmentation (Olshen & Venkatraman 2004): of all stretches of a segment, the one whose mean differs
/// most from that of the rest is kept when no more than `alpha` of the permuted segments show as much, and the parts are
/// cut again; so a rise that is taken back later is found as such. Then changes whose two neighbouring levels do not
/// differ by the same test are taken back, the least certain first. Single sessions that went wrong are drawn in first:
/// to three standard deviations (from the differences of neighbours) around the median of five (Hampel 1974). Under
/// exchangeable entries any change is found with probability `alpha` at most.
///
/// Time grows with the square of the length: 200 entries take milliseconds, 2,000 a few seconds.
///
/// # Errors
///
/// `InsufficientData` for fewer than 2·`least` entries, `NonFinite`, `BadParameter` for a rule that cannot be.
pub fn change_points(x: &[f64], rule: &ChangePointRule) -> Result<Vec<ChangePoint>, StatsError> {
    let reachable = rule.alpha * (rule.permutations as f64 + 1.0) >= 1.0;
    if !(rule.alpha > 0.0 && rule.alpha < 1.0 && rule.least >= 2 && rule.permutations >= 99 && reachable) {
        return Err(StatsError::BadParameter);
    }
    finite(x, 2 * rule.least)?;
    let drawn_in = draw_in(x);
    finite(&drawn_in, 1)?;
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(rule.seed);
    let mut cuts = Vec::new();
    cut(&drawn_in, 0, rule, &mut rng, &mut cuts);
    cuts.sort_unstable();
    let mut found = levels(x, &drawn_in, &cuts, rule, &mut rng);
    while let Some(worst) = (0..found.len()).max_by(|a, b| found[*a].p.total_cmp(&found[*b].p))
        && found[worst].p > rule.alpha
    {
        cuts.remove(worst);
        found = levels(x, &drawn_in, &cuts, rule, &mut rng);
    }
    Ok(found)
}

/// Cuts a segment that begins at `offset` of the whole, and its parts.
fn cut(x: &[f64], offset: usize, rule: &ChangePointRule, rng: &mut Xoshiro256PlusPlus, cuts: &mut Vec<usize>) {
    if x.len() < 2 * rule.least {
        return;
    }
    let mut centred = centred(x);
    let (observed, from, to) = best_stretch(&centred, rule.least);
    if p_value(&mut centred, observed, rule, rng, |r| best_stretch(r, rule.least).0) > rule.alpha {
        return;
    }
    let mut begin = 0;
    for end in [from, to, x.len()] {
        if end > begin {
            cut(&x[begin..end], offset + begin, rule, rng, cuts);
        }
        if end > 0 && end < x.len() {
            cuts.push(offset + end);
        }
        begin = end;
    }
}

/// The change points at `cuts` (ascending), each tested against its neighbours.
fn levels(
    x: &[f64],
    drawn_in: &[f64],
    cuts: &[usize],
    rule: &ChangePointRule,
    rng: &mut Xoshiro256PlusPlus,
) -> Vec<ChangePoint> {
    let edges: Vec<usize> = [0].into_iter().chain(cuts.iter().copied()).chain([x.len()]).collect();
    let level = |from: usize, to: usize| median_of_sorted(&sorted(&x[from..to]));
    let each = edges.windows(3).map(|edge| {
        let mut both = centred(&drawn_in[edge[0]..edge[2]]);
        let left = edge[1] - edge[0];
        let difference = |r: &[f64]| r[..left].iter().sum::<f64>().abs();
        let observed = difference(&both);
        let p = p_value(&mut both, observed, rule, rng, difference);
        ChangePoint { at: edge[1], before: level(edge[0], edge[1]), after: level(edge[1], edge[2]), p }
    });
    each.collect()
}

/// The share of permutations that show at least as much as was observed, the observed order among them (Phipson &
/// Smyth 2010). Ends early when it cannot fall to `alpha` any more.
fn p_value(
    values: &mut [f64],
    observed: f64,
    rule: &ChangePointRule,
    rng: &mut Xoshiro256PlusPlus,
    statistic: impl Fn(&[f64]) -> f64,
) -> f64 {
    // Sums of the same values in another order are ties, whatever rounding says.
    let limit = observed * (1.0 - 1e-12);
    let mut as_much = 1.0;
    for done in 1..=rule.permutations {
        values.shuffle(rng);
        as_much += f64::from(u8::from(statistic(values) >= limit));
        if as_much > rule.alpha * (rule.permutations as f64 + 1.0) {
            return as_much / (done as f64 + 1.0);
        }
    }
    as_much / (rule.permutations as f64 + 1.0)
}

/// The stretch `from..to` whose mean differs most from that of the rest, in standard errors up to a factor, with the
/// stretch and each part of the rest `least` long or empty.
fn best_stretch(centred: &[f64], least: usize) -> (f64, usize, usize) {
    let n = centred.len();
    let mut sums = Vec::with_capacity(n + 1);
    sums.push(0.0);
    sums.extend(centred.iter().scan(0.0, |sum, r| {
        *sum += r;
        Some(*sum)
    }));
    let weight: Vec<f64> = (0..=n).map(|k| (k as f64 * (n - k) as f64).sqrt().recip()).collect();
    let mut best = (0.0, 0, n);
    for from in (0..=n - least).filter(|from| *from == 0 || *from >= least) {
        let last = n - least;
        let ends = (from + least..=last).chain((from > 0).then_some(n));
        for to in ends {
            let size = (sums[to] - sums[from]).abs() * weight[to - from];
            if size > best.0 {
                best = (size, from, to);
            }
        }
    }
    best
}

/// The values less their mean.
fn centred(x: &[f64]) -> Vec<f64> {
    let m = mean(x);
    x.iter().map(|v| v - m).collect()
}

/// The history with what is far from its neighbours drawn in.
fn draw_in(x: &[f64]) -> Vec<f64> {
    let steps: Vec<f64> = x.windows(2).map(|pair| (pair[1] - pair[0]).abs()).collect();
    // The difference of two neighbours of one level spreads by √2 more than they do.
    let reach = OUTLIER * MAD_TO_SD * median_of_sorted(&sorted(&steps)) * std::f64::consts::FRAC_1_SQRT_2;
    if reach == 0.0 {
        return x.to_vec();
    }
    let width = (2 * NEIGHBOURS + 1).min(x.len());
    let each = (0..x.len()).map(|i| {
        let from = i.saturating_sub(NEIGHBOURS).min(x.len() - width);
        let middle = median_of_sorted(&sorted(&x[from..from + width]));
        x[i].max(middle - reach).min(middle + reach)
    });
    each.collect()
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
    fn steps_are_found_where_they_are() {
        let (mut exact, mut near) = (0, 0);
        for seed in 0..50 {
            let at = found(&history(seed, &[(20, 0.0), (15, 4.0)]));
            exact += u32::from(at == [20]);
            near += u32::from(at.len() == 1 && at[0].abs_diff(20) <= 1);
        }
        assert!(exact >= 40 && near >= 47, "{exact} {near} of 50");
    }

    #[test]
    fn a_rise_that_is_taken_back_has_two_edges_and_outliers_have_none() {
        let bumps = (0..50).filter(|seed| found(&history(*seed, &[(15, 0.0), (8, 5.0), (15, 0.0)])).len() == 2).count();
        assert!(bumps >= 45, "{bumps} of 50");
        let mut x = history(3, &[(40, 0.0)]);
        (x[12], x[30]) = (1e6, -1e9);
        assert_eq!(found(&x), [] as [usize; 0]);
    }

    #[test]
    fn few_new_sessions_are_enough_for_a_large_change() {
        // Four times the spread, five sessions after twelve.
        let seen = (0..50).filter(|seed| !found(&history(*seed, &[(12, 0.0), (5, 4.0)])).is_empty()).count();
        assert!(seen >= 45, "{seen} of 50");
    }

    #[test]
    fn a_history_without_a_change_shows_one_as_rarely_as_promised() {
        let rule = ChangePointRule { alpha: 0.05, permutations: 199, ..ChangePointRule::default() };
        let any = |seed: &u64| !change_points(&history(*seed, &[(24, 0.0)]), &rule).unwrap().is_empty();
        let alarms = (0..400).filter(any).count();
        // 20 expected at most, binomial sd 4.4.
        assert!(alarms <= 34, "{alarms} of 400");
    }

    #[test]
    fn ties_constants_and_short_histories_are_no_changes() {
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
    fn the_same_seed_gives_the_same_answer() {
        let x = history(9, &[(12, 0.0), (12, 2.0)]);
        let rule = ChangePointRule::default();
        assert_eq!(change_points(&x, &rule), change_points(&x, &rule));
    }
}

//! Energy per unit of work as a ratio of sums over cycles, with the error of the idle power in its interval.

use super::descriptive::{fsum, mean, variance};
use super::distributions::{norm_ppf, t_ppf};
use super::error::{StatsError, check_finite, check_level, check_not_negative};

/// Factor on the width of intervals whose number of cycles was chosen by their width ([`RatioInput::inflate`]).
///
/// Stopping when the interval is narrow enough costs 1.5 to 3 percentage points of coverage; this factor compensates
/// for it.
pub const ADAPTIVE_INFLATION: f64 = 1.08;

/// Mean idle power with its standard error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct IdleMean {
    /// Mean power, W.
    pub p: f64,
    /// Standard error of the mean, W.
    pub se: f64,
    /// Degrees of freedom of the standard error: blocks − 1.
    pub df: f64,
}

/// Returns the mean idle power of two or more block means (W).
///
/// Blocks should be three seconds or longer. Raw samples are autocorrelated, and their standard error would be too
/// small.
///
/// # Errors
///
/// `InsufficientData` for fewer than two blocks, `NonFinite`.
pub fn idle_mean(blocks: &[f64]) -> Result<IdleMean, StatsError> {
    check_finite(blocks, 2)?;
    let k = blocks.len() as f64;
    Ok(IdleMean { p: mean(blocks), se: (variance(blocks) / k).sqrt(), df: k - 1.0 })
}

/// The idle power that is subtracted from the energy of each cycle, and how precisely it is known.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Idle<'a> {
    /// Nothing: gross energy.
    #[default]
    None,
    /// One idle power for all cycles. Its error is common to all cycles, so more cycles do not average it out.
    Shared {
        /// Mean power, W.
        p: f64,
        /// Standard error, W, zero or more.
        se: f64,
        /// Degrees of freedom of `se`; `None` (or 0) when `se` is known exactly.
        df: Option<f64>,
    },
    /// As `Shared`, given as the idle block means (W), which the bootstrap can resample.
    Blocks(&'a [f64]),
    /// One idle power per cycle (W), measured in the adjacent gaps. Its error is part of the spread between cycles.
    PerCycle(&'a [f64]),
}

impl Idle<'_> {
    /// Returns mean power, standard error (W) and degrees of freedom of the idle power that all cycles share; zeros
    /// without one.
    pub(super) fn shared(&self) -> Result<(f64, f64, Option<f64>), StatsError> {
        match *self {
            Self::None | Self::PerCycle(_) => Ok((0.0, 0.0, None)),
            Self::Shared { p, se, df } => {
                check_finite(&[p], 1)?;
                check_not_negative(se)?;
                let df = df.filter(|&df| df != 0.0);
                if df.is_some_and(|df| df.is_nan() || df < 0.0) {
                    return Err(StatsError::BadParameter);
                }
                Ok((p, se, df))
            }
            Self::Blocks(blocks) => idle_mean(blocks).map(|idle| (idle.p, idle.se, Some(idle.df))),
        }
    }

    /// Returns the net energies (J) of the cycles: `energy_j` − power · `time_s`.
    pub(super) fn net(&self, energy_j: &[f64], time_s: &[f64]) -> Result<Vec<f64>, StatsError> {
        let (p, ..) = self.shared()?;
        let cycles = energy_j.iter().zip(time_s);
        match self {
            Self::PerCycle(powers) => {
                check_finite(powers, 0)?;
                if powers.len() != energy_j.len() {
                    return Err(StatsError::LengthMismatch);
                }
                Ok(cycles.zip(*powers).map(|((e, t), p)| e - p * t).collect())
            }
            _ => Ok(cycles.map(|(e, t)| e - p * t).collect()),
        }
    }
}

/// Sums of cycles and how to treat them. The three slices have one value per cycle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RatioInput<'a> {
    /// Energy of each cycle, J.
    pub energy_j: &'a [f64],
    /// Duration of each cycle, s.
    pub time_s: &'a [f64],
    /// Tokens (or any other unit of work) of each cycle.
    pub tokens: &'a [f64],
    /// The idle power to subtract from the energy.
    pub idle: Idle<'a>,
    /// Confidence level, in [0, 1).
    pub conf: f64,
    /// Factor on the critical value: 1, or [`ADAPTIVE_INFLATION`].
    pub inflate: f64,
}

impl<'a> RatioInput<'a> {
    /// Creates the input for gross energy at 95 %, not widened.
    pub fn new(energy_j: &'a [f64], time_s: &'a [f64], tokens: &'a [f64]) -> Self {
        Self { energy_j, time_s, tokens, idle: Idle::None, conf: 0.95, inflate: 1.0 }
    }

    /// Checks the input; every method on cycle sums does this first.
    pub(super) fn check(&self) -> Result<(), StatsError> {
        for x in [self.energy_j, self.time_s, self.tokens] {
            check_finite(x, 2)?;
        }
        let cycles = self.energy_j.len();
        if self.time_s.len() != cycles || self.tokens.len() != cycles {
            return Err(StatsError::LengthMismatch);
        }
        if fsum(self.tokens.iter().copied()) <= 0.0 {
            return Err(StatsError::ZeroDenominator);
        }
        check_level(self.conf)?;
        if self.inflate.is_finite() && self.inflate > 0.0 { Ok(()) } else { Err(StatsError::BadParameter) }
    }
}

/// A ratio with its interval. Energies in J per token throughout.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RatioCi {
    /// The estimate: sum of (net) energies over sum of tokens.
    pub theta: f64,
    /// Standard error from the spread between cycles.
    pub se_within: f64,
    /// Standard error from the idle power that the cycles share.
    pub se_idle: f64,
    /// Both combined.
    pub se: f64,
    /// Degrees of freedom (Welch 1947, Satterthwaite 1946); `None` when infinite.
    pub df: Option<f64>,
    /// Critical value used, with the inflation.
    pub t_crit: f64,
    /// Lower end of the log interval where it exists, else of the linear one.
    pub low: f64,
    /// Upper end; may be infinite when the standard error is hundreds of times the estimate.
    pub high: f64,
    /// Lower end of θ − t·se.
    pub lin_low: f64,
    /// Upper end of θ + t·se.
    pub lin_high: f64,
    /// θ·exp(∓t·se/θ); `None` when θ ≤ 0.
    pub log: Option<(f64, f64)>,
}

/// Returns joules per token with its interval, from cycle sums.
///
/// Uses the ratio estimator with its linearised variance (Cochran 1977, eq. 6.13), adds the variance of a shared idle
/// power and combines the degrees of freedom (Satterthwaite 1946). The interval is computed on the log scale for θ > 0.
/// In simulations the 95 % interval covers 94 to 96 % at 5, 8 and 12 cycles. Reports should call it indicative below 8
/// cycles.
///
/// # Errors
///
/// `InsufficientData` below two cycles, `NonFinite`, `LengthMismatch`, `ZeroDenominator` when the tokens do not sum to
/// more than zero, `BadParameter` for a level outside [0, 1), a negative idle error or an inflation ≤ 0.
pub fn ratio_ci(input: &RatioInput<'_>) -> Result<RatioCi, StatsError> {
    input.check()?;
    let net = input.idle.net(input.energy_j, input.time_s)?;
    let (_, idle_se, idle_df) = input.idle.shared()?;
    let tokens = input.tokens;
    let cycles = tokens.len() as f64;
    let sum_tokens = fsum(tokens.iter().copied());
    let theta = fsum(net.iter().copied()) / sum_tokens;
    let se_within = spread_se(&net, tokens, theta);
    let se_idle = fsum(input.time_s.iter().copied()) / sum_tokens * idle_se;
    let se = (se_within * se_within + se_idle * se_idle).sqrt();
    let df = combined_df(se_within, cycles - 1.0, se_idle, idle_df);
    let p = 0.5 + input.conf / 2.0;
    let t_crit = input.inflate * df.map_or_else(|| norm_ppf(p), |df| t_ppf(p, df));
    let (lin_low, lin_high) = (theta - t_crit * se, theta + t_crit * se);
    let log = (theta > 0.0).then(|| log_interval(theta, t_crit * se));
    let (low, high) = log.unwrap_or((lin_low, lin_high));
    if !(theta.is_finite() && se.is_finite()) {
        return Err(StatsError::NonFinite);
    }
    Ok(RatioCi { theta, se_within, se_idle, se, df, t_crit, low, high, lin_low, lin_high, log })
}

/// Returns θ·exp(∓half/θ) for θ > 0: an interval that stays above zero.
fn log_interval(theta: f64, half: f64) -> (f64, f64) {
    (theta * (-half / theta).exp(), theta * (half / theta).exp())
}

/// Returns the standard error from the spread between cycles; exactly 0 where all have the same ratio.
pub(super) fn spread_se(y: &[f64], n: &[f64], theta: f64) -> f64 {
    if same_ratio(y, n) { 0.0 } else { linearised_se(y, n, theta) }
}

/// Returns whether every cycle has tokens and exactly the same ratio, so that any computed spread is a rounding error.
pub(super) fn same_ratio(net: &[f64], tokens: &[f64]) -> bool {
    let first = net[0] / tokens[0];
    net.iter().zip(tokens).all(|(y, n)| *n > 0.0 && y / n == first)
}

/// Returns √(Σ(y − θn)² / (C(C−1))) / mean(n) (Cochran 1977, eq. 6.13).
fn linearised_se(y: &[f64], n: &[f64], theta: f64) -> f64 {
    let cycles = y.len() as f64;
    let squares = fsum(y.iter().zip(n).map(|(y, n)| {
        let r = y - theta * n;
        r * r
    }));
    (squares / (cycles * (cycles - 1.0))).sqrt() / (fsum(n.iter().copied()) / cycles)
}

/// Returns Satterthwaite's degrees of freedom of √(a² + b²); `None` when infinite, those of `a` when both are 0.
///
/// Computed with shares of the total variance, so that variances of 1e-200 do not underflow.
fn combined_df(a: f64, a_df: f64, b: f64, b_df: Option<f64>) -> Option<f64> {
    let variance = a * a + b * b;
    if variance == 0.0 {
        return Some(a_df);
    }
    let (share_a, share_b) = (a * a / variance, b * b / variance);
    let inverse = share_a * share_a / a_df + b_df.map_or(0.0, |df| share_b * share_b / df);
    (inverse > 0.0).then(|| inverse.recip())
}

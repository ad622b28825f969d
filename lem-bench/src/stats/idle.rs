//! The power of the machine at rest, with its own error.
//!
//! Must not know how it was measured or which window it is subtracted from.

use super::error::{StatsError, finite, not_negative};
use super::sum::{mean, variance};

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

/// Mean idle power from block means (W), two or more.
///
/// Blocks of three seconds and more, not raw samples: those are autocorrelated and their standard error is too small.
///
/// # Errors
///
/// `InsufficientData` for fewer than two blocks, `NonFinite`.
pub fn idle_mean(blocks: &[f64]) -> Result<IdleMean, StatsError> {
    finite(blocks, 2)?;
    let k = blocks.len() as f64;
    Ok(IdleMean { p: mean(blocks), se: (variance(blocks) / k).sqrt(), df: k - 1.0 })
}

/// What is subtracted from the energy of each cycle, and how well it is known.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Idle<'a> {
    /// Nothing: gross energy.
    #[default]
    None,
    /// One idle power for all cycles. Its error is common to them and no number of cycles averages it out.
    Shared {
        /// Mean power, W.
        p: f64,
        /// Standard error, W, zero or more.
        se: f64,
        /// Degrees of freedom of `se`; none (or 0) when it is known exactly.
        df: Option<f64>,
    },
    /// As `Shared`, from the idle block means (W) themselves, which the bootstrap can resample.
    Blocks(&'a [f64]),
    /// One idle power per cycle (W), measured in the gaps beside it. Its error is part of the spread between cycles.
    PerCycle(&'a [f64]),
}

impl Idle<'_> {
    /// Mean power, standard error (W) and degrees of freedom of what all cycles share; zeros when they share nothing.
    pub(super) fn shared(&self) -> Result<(f64, f64, Option<f64>), StatsError> {
        match *self {
            Self::None | Self::PerCycle(_) => Ok((0.0, 0.0, None)),
            Self::Shared { p, se, df } => {
                finite(&[p], 1)?;
                not_negative(se)?;
                let df = df.filter(|&df| df != 0.0);
                if df.is_some_and(|df| df.is_nan() || df < 0.0) {
                    return Err(StatsError::BadParameter);
                }
                Ok((p, se, df))
            }
            Self::Blocks(blocks) => idle_mean(blocks).map(|idle| (idle.p, idle.se, Some(idle.df))),
        }
    }

    /// Net energies (J) of cycles: `energy_j` − power · `time_s`.
    pub(super) fn net(&self, energy_j: &[f64], time_s: &[f64]) -> Result<Vec<f64>, StatsError> {
        let (p, ..) = self.shared()?;
        let cycles = energy_j.iter().zip(time_s);
        match self {
            Self::PerCycle(powers) => {
                finite(powers, 0)?;
                if powers.len() != energy_j.len() {
                    return Err(StatsError::LengthMismatch);
                }
                Ok(cycles.zip(*powers).map(|((e, t), p)| e - p * t).collect())
            }
            _ => Ok(cycles.map(|(e, t)| e - p * t).collect()),
        }
    }
}

//! What a statistical function answers instead of a number, and the checks of slices that lead to it.
//!
//! Must not know which function asks.

use std::fmt;

/// Why a statistic does not exist for the given data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StatsError {
    /// Fewer observations than the formula needs.
    InsufficientData,
    /// A NaN or an infinity in the data.
    NonFinite,
    /// A zero or negative value where a logarithm is taken.
    NonPositive,
    /// The denominator of a ratio (the tokens) does not sum to more than zero.
    ZeroDenominator,
    /// Slices that belong together have different lengths.
    LengthMismatch,
    /// A parameter outside its range, such as a confidence level of 1.5.
    BadParameter,
}

impl StatsError {
    /// The stable name of the error, as stored in results and test vectors: `"insufficient_data"` and so on.
    pub const fn code(self) -> &'static str {
        match self {
            Self::InsufficientData => "insufficient_data",
            Self::NonFinite => "non_finite",
            Self::NonPositive => "non_positive",
            Self::ZeroDenominator => "zero_denominator",
            Self::LengthMismatch => "length_mismatch",
            Self::BadParameter => "bad_parameter",
        }
    }
}

impl fmt::Display for StatsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InsufficientData => "there are too few observations",
            Self::NonFinite => "the data hold a NaN or an infinity",
            Self::NonPositive => "the data hold a value that is not above zero",
            Self::ZeroDenominator => "the denominator does not sum to more than zero",
            Self::LengthMismatch => "slices that belong together differ in length",
            Self::BadParameter => "a parameter is out of range",
        })
    }
}

impl std::error::Error for StatsError {}

/// At least `least` values, all finite.
pub(super) fn finite(x: &[f64], least: usize) -> Result<(), StatsError> {
    if x.len() < least {
        return Err(StatsError::InsufficientData);
    }
    if x.iter().all(|v| v.is_finite()) { Ok(()) } else { Err(StatsError::NonFinite) }
}

/// Every value above zero, so that its logarithm exists.
pub(super) fn positive(x: &[f64]) -> Result<(), StatsError> {
    if x.iter().all(|&v| v > 0.0) { Ok(()) } else { Err(StatsError::NonPositive) }
}

/// A confidence level in `[0, 1)`: at 1 every interval is the whole line.
pub(super) fn level(conf: f64) -> Result<(), StatsError> {
    if (0.0..1.0).contains(&conf) { Ok(()) } else { Err(StatsError::BadParameter) }
}

/// A parameter that must be a number, zero or more.
pub(super) fn not_negative(v: f64) -> Result<(), StatsError> {
    if v.is_finite() && v >= 0.0 { Ok(()) } else { Err(StatsError::BadParameter) }
}

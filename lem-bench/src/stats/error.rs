//! The error of all statistical functions, and the checks of slices and parameters that return it.

use thiserror::Error;

/// Why a statistic does not exist for the given data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum StatsError {
    /// Fewer observations than the formula needs.
    #[error("too few observations")]
    InsufficientData,
    /// A NaN or an infinity in the data.
    #[error("the data contain a NaN or an infinity")]
    NonFinite,
    /// A zero or negative value where a logarithm is taken.
    #[error("the data contain a value that is not above zero")]
    NonPositive,
    /// The denominator of a ratio (the tokens) does not sum to more than zero.
    #[error("the denominator does not sum to more than zero")]
    ZeroDenominator,
    /// Slices that belong together have different lengths.
    #[error("slices that belong together differ in length")]
    LengthMismatch,
    /// A parameter outside its range, such as a confidence level of 1.5.
    #[error("a parameter is out of range")]
    BadParameter,
}

impl StatsError {
    /// Returns the stable name of the error, as stored in results and test vectors: `"insufficient_data"` and so on.
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

/// Checks that `x` has at least `min_len` values, all finite.
pub(super) fn check_finite(x: &[f64], min_len: usize) -> Result<(), StatsError> {
    if x.len() < min_len {
        return Err(StatsError::InsufficientData);
    }
    if x.iter().all(|v| v.is_finite()) { Ok(()) } else { Err(StatsError::NonFinite) }
}

/// Checks that every value is above zero, so that its logarithm exists.
pub(super) fn check_positive(x: &[f64]) -> Result<(), StatsError> {
    if x.iter().all(|&v| v > 0.0) { Ok(()) } else { Err(StatsError::NonPositive) }
}

/// Checks that a confidence level is in `[0, 1)`; at 1 every interval would be unbounded.
pub(super) fn check_level(conf: f64) -> Result<(), StatsError> {
    if (0.0..1.0).contains(&conf) { Ok(()) } else { Err(StatsError::BadParameter) }
}

/// Checks that a parameter is finite and not negative.
pub(super) fn check_not_negative(v: f64) -> Result<(), StatsError> {
    if v.is_finite() && v >= 0.0 { Ok(()) } else { Err(StatsError::BadParameter) }
}

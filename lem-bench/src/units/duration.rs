//! The grammar of durations in options, `lem-bench.toml` and attributes: `5s`, `500ms`, `1.5min`.
//!
//! Depends on `std` only, so that the attribute's macro can share it.

use std::time::Duration;

/// Longer durations are rejected as typing errors.
const MAX_S: f64 = 366.0 * 86_400.0;

/// Why a text is not a duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ParseDurationError {
    /// Not a number with an optional unit.
    Syntax,
    /// More than 366 days.
    TooLong,
}

/// Parses a decimal number and a unit: `us` or `µs`, `ms`, `s`, `m` or `min`, `h`. A number without a unit is in seconds.
/// White space around the number and the unit is allowed.
///
/// # Errors
/// The text has another form, or the duration exceeds 366 days.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, ParseDurationError> {
    let text = text.trim();
    let unit_at = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_at);
    let unit_s = match unit.trim_start() {
        "us" | "µs" => 1e-6,
        "ms" => 1e-3,
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return Err(ParseDurationError::Syntax),
    };
    let seconds = number.parse::<f64>().map_err(|_| ParseDurationError::Syntax)? * unit_s;
    if seconds > MAX_S {
        return Err(ParseDurationError::TooLong);
    }
    Duration::try_from_secs_f64(seconds).map_err(|_| ParseDurationError::Syntax)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_units_and_bare_seconds() {
        for (text, millis) in [
            ("5s", 5000),
            ("500ms", 500),
            ("1m", 60_000),
            ("1min", 60_000),
            ("1.5min", 90_000),
            ("2", 2000),
            ("0.25", 250),
            ("1 h", 3_600_000),
        ] {
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        assert_eq!(parse_duration("200us"), parse_duration("200µs"));
    }

    #[test]
    fn rejects_other_texts() {
        for text in ["", "s", "-1s", "5 apples", "nan", "inf", "1e3", "5s5", "1.2.3s"] {
            assert_eq!(parse_duration(text), Err(ParseDurationError::Syntax), "{text}");
        }
        assert_eq!(parse_duration("9999999h"), Err(ParseDurationError::TooLong));
    }
}

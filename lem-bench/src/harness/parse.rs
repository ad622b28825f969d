//! Parsers and printers for option values, and suggestions for misspelled names.

use std::time::Duration;

use crate::units::{ParseDurationError, parse_duration};

/// A value that an option does not accept.
///
/// What the option accepts is in its `expects` text; `reason` is set where that text is not enough.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct InvalidValue {
    pub reason: Option<String>,
}

impl From<String> for InvalidValue {
    fn from(reason: String) -> Self {
        Self { reason: Some(reason) }
    }
}

impl From<ParseDurationError> for InvalidValue {
    fn from(error: ParseDurationError) -> Self {
        match error {
            ParseDurationError::Syntax => Self::default(),
            ParseDurationError::TooLong => Self::from("that is more than a year".to_owned()),
        }
    }
}

/// Parses a whole number of at least `min`.
pub(super) fn count(text: &str, min: u32) -> Result<u32, InvalidValue> {
    text.trim().parse().ok().filter(|n| *n >= min).ok_or_else(InvalidValue::default)
}

/// Parses a whole number from 0 to 2⁶⁴ − 1.
pub(super) fn seed(text: &str) -> Result<u64, InvalidValue> {
    text.trim().parse().map_err(|_| InvalidValue::default())
}

/// Parses `true` or `false`, also written as `1`, `yes`, `on` and `0`, `no`, `off`.
pub(super) fn switch(text: &str) -> Result<bool, InvalidValue> {
    match text.trim().to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Ok(true),
        "0" | "false" | "no" | "off" => Ok(false),
        _ => Err(InvalidValue::default()),
    }
}

/// Parses a positive, finite number.
pub(super) fn positive(text: &str) -> Result<f64, InvalidValue> {
    match text.trim().parse::<f64>() {
        Ok(n) if n.is_finite() && n > 0.0 => Ok(n),
        _ => Err(InvalidValue::default()),
    }
}

/// Parses a share above 0 and below 1: `0.95` or `95%`.
pub(super) fn share(text: &str) -> Result<f64, InvalidValue> {
    let text = text.trim();
    let share = match text.strip_suffix('%') {
        Some(percent) => positive(percent)? / 100.0,
        None => positive(text)?,
    };
    if share < 1.0 { Ok(share) } else { Err(InvalidValue::default()) }
}

/// Parses a duration: see [`parse_duration`].
pub(super) fn duration(text: &str) -> Result<Duration, InvalidValue> {
    Ok(parse_duration(text)?)
}

/// Parses a duration above zero.
pub(super) fn positive_duration(text: &str) -> Result<Duration, InvalidValue> {
    let duration = duration(text)?;
    if duration.is_zero() { Err(InvalidValue::default()) } else { Ok(duration) }
}

/// Parses `key=value`, where the key is not empty.
pub(super) fn pair(text: &str) -> Result<(String, String), InvalidValue> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => Ok((key.trim().to_owned(), value.to_owned())),
        _ => Err(InvalidValue::default()),
    }
}

/// Splits at commas and drops empty pieces.
pub(super) fn comma_list(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|piece| !piece.is_empty()).map(str::to_owned).collect()
}

/// Returns the known name that is closest to `word`, if at most a third of the letters of `word` differ; two that are
/// swapped count as one (optimal string alignment distance).
pub(super) fn suggest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let (distance, closest) = known.into_iter().map(|name| (strsim::osa_distance(word, name), name)).min()?;
    (distance <= word.chars().count().max(3) / 3).then_some(closest)
}

/// Formats a duration: `0.30 s`, `12 s`, `3 min 5 s`, `2 h 10 min`.
pub(super) fn format_duration(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    let whole = seconds.round() as u64;
    match whole {
        0..10 if seconds < 9.95 && (seconds * 10.0).fract() != 0.0 && seconds < 1.0 => format!("{seconds:.2} s"),
        0..10 if seconds.fract() != 0.0 => format!("{seconds:.1} s"),
        0..120 => format!("{whole} s"),
        120..7200 => format!("{} min {} s", whole / 60, whole % 60),
        _ => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_may_be_bounded_from_below() {
        assert_eq!(duration("1m"), Ok(Duration::from_secs(60)));
        assert_eq!(duration("0s"), Ok(Duration::ZERO));
        assert!(positive_duration("0ms").is_err());
        assert_eq!(duration("9999999h").unwrap_err().reason.as_deref(), Some("that is more than a year"));
        assert_eq!(duration("5 apples"), Err(InvalidValue::default()));
    }

    #[test]
    fn rejects_invalid_values() {
        assert_eq!((count("2", 2), count("1", 2).is_err(), count("-2", 2).is_err()), (Ok(2), true, true));
        assert_eq!((switch("on"), switch("No"), switch("maybe").is_err()), (Ok(true), Ok(false), true));
        assert_eq!((positive("6.5"), positive("0").is_err(), positive("inf").is_err()), (Ok(6.5), true, true));
        assert_eq!(
            (share("0.9"), share("95 %"), share("1").is_err(), share("95").is_err()),
            (Ok(0.9), Ok(0.95), true, true)
        );
        assert_eq!(pair("k=a=b"), Ok(("k".to_owned(), "a=b".to_owned())));
        assert!(pair("=b").is_err() && pair("kb").is_err());
    }

    #[test]
    fn suggests_close_names_only() {
        let known = ["cycles", "windows", "min-window"];
        assert_eq!(suggest("cycels", known), Some("cycles"));
        assert_eq!(suggest("minwindow", known), Some("min-window"));
        assert_eq!(suggest("mian", ["main", "other"]), Some("main"));
        assert_eq!(suggest("threshold", known), None);
    }

    #[test]
    fn formats_durations() {
        for (seconds, text) in [
            (0.0, "0 s"),
            (0.25, "0.25 s"),
            (0.3, "0.3 s"),
            (1.5, "1.5 s"),
            (5.0, "5 s"),
            (12.4, "12 s"),
            (119.0, "119 s"),
            (185.0, "3 min 5 s"),
            (7800.0, "2 h 10 min"),
        ] {
            assert_eq!(format_duration(Duration::from_secs_f64(seconds)), text);
        }
    }
}

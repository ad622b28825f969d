//! Texts of options to values: numbers, times, switches, pairs.
//!
//! Must not know which option a text belongs to.

use std::time::Duration;

/// A whole number of at least `least`.
pub(super) fn count(text: &str, least: u32) -> Result<u32, String> {
    let n: u32 = text.trim().parse().map_err(|_| String::new())?;
    if n < least { Err(String::new()) } else { Ok(n) }
}

/// A whole number from 0 to 2⁶⁴ − 1.
pub(super) fn seed(text: &str) -> Result<u64, String> {
    text.trim().parse().map_err(|_| String::new())
}

/// `true` or `false`, and what people write for them.
pub(super) fn switch(text: &str) -> Result<bool, String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Ok(true),
        "0" | "false" | "no" | "off" => Ok(false),
        _ => Err(String::new()),
    }
}

/// A positive, finite number.
pub(super) fn positive(text: &str) -> Result<f64, String> {
    match text.trim().parse::<f64>() {
        Ok(n) if n.is_finite() && n > 0.0 => Ok(n),
        _ => Err(String::new()),
    }
}

/// A share above 0 and below 1: `0.95`, or `95%`.
pub(super) fn share(text: &str) -> Result<f64, String> {
    let text = text.trim();
    let share = match text.strip_suffix('%') {
        Some(percent) => positive(percent)? / 100.0,
        None => positive(text)?,
    };
    if share < 1.0 { Ok(share) } else { Err(String::new()) }
}

/// A time: `5s`, `500ms`, `1.5m`, `200us`; a bare number is seconds. At most a year: what is longer is a slip.
pub(super) fn time(text: &str) -> Result<Duration, String> {
    const YEAR_S: f64 = 366.0 * 86_400.0;
    let text = text.trim();
    let unit_from = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_from);
    let scale = match unit.trim() {
        "us" | "µs" => 1e-6,
        "ms" => 1e-3,
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return Err(String::new()),
    };
    let seconds = number.parse::<f64>().map_err(|_| String::new())? * scale;
    if seconds > YEAR_S {
        return Err("that is more than a year".to_owned());
    }
    Duration::try_from_secs_f64(seconds).map_err(|_| String::new())
}

/// A time above zero.
pub(super) fn time_above_zero(text: &str) -> Result<Duration, String> {
    time(text).and_then(|time| if time.is_zero() { Err(String::new()) } else { Ok(time) })
}

/// `key=value`; the key is not empty.
pub(super) fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => Ok((key.trim().to_owned(), value.to_owned())),
        _ => Err(String::new()),
    }
}

/// The non-empty pieces between commas.
pub(super) fn commas(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|piece| !piece.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units_and_bare_numbers_are_seconds() {
        for (text, millis) in [
            ("5s", 5000),
            ("500ms", 500),
            ("1m", 60_000),
            ("1.5min", 90_000),
            ("2", 2000),
            ("0.25", 250),
            ("1 h", 3_600_000),
        ] {
            assert_eq!(time(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "s", "-1s", "5 apples", "nan", "inf", "1e3", "5s5", "9999999h"] {
            assert!(time(text).is_err(), "{text}");
        }
        assert!(time_above_zero("0ms").is_err());
    }

    #[test]
    fn what_is_no_value_is_refused() {
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
}

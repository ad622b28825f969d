//! Numbers as text: digits that follow the interval, SI prefixes, percentages, durations, dates.
//!
//! All reports format their numbers here, so that the terminal and the pages round a value in the same way.

use crate::analysis::{Interval, Metric};
use crate::model::{CivilTime, Origin, Unit, grouped};

/// Shown in place of a number that is missing.
pub const NONE: &str = "–";

/// The largest number of significant digits of a value.
const MAX_DIGITS: i32 = 6;

/// The largest number of significant digits of an estimate. Its watts per core are an assumption, whatever its interval.
const MAX_DIGITS_OF_ESTIMATE: i32 = 3;

/// SI prefixes by power of ten.
const PREFIXES: [(i32, &str); 8] = [(9, "G"), (6, "M"), (3, "k"), (0, ""), (-3, "m"), (-6, "µ"), (-9, "n"), (-12, "p")];

/// A formatted number: all its parts are rounded alike and have the same SI prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    /// The value: `0.4123`.
    pub value: String,
    /// Its unit with the prefix: `J/token`, `mJ/token`, `µs`.
    pub unit: String,
    /// The ends of its interval: `0.4099`, `0.4148`.
    pub interval: Option<(String, String)>,
    /// Half the length of the interval as a percentage of the value: `±0.6 %`. `None` without an interval, or if the
    /// half-length is not smaller than the value.
    pub relative: Option<String>,
    /// Whether the interval is from too few cycles to rely on.
    pub indicative: bool,
}

impl Figure {
    /// Formats a metric's value with its default interval.
    ///
    /// # Errors
    /// Returns the reason why the metric has no finite value.
    pub fn of(metric: &Metric) -> Result<Self, String> {
        Self::with(metric, metric.interval.as_ref())
    }

    /// Formats a metric's value with one of its intervals.
    ///
    /// # Errors
    /// Returns the reason why the metric has no finite value.
    pub fn with(metric: &Metric, interval: Option<&Interval>) -> Result<Self, String> {
        let value = finite_value(metric)?;
        let ends = interval.map(|interval| (interval.low, interval.high));
        let indicative = interval.is_some_and(|interval| interval.indicative);
        let is_estimate = metric.source.as_ref().is_some_and(|source| source.origin == Origin::Estimated);
        let max_digits = if is_estimate { MAX_DIGITS_OF_ESTIMATE } else { MAX_DIGITS };
        let figure = Self::build(value, &metric.unit, ends, max_digits);
        Ok(Self { indicative: indicative && figure.interval.is_some(), ..figure })
    }

    /// Formats a number in `unit` with its interval from `low` to `high`, if it has one.
    ///
    /// # Errors
    /// Returns a reason if the number is not finite.
    pub fn between(value: f64, (low, high): (Option<f64>, Option<f64>), unit: &str) -> Result<Self, String> {
        if value.is_finite() {
            Ok(Self::build(value, unit, low.zip(high), MAX_DIGITS))
        } else {
            Err("not a finite number".to_owned())
        }
    }

    /// Formats a number in `unit` without an interval, with four significant digits.
    ///
    /// # Errors
    /// Returns a reason if the number is not finite.
    pub fn bare(value: f64, unit: &str) -> Result<Self, String> {
        Self::between(value, (None, None), unit)
    }

    fn build(value: f64, unit: &str, ends: Option<(f64, f64)>, max_digits: i32) -> Self {
        // An interval without length says that the resolution of a timer or sensor hid all differences.
        let ends = ends.filter(|(low, high)| low.is_finite() && high.is_finite() && low < high);
        let half = ends.map(|(low, high)| (high - low) / 2.0);
        // Of an interval that excludes zero, the value is not rounded to zero, however wide the interval is.
        let excludes_zero = ends.is_some_and(|(low, high)| low > 0.0 || high < 0.0);
        let size = if excludes_zero { value.abs() } else { value.abs().max(half.unwrap_or(0.0)) };
        let (factor, unit) = prefixed(size, unit);
        let is_in_ns = unit == "ns";
        let decimals = decimals(value * factor, half.map(|half| half * factor), max_digits);
        let decimals = if excludes_zero { decimals.max(digits(value * factor, 2)) } else { decimals };
        // Clocks have no shorter unit.
        let decimals = if is_in_ns { 0 } else { decimals };
        let format = |x: f64| fixed(x * factor, decimals);
        Self {
            value: format(value),
            unit,
            interval: ends.map(|(low, high)| (format(low), format(high))),
            relative: half.and_then(|half| relative(half, value)),
            indicative: false,
        }
    }

    /// Returns value and unit: `0.4123 J/token`.
    pub fn short(&self) -> String {
        format!("{} {}", self.value, self.unit).trim_end().to_owned()
    }

    /// Returns the interval, if there is one: `[0.4099 … 0.4148]`.
    pub fn brackets(&self) -> Option<String> {
        self.interval.as_ref().map(|(low, high)| format!("[{low} … {high}]"))
    }

    /// Returns all parts on one line: `0.4123 J/token [0.4099 … 0.4148] ±0.6 %`.
    #[cfg(any(feature = "html", test))]
    pub fn full(&self) -> String {
        let mut text = self.short();
        for part in [self.brackets(), self.relative.clone()].into_iter().flatten() {
            text.push(' ');
            text.push_str(&part);
        }
        text
    }
}

/// Returns a metric's value if it is finite.
///
/// # Errors
/// Returns the reason why the value is missing or not finite.
pub(super) fn finite_value(metric: &Metric) -> Result<f64, String> {
    let reason = match metric.value {
        Some(value) if value.is_finite() => return Ok(value),
        Some(_) => "not a finite number",
        None => "not measured",
    };
    Err(metric.missing.clone().unwrap_or_else(|| reason.to_owned()))
}

/// Returns the ends of a metric's interval if both are finite.
pub(super) fn finite_interval(metric: &Metric) -> Option<(f64, f64)> {
    let interval = metric.interval.as_ref()?;
    (interval.low.is_finite() && interval.high.is_finite()).then_some((interval.low, interval.high))
}

/// Formats a number in `unit` with four significant digits; `–` if it is missing or not finite.
pub fn bare(value: Option<f64>, unit: &str) -> String {
    value.and_then(|value| Figure::bare(value, unit).ok()).map_or_else(|| NONE.to_owned(), |figure| figure.short())
}

/// Formats a share as a percentage with two digits and at most two decimals (`0.6 %`, `12 %`, `0.04 %`); `–` if it is
/// not finite.
pub fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if !percent.is_finite() {
        return NONE.to_owned();
    }
    let decimals = match percent.abs() {
        p if p >= 9.95 || p == 0.0 => 0,
        p if p >= 0.095 => 1,
        _ => 2,
    };
    if percent != 0.0 && percent.abs() < 0.005 { "<0.01 %".to_owned() } else { format!("{percent:.decimals$} %") }
}

/// Formats a length of time, given in seconds: `20.94 ms`, `0.25 s`, `12.3 s`, `5 s`, `2 min 5 s`, `1 h 3 min`; `–` if it
/// is not finite.
#[cfg(any(feature = "html", test))]
pub fn duration(seconds: f64) -> String {
    if !seconds.is_finite() {
        return NONE.to_owned();
    }
    if seconds < 59.95 {
        let (number, unit) = match Figure::bare(seconds, "s") {
            Ok(figure) if seconds.abs() < 1.0 => (figure.value, figure.unit),
            _ => (format!("{seconds:.1}"), "s".to_owned()),
        };
        return format!("{} {unit}", without_trailing_zeros(&number));
    }
    let whole = seconds.round() as u64;
    match (whole / 3600, whole / 60 % 60, whole % 60) {
        (0, minutes, 0) => format!("{minutes} min"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, 0, _) => format!("{hours} h"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

/// Formats a wall-clock time, given in seconds since 1970, as `2026-11-03 14:05:33 UTC`; `–` if it is not finite or before
/// 1970.
pub fn date(unix_s: f64) -> String {
    if !unix_s.is_finite() || !(0.0..1e13).contains(&unix_s) {
        return NONE.to_owned();
    }
    let CivilTime { year, month, day, hour, minute, second } = CivilTime::from_unix(unix_s as u64);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
}

/// Returns the factor and the prefixed unit that suit a number of this size. Only joules, watts, seconds and bytes get a
/// prefix, in the first part of the unit. The denominator of joules becomes singular.
pub(super) fn prefixed(size: f64, unit: &str) -> (f64, String) {
    let (base, rest) = unit.find('/').map_or((unit, ""), |slash| unit.split_at(slash));
    let (symbol, unit_power) = match base {
        "J" | "W" | "Wh" | "s" => (base, 0),
        "ms" => ("s", -3),
        "bytes" if size >= 1.0 => ("B", 0),
        _ => return (1.0, unit.to_owned()),
    };
    let rest = match rest.strip_prefix('/').filter(|_| base == "J") {
        Some(per) => format!("/{}", Unit::Custom(per).label()),
        None => rest.to_owned(),
    };
    // The unit stays as given while the number is easy to read in it.
    if size == 0.0 || (0.1..10_000.0).contains(&size) {
        return (1.0, format!("{base}{rest}"));
    }
    let exponent = magnitude(size) + unit_power;
    let highest = if symbol == "s" { 0 } else { 9 };
    let (power, prefix) =
        PREFIXES.into_iter().find(|(power, _)| *power <= highest && *power <= exponent).unwrap_or((-12, "p"));
    (10_f64.powi(unit_power - power), format!("{prefix}{symbol}{rest}"))
}

/// Returns the number of decimals to show: two digits of the interval's half-length, or without an interval four
/// significant digits of the value; at most `max_digits` significant digits of the value.
fn decimals(value: f64, half: Option<f64>, max_digits: i32) -> usize {
    let wanted = match half {
        Some(half) if half > 0.0 => {
            let by_interval = 1 - magnitude(half);
            if value == 0.0 { by_interval } else { by_interval.min(max_digits - 1 - magnitude(value)) }
        }
        _ if value == 0.0 => 0,
        _ => max_digits.min(4) - 1 - magnitude(value),
    };
    wanted.clamp(0, 12) as usize
}

/// Returns the number of decimals that show so many significant digits of a number.
fn digits(value: f64, significant: i32) -> usize {
    if value == 0.0 { 0 } else { (significant - 1 - magnitude(value)).clamp(0, 12) as usize }
}

/// Returns the power of ten of a number's first digit. A number just below a power of ten is rounded up to it.
fn magnitude(x: f64) -> i32 {
    (x.abs().log10() + 1e-9).floor() as i32
}

/// Formats a number with a fixed number of decimals and grouped digits, without a minus sign before zero.
fn fixed(x: f64, decimals: usize) -> String {
    let text = format!("{x:.decimals$}");
    let zero = text.bytes().all(|byte| matches!(byte, b'-' | b'0' | b'.'));
    grouped(if zero { text.trim_start_matches('-') } else { &text })
}

/// Formats a half-length as a share of the value; `None` if it is not smaller than the value.
fn relative(half: f64, value: f64) -> Option<String> {
    let share = half / value.abs();
    (share < 1.0).then(|| format!("±{}", percent(share)))
}

#[cfg(any(feature = "html", test))]
fn without_trailing_zeros(number: &str) -> &str {
    if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.') } else { number }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::Interval;
    use crate::model::{Method, Source};

    fn metric(value: f64, low: f64, high: f64, unit: &str) -> Metric {
        let interval =
            Interval { low, high, level: 0.95, method: String::new(), resamples: None, seed: None, indicative: false };
        Metric {
            value: Some(value),
            unit: unit.to_owned(),
            interval: Some(interval),
            student: None,
            bootstrap: None,
            cycles: 10,
            samples: None,
            missing: None,
            lower_is_better: None,
            source: None,
            custom: None,
        }
    }

    fn full(value: f64, low: f64, high: f64, unit: &str) -> String {
        Figure::of(&metric(value, low, high, unit)).unwrap().full()
    }

    #[test]
    fn digits_follow_the_interval() {
        assert_eq!(full(0.412_345, 0.409_87, 0.414_82, "J/token"), "0.4123 J/token [0.4099 … 0.4148] ±0.6 %");
        assert_eq!(full(0.412_345, 0.3, 0.5, "J/token"), "0.41 J/token [0.30 … 0.50] ±24 %");
        assert_eq!(full(334.87, 300.1, 371.2, "W"), "335 W [300 … 371] ±11 %");
        assert_eq!(full(12_345.6, 12_300.0, 12_391.0, "tokens/s"), "12,346 tokens/s [12,300 … 12,391] ±0.4 %");
    }

    #[test]
    fn value_and_interval_share_a_prefix() {
        assert_eq!(full(0.002_5, 0.002_4, 0.002_6, "J/token"), "2.50 mJ/token [2.40 … 2.60] ±4.0 %");
        assert_eq!(full(4.1e-5, 4.0e-5, 4.2e-5, "J/row"), "41.0 µJ/row [40.0 … 42.0] ±2.4 %");
        assert_eq!(full(25_000.0, 24_900.0, 25_100.0, "J"), "25.00 kJ [24.90 … 25.10] ±0.4 %");
        assert_eq!(full(0.02, 0.019, 0.021, "ms"), "20.0 µs [19.0 … 21.0] ±5.0 %");
        assert_eq!(full(45_000.0, 44_000.0, 46_000.0, "ms"), "45.0 s [44.0 … 46.0] ±2.2 %");
        assert_eq!(full(0.000_2, 0.000_1, 0.000_3, "tokens/J"), "0.00020 tokens/J [0.00010 … 0.00030] ±50 %");
    }

    #[test]
    fn bytes_have_prefixes_and_other_units_may_be_empty() {
        assert_eq!(full(1.5e9, 1.4e9, 1.6e9, "bytes"), "1.50 GB [1.40 … 1.60] ±6.7 %");
        assert_eq!(
            [0.02, 512.0, 20_480.0].map(|n| bare(Some(n), "bytes")),
            ["0.02000 bytes", "512.0 bytes", "20.48 kB"]
        );
        assert_eq!(full(3.25, 3.0, 3.5, ""), "3.25 [3.00 … 3.50] ±7.7 %");
    }

    #[test]
    fn wide_interval_has_no_percentage() {
        assert_eq!(full(0.1, -0.3, 0.5, "J/token"), "0.10 J/token [-0.30 … 0.50]");
        assert_eq!(full(-0.001, -0.5, 0.5, "J/token"), "0.00 J/token [-0.50 … 0.50]", "no minus before a zero");
    }

    #[test]
    fn value_is_not_rounded_to_zero() {
        assert_eq!(full(0.001_45, 3.2e-6, 0.65, "J/token"), "1.4 mJ/token [0.0 … 650.0]");
        assert_eq!(full(0.001_45, 0.000_9, 0.003, "J/token"), "1.4 mJ/token [0.9 … 3.0] ±72 %");
    }

    #[test]
    fn interval_without_length_is_not_shown() {
        assert_eq!(full(0.0, 0.0, 0.0, "J"), "0 J");
        assert_eq!(full(3e-5, 3e-5, 3e-5, "ms"), "30 ns");
        assert_eq!(full(3.04e-5, 3e-5, 3.1e-5, "ms"), "30 ns [30 … 31] ±1.6 %");
    }

    #[test]
    fn estimates_have_three_digits() {
        let source = Source { meter: "estimate".to_owned(), origin: Origin::Estimated, method: Method::Counter };
        let estimate = Metric { source: Some(source), ..metric(10.0063, 10.0053, 10.0073, "W") };
        assert_eq!(Figure::of(&estimate).unwrap().full(), "10.0 W [10.0 … 10.0] ±0.01 %");
        assert_eq!(full(10.0063, 10.0053, 10.0073, "W"), "10.0063 W [10.0053 … 10.0073] ±0.01 %");
    }

    #[test]
    fn groups_digits() {
        assert_eq!(
            full(962_219_480_002.0, 9e11, 1e12, "requests/s"),
            "962,219,480,002 requests/s [900,000,000,000 … 1,000,000,000,000] ±5.2 %"
        );
        assert_eq!([9999.0, 12345.6, -123_456.0].map(|x| fixed(x, 0)), ["9999", "12,346", "-123,456"]);
        assert_eq!(fixed(12_345.678_9, 2), "12,345.68");
    }

    #[test]
    fn not_finite_is_no_number() {
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(Figure::of(&metric(value, 0.0, 1.0, "J")).unwrap_err(), "not a finite number");
            assert_eq!(bare(Some(value), "J"), "–");
            assert_eq!(percent(value), "–");
            assert_eq!(duration(value), "–");
            assert_eq!(date(value), "–");
            let no_end = Figure::of(&metric(0.5, 0.4, value, "J")).unwrap();
            assert_eq!(no_end.full(), "0.5000 J", "an interval needs two finite ends");
        }
        let mut none = metric(1.0, 0.0, 2.0, "J");
        none.value = None;
        none.missing = Some("estimates have no idle power".to_owned());
        assert_eq!(Figure::of(&none).unwrap_err(), "estimates have no idle power");
    }

    #[test]
    fn four_digits_without_interval() {
        assert_eq!(bare(Some(1.0 / 3.0), "J"), "0.3333 J");
        assert_eq!(bare(Some(1234.56), "W"), "1235 W");
        assert_eq!(bare(Some(0.0), "J"), "0 J");
        assert_eq!(bare(None, "J"), "–");
        assert_eq!(bare(Some(1e300), "J"), Figure::bare(1e300, "J").unwrap().short());
    }

    #[test]
    fn percentages_durations_dates() {
        assert_eq!(
            [0.0, 0.000_01, 0.0004, 0.006, 0.12, 1.5].map(percent),
            ["0 %", "<0.01 %", "0.04 %", "0.6 %", "12 %", "150 %"]
        );
        assert_eq!(
            [0.0, 0.020_94, 0.25, 0.48, 5.0, 12.34, 59.99, 125.0, 3600.0, 3780.0].map(duration),
            ["0 s", "20.94 ms", "0.25 s", "0.48 s", "5 s", "12.3 s", "1 min", "2 min 5 s", "1 h", "1 h 3 min"]
        );
        assert_eq!(date(0.0), "1970-01-01 00:00:00 UTC");
        assert_eq!(date(951_827_696.0), "2000-02-29 12:34:56 UTC");
        assert_eq!(date(1_793_714_733.9), "2026-11-03 14:05:33 UTC");
    }
}

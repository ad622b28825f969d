//! Figures as people read them: digits that follow the interval, SI prefixes, shares, durations, dates.
//!
//! Every report takes its numbers from here, so that the terminal and the page never show two roundings of one value.
//! Must not know what a figure means or where it is shown.

use super::labels;
use crate::analysis::Metric;

/// What stands where there is no number.
pub const NONE: &str = "–";

/// A number ready to be shown: every text is rounded alike and carries the same SI prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    /// The value: `0.4123`.
    pub value: String,
    /// Its unit with the prefix: `J/token`, `mJ/token`, `µs`.
    pub unit: String,
    /// The ends of its interval: `0.4099`, `0.4148`.
    pub interval: Option<(String, String)>,
    /// Half the interval's length as a share of the value: `±0.6 %`; `None` without an interval, or when the
    /// half-length is not smaller than the value.
    pub relative: Option<String>,
    /// Too few cycles to rely on the interval.
    pub indicative: bool,
}

impl Figure {
    /// What to show of a metric: its value with its default interval.
    ///
    /// # Errors
    /// The reason why there is no number to show: the metric's own, or that its value is not finite.
    pub fn of(metric: &Metric) -> Result<Self, String> {
        let reason = || metric.missing.clone().unwrap_or_else(|| "not measured".to_owned());
        let value = metric.value.ok_or_else(reason)?;
        if !value.is_finite() {
            return Err(metric.missing.clone().unwrap_or_else(|| "not a finite number".to_owned()));
        }
        let ends = metric.interval.as_ref().map(|interval| (interval.low, interval.high));
        let indicative = metric.interval.as_ref().is_some_and(|interval| interval.indicative);
        let figure = Self::build(value, &metric.unit, ends);
        Ok(Self { indicative: indicative && figure.interval.is_some(), ..figure })
    }

    /// What to show of a number in `unit` and, where it has one, its interval from `low` to `high`.
    ///
    /// # Errors
    /// That the number is not finite.
    pub fn between(value: f64, (low, high): (Option<f64>, Option<f64>), unit: &str) -> Result<Self, String> {
        if value.is_finite() {
            Ok(Self::build(value, unit, low.zip(high)))
        } else {
            Err("not a finite number".to_owned())
        }
    }

    /// What to show of a bare number in `unit`; four significant digits.
    ///
    /// # Errors
    /// That the number is not finite.
    pub fn bare(value: f64, unit: &str) -> Result<Self, String> {
        Self::between(value, (None, None), unit)
    }

    fn build(value: f64, unit: &str, ends: Option<(f64, f64)>) -> Self {
        let ends = ends.filter(|(low, high)| low.is_finite() && high.is_finite() && low <= high);
        let half = ends.map(|(low, high)| (high - low) / 2.0);
        let (factor, unit) = prefixed(value.abs().max(half.unwrap_or(0.0)), unit);
        let decimals = decimals(value * factor, half.map(|half| half * factor));
        let text = |x: f64| fixed(x * factor, decimals);
        Self {
            value: text(value),
            unit,
            interval: ends.map(|(low, high)| (text(low), text(high))),
            relative: half.and_then(|half| relative(half, value)),
            indicative: false,
        }
    }

    /// Value and unit: `0.4123 J/token`.
    pub fn short(&self) -> String {
        format!("{} {}", self.value, self.unit)
    }

    /// The interval as `[0.4099 … 0.4148]`, where there is one.
    pub fn brackets(&self) -> Option<String> {
        self.interval.as_ref().map(|(low, high)| format!("[{low} … {high}]"))
    }

    /// All there is, on one line: `0.4123 J/token [0.4099 … 0.4148] ±0.6 %`.
    pub fn full(&self) -> String {
        let mut text = self.short();
        for part in [self.brackets(), self.relative.clone()].into_iter().flatten() {
            text.push(' ');
            text.push_str(&part);
        }
        text
    }
}

/// A bare number in `unit` as text, `–` when there is none or it is not finite.
pub fn bare(value: Option<f64>, unit: &str) -> String {
    value.and_then(|value| Figure::bare(value, unit).ok()).map_or_else(|| NONE.to_owned(), |figure| figure.short())
}

/// A share as a percentage: two digits, at most two decimals (`0.6 %`, `12 %`, `0.04 %`); `–` when it is not finite.
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

/// A length of time in seconds as people say it: `480 ms`, `12.3 s`, `2 min 5 s`, `1 h 3 min`; `–` when it is not
/// finite.
pub fn duration(seconds: f64) -> String {
    if !seconds.is_finite() {
        return NONE.to_owned();
    }
    if seconds.abs() < 1.0 {
        return bare(Some(seconds), "s");
    }
    if seconds < 59.95 {
        return format!("{seconds:.1} s");
    }
    let whole = seconds.round() as u64;
    match (whole / 3600, whole / 60 % 60, whole % 60) {
        (0, minutes, 0) => format!("{minutes} min"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, 0, _) => format!("{hours} h"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

/// A wall-clock time in seconds since 1970 as `2026-11-03 14:05:33 UTC`; `–` when it is not finite or before 1970.
pub fn date(unix_s: f64) -> String {
    if !unix_s.is_finite() || !(0.0..1e13).contains(&unix_s) {
        return NONE.to_owned();
    }
    let seconds = unix_s as u64;
    let (year, month, day) = civil(seconds / 86_400);
    let of_day = seconds % 86_400;
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02} UTC", of_day / 3600, of_day / 60 % 60, of_day % 60)
}

/// Year, month and day of a day counted from 1970-01-01 (Howard Hinnant, *chrono-compatible low-level date
/// algorithms*, 2013: `civil_from_days`).
fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let of_era = shifted % 146_097;
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
}

/// Prefixes by power of ten.
const PREFIXES: [(i32, &str); 8] = [(9, "G"), (6, "M"), (3, "k"), (0, ""), (-3, "m"), (-6, "µ"), (-9, "n"), (-12, "p")];

/// The factor and the unit in which a number of this size is best read. Joules, watts and seconds take prefixes, the
/// first part of a unit alone; everything else stays. Joules are per one of what is counted.
pub(super) fn prefixed(size: f64, unit: &str) -> (f64, String) {
    let (base, rest) = unit.find('/').map_or((unit, ""), |slash| unit.split_at(slash));
    let (symbol, own) = match base {
        "J" | "W" | "Wh" | "s" => (base, 0),
        "ms" => ("s", -3),
        _ => return (1.0, unit.to_owned()),
    };
    let rest = match rest.strip_prefix('/').filter(|_| base == "J") {
        Some(per) => format!("/{}", labels::one(per)),
        None => rest.to_owned(),
    };
    // What a unit says by itself is left alone while it reads well.
    if size == 0.0 || (0.1..10_000.0).contains(&size) {
        return (1.0, format!("{base}{rest}"));
    }
    let exponent = magnitude(size) + own;
    let highest = if symbol == "s" { 0 } else { 9 };
    let (power, prefix) =
        PREFIXES.into_iter().find(|(power, _)| *power <= highest && *power <= exponent).unwrap_or((-12, "p"));
    (10_f64.powi(own - power), format!("{prefix}{symbol}{rest}"))
}

/// Decimals to show: two digits of the interval's half, else four significant digits; never more than six digits of
/// the value, and never fewer than none.
fn decimals(value: f64, half: Option<f64>) -> usize {
    let wanted = match half {
        Some(half) if half > 0.0 => {
            let by_interval = 1 - magnitude(half);
            if value == 0.0 { by_interval } else { by_interval.min(5 - magnitude(value)) }
        }
        _ if value == 0.0 => 0,
        _ => 3 - magnitude(value),
    };
    wanted.clamp(0, 12) as usize
}

/// The power of ten of a number's first digit; a hair below a power of ten counts as it.
fn magnitude(x: f64) -> i32 {
    (x.abs().log10() + 1e-9).floor() as i32
}

/// A number with so many decimals, without a minus sign before a zero.
fn fixed(x: f64, decimals: usize) -> String {
    let text = format!("{x:.decimals$}");
    let zero = text.bytes().all(|byte| matches!(byte, b'-' | b'0' | b'.'));
    if zero { text.trim_start_matches('-').to_owned() } else { text }
}

fn relative(half: f64, value: f64) -> Option<String> {
    let share = half / value.abs();
    (share < 1.0).then(|| format!("±{}", percent(share)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::Interval;

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
        assert_eq!(full(12_345.6, 12_300.0, 12_391.0, "tokens/s"), "12346 tokens/s [12300 … 12391] ±0.4 %");
    }

    #[test]
    fn small_and_large_joules_take_prefixes_and_the_interval_takes_the_same() {
        assert_eq!(full(0.002_5, 0.002_4, 0.002_6, "J/token"), "2.50 mJ/token [2.40 … 2.60] ±4.0 %");
        assert_eq!(full(4.1e-5, 4.0e-5, 4.2e-5, "J/row"), "41.0 µJ/row [40.0 … 42.0] ±2.4 %");
        assert_eq!(full(25_000.0, 24_900.0, 25_100.0, "J"), "25.00 kJ [24.90 … 25.10] ±0.4 %");
        assert_eq!(full(0.02, 0.019, 0.021, "ms"), "20.0 µs [19.0 … 21.0] ±5.0 %");
        assert_eq!(full(45_000.0, 44_000.0, 46_000.0, "ms"), "45.0 s [44.0 … 46.0] ±2.2 %");
        assert_eq!(full(0.000_2, 0.000_1, 0.000_3, "tokens/J"), "0.00020 tokens/J [0.00010 … 0.00030] ±50 %");
    }

    #[test]
    fn an_interval_as_wide_as_the_value_has_no_percentage() {
        assert_eq!(full(0.1, -0.3, 0.5, "J/token"), "0.10 J/token [-0.30 … 0.50]");
        assert_eq!(full(-0.001, -0.5, 0.5, "J/token"), "0.00 J/token [-0.50 … 0.50]", "no minus before a zero");
        assert_eq!(full(0.0, 0.0, 0.0, "J"), "0 J [0 … 0]");
    }

    #[test]
    fn what_is_not_finite_is_never_a_number() {
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(Figure::of(&metric(value, 0.0, 1.0, "J")).unwrap_err(), "not a finite number");
            assert_eq!(bare(Some(value), "J"), "–");
            assert_eq!(percent(value), "–");
            assert_eq!(duration(value), "–");
            assert_eq!(date(value), "–");
            let no_end = Figure::of(&metric(0.5, 0.4, value, "J")).unwrap();
            assert_eq!(no_end.full(), "0.5000 J", "an interval without an end is none");
        }
        let mut none = metric(1.0, 0.0, 2.0, "J");
        none.value = None;
        none.missing = Some("an estimate has no idle".to_owned());
        assert_eq!(Figure::of(&none).unwrap_err(), "an estimate has no idle");
    }

    #[test]
    fn numbers_without_an_interval_have_four_digits() {
        assert_eq!(bare(Some(1.0 / 3.0), "J"), "0.3333 J");
        assert_eq!(bare(Some(1234.56), "W"), "1235 W");
        assert_eq!(bare(Some(0.0), "J"), "0 J");
        assert_eq!(bare(None, "J"), "–");
        assert_eq!(bare(Some(1e300), "J"), Figure::bare(1e300, "J").unwrap().short());
    }

    #[test]
    fn shares_durations_and_dates_read_as_people_write_them() {
        assert_eq!(
            [0.0, 0.000_01, 0.0004, 0.006, 0.12, 1.5].map(percent),
            ["0 %", "<0.01 %", "0.04 %", "0.6 %", "12 %", "150 %"]
        );
        assert_eq!(
            [0.48, 12.34, 59.99, 125.0, 3600.0, 3780.0].map(duration),
            ["0.4800 s", "12.3 s", "1 min", "2 min 5 s", "1 h", "1 h 3 min"]
        );
        assert_eq!(date(0.0), "1970-01-01 00:00:00 UTC");
        assert_eq!(date(951_827_696.0), "2000-02-29 12:34:56 UTC");
        assert_eq!(date(1_793_714_733.9), "2026-11-03 14:05:33 UTC");
    }
}

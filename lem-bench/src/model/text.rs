//! Text rules that several layers share: counts of things, invisible characters, dates, and the hash of ids.

use std::fmt::Display;

/// Returns a decimal number with commas between groups of three digits, if it has at least five before the point.
pub(crate) fn grouped(number: &str) -> String {
    let whole = number.trim_start_matches('-').bytes().take_while(u8::is_ascii_digit).count();
    if whole < 5 {
        return number.to_owned();
    }
    let start = number.len() - number.trim_start_matches('-').len();
    let mut text = String::with_capacity(number.len() + whole / 3);
    for (index, c) in number.char_indices() {
        let left = (start + whole).saturating_sub(index);
        if index > start && left > 0 && left % 3 == 0 {
            text.push(',');
        }
        text.push(c);
    }
    text
}

/// Returns a p-value with its sign: `p = 0.0123`, `p < 0.0001`.
pub(crate) fn p_value(p: f64) -> String {
    if p < 0.0001 { "p < 0.0001".to_owned() } else { format!("p = {p:.4}") }
}

/// Returns a count with its noun in singular or plural: `1 bench`, `6 benches`.
pub(crate) fn count_of<N: Display + PartialEq + From<u8>>(n: N, noun: &str) -> String {
    if n == N::from(1) {
        return format!("1 {noun}");
    }
    let ending = if ["ch", "sh", "s", "x"].iter().any(|end| noun.ends_with(end)) { "es" } else { "s" };
    format!("{} {noun}{ending}", grouped(&n.to_string()))
}

/// Returns the verb after a count: `is` of one, `are` of several.
pub(crate) const fn is_or_are(n: usize) -> &'static str {
    if n == 1 { "is" } else { "are" }
}

/// Returns whether a character has no width or changes the direction of the text after it: soft hyphens, zero-width
/// spaces, line and paragraph separators, bidirectional controls.
pub(crate) fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{AD}' | '\u{61C}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}'
    )
}

/// Returns the 64-bit hash FNV-1a (Fowler, Noll, Vo 1991) of an id.
pub fn id_hash(id: &str) -> u64 {
    fnv1a64(id.as_bytes())
}

/// Returns the 64-bit hash FNV-1a (Fowler, Noll, Vo 1991) of `bytes`.
pub fn fnv1a64(bytes: &[u8]) -> u64 {
    const OFFSET_BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0100_0000_01b3;
    bytes.iter().fold(OFFSET_BASIS, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(PRIME))
}

/// A date of the proleptic Gregorian calendar with a time of day, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CivilTime {
    pub(crate) year: u64,
    /// From 1 to 12.
    pub(crate) month: u64,
    /// From 1 to 31.
    pub(crate) day: u64,
    pub(crate) hour: u64,
    pub(crate) minute: u64,
    pub(crate) second: u64,
}

impl CivilTime {
    /// Converts seconds since 1970-01-01 00:00:00 UTC, without leap seconds.
    pub(crate) fn from_unix(seconds: u64) -> Self {
        let (year, month, day) = date_from_days(seconds / 86_400);
        Self { year, month, day, hour: seconds / 3600 % 24, minute: seconds / 60 % 60, second: seconds % 60 }
    }
}

/// Returns year, month and day from days since 1970-01-01 (Howard Hinnant, *chrono-compatible low-level date
/// algorithms*, 2013: `civil_from_days`).
fn date_from_days(days: u64) -> (u64, u64, u64) {
    // Days since 0000-03-01: in years that begin in March, the leap day comes last.
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    #[test]
    fn groups_digits_of_large_numbers() {
        let numbers = ["0", "9999", "-9999.5", "12345", "-1234567.25", "100000", "x"];
        assert_eq!(numbers.map(super::grouped), ["0", "9999", "-9999.5", "12,345", "-1,234,567.25", "100,000", "x"]);
        assert_eq!(super::count_of(12_345_u64, "request"), "12,345 requests");
    }

    #[test]
    fn p_values_are_never_zero() {
        assert_eq!(
            [0.0, 0.000_09, 0.000_1, 0.0312].map(super::p_value),
            ["p < 0.0001", "p < 0.0001", "p = 0.0001", "p = 0.0312"]
        );
    }

    use super::*;

    #[test]
    fn counts_have_a_plural() {
        assert_eq!(count_of(1, "bench"), "1 bench");
        assert_eq!(count_of(2, "bench"), "2 benches");
        assert_eq!(count_of(0_u64, "cycle"), "0 cycles");
        assert_eq!([1, 2].map(is_or_are), ["is", "are"]);
    }

    #[test]
    fn matches_test_vectors() {
        // The authors' test vectors.
        assert_eq!(id_hash(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(id_hash("a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(id_hash("foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn splits_time_of_day() {
        let expected = CivilTime { year: 2026, month: 11, day: 23, hour: 14, minute: 5, second: 33 };
        assert_eq!(CivilTime::from_unix(1_795_442_733), expected);
    }

    #[test]
    fn counts_every_day() {
        let mut last = date_from_days(0);
        assert_eq!(last, (1970, 1, 1));
        for days in 1..200_000 {
            let (year, month, day) = date_from_days(days);
            let every = |years: u64| last.0.is_multiple_of(years);
            let leap = every(4) && (!every(100) || every(400));
            let length = match last.1 {
                2 => 28 + u64::from(leap),
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            let expected = match last {
                (y, 12, 31) => (y + 1, 1, 1),
                (y, m, d) if d == length => (y, m + 1, 1),
                (y, m, d) => (y, m, d + 1),
            };
            assert_eq!((year, month, day), expected, "day {days}");
            last = expected;
        }
    }
}

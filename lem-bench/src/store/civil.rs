//! Dates from seconds since 1970, in UTC, for names that people read.
//!
//! The days-to-date formula is Hinnant's `civil_from_days` (2013, "chrono-compatible low-level date algorithms").

/// `2026-11-23T14-05-33Z`: a moment, in seconds since 1970, as text that sorts by time and that any file system takes.
pub(super) fn file_stamp(unix_s: u64) -> String {
    let (year, month, day) = civil_from_days(unix_s / 86_400);
    let (hour, minute, second) = (unix_s / 3600 % 24, unix_s / 60 % 60, unix_s % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}-{minute:02}-{second:02}Z")
}

/// Year, month and day of the Gregorian calendar, from days since 1970-01-01.
fn civil_from_days(days: u64) -> (u64, u64, u64) {
    // Days since 0000-03-01: years that begin in March have their leap day at the end.
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
    use super::*;

    #[test]
    fn known_moments_have_their_dates() {
        // `date -u -d @N +%FT%H-%M-%SZ`
        for (unix_s, text) in [
            (0, "1970-01-01T00-00-00Z"),
            (951_782_399, "2000-02-28T23-59-59Z"),
            (951_782_400, "2000-02-29T00-00-00Z"),
            (1_709_251_200, "2024-03-01T00-00-00Z"),
            (1_795_442_733, "2026-11-23T14-05-33Z"),
            (4_107_542_400, "2100-03-01T00-00-00Z"),
            (253_402_300_799, "9999-12-31T23-59-59Z"),
        ] {
            assert_eq!(file_stamp(unix_s), text);
        }
    }

    #[test]
    fn each_day_is_followed_by_the_next() {
        let mut last = civil_from_days(0);
        for days in 1..200_000 {
            let (year, month, day) = civil_from_days(days);
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

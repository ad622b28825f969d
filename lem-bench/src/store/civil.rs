//! Times in file names, in UTC.

use crate::model::CivilTime;

/// Returns a time in seconds since 1970 as text that sorts by time and that any file system accepts:
/// `2026-11-23T14-05-33Z`.
pub(super) fn file_stamp(unix_s: u64) -> String {
    let CivilTime { year, month, day, hour, minute, second } = CivilTime::from_unix(unix_s);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}-{minute:02}-{second:02}Z")
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
}

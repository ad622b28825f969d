//! Durations for people.

use std::time::Duration;

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

//! Quantities with their unit in the type: energy, power, and points in time, with the physically meaningful arithmetic
//! between them (`Watts * Duration = Joules`).

mod duration;

use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub};
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub(crate) use duration::{ParseDurationError, parse_duration};

/// Returns the value rounded to so many significant decimal digits.
pub(crate) fn significant(value: f64, digits: usize) -> f64 {
    format!("{value:.*e}", digits.saturating_sub(1)).parse().unwrap_or(value)
}

macro_rules! quantity {
    ($(#[$doc:meta])* $name:ident, $unit:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default, Serialize, Deserialize)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        #[serde(transparent)]
        pub struct $name(pub f64);

        impl $name {
            #[doc = concat!("Returns the number, in ", $unit, ".")]
            pub fn get(self) -> f64 {
                self.0
            }
        }

        impl Add for $name {
            type Output = Self;
            fn add(self, other: Self) -> Self {
                Self(self.0 + other.0)
            }
        }

        impl AddAssign for $name {
            fn add_assign(&mut self, other: Self) {
                self.0 += other.0;
            }
        }

        impl Sub for $name {
            type Output = Self;
            fn sub(self, other: Self) -> Self {
                Self(self.0 - other.0)
            }
        }

        impl Neg for $name {
            type Output = Self;
            fn neg(self) -> Self {
                Self(-self.0)
            }
        }

        impl Mul<f64> for $name {
            type Output = Self;
            fn mul(self, factor: f64) -> Self {
                Self(self.0 * factor)
            }
        }

        impl Div<f64> for $name {
            type Output = Self;
            fn div(self, divisor: f64) -> Self {
                Self(self.0 / divisor)
            }
        }

        impl Div for $name {
            type Output = f64;
            fn div(self, other: Self) -> f64 {
                self.0 / other.0
            }
        }

        impl std::iter::Sum for $name {
            fn sum<I: Iterator<Item = Self>>(values: I) -> Self {
                Self(values.map(|value| value.0).sum())
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(&self.0, f)?;
                f.write_str(concat!(" ", $unit))
            }
        }
    };
}

quantity!(
    /// An energy in joules. May be negative: a net energy below zero is a finding, not an error.
    Joules, "J"
);
quantity!(
    /// A power in watts.
    Watts, "W"
);

impl Mul<Duration> for Watts {
    type Output = Joules;
    fn mul(self, time: Duration) -> Joules {
        Joules(self.0 * time.as_secs_f64())
    }
}

impl Div<Duration> for Joules {
    type Output = Watts;
    /// Returns the mean power over `time`; not finite when `time` is zero.
    fn div(self, time: Duration) -> Watts {
        Watts(self.0 / time.as_secs_f64())
    }
}

/// A point in time: nanoseconds of the clock that measured it (`CLOCK_MONOTONIC`, shared by the processes of one
/// machine, or a virtual clock that starts at zero).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Stamp(pub u64);

impl Stamp {
    /// Returns the nanoseconds since the clock's origin.
    pub fn nanos(self) -> u64 {
        self.0
    }

    /// Returns the seconds since the clock's origin, as a float (exact to about 1 µs after 100 days of uptime).
    pub fn seconds(self) -> f64 {
        self.0 as f64 * 1e-9
    }

    /// Returns the time since `earlier`; zero if `earlier` is later.
    pub fn since(self, earlier: Stamp) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// Returns the seconds from `other` to `self`; negative if `other` is later.
    pub fn seconds_from(self, other: Stamp) -> f64 {
        if self.0 >= other.0 { (self.0 - other.0) as f64 * 1e-9 } else { -((other.0 - self.0) as f64 * 1e-9) }
    }

    /// Returns this point moved back by `time`, not before the clock's origin.
    pub fn earlier(self, time: Duration) -> Stamp {
        Stamp(self.0.saturating_sub(nanos(time)))
    }
}

impl Add<Duration> for Stamp {
    type Output = Stamp;
    fn add(self, time: Duration) -> Stamp {
        Stamp(self.0.saturating_add(nanos(time)))
    }
}

/// Returns a duration in whole nanoseconds, saturating at 584 years.
fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn power_times_time_is_energy() {
        let energy = Watts(350.0) * Duration::from_millis(1500);
        assert_eq!(energy, Joules(525.0));
        assert_eq!(energy / Duration::from_millis(1500), Watts(350.0));
    }

    #[test]
    fn significant_digits() {
        assert_eq!(significant(0.008_202_742_127, 7), 0.008_202_742);
        assert_eq!([significant(-1234.56, 2), significant(0.0, 7)], [-1200.0, 0.0]);
        assert!(significant(f64::NAN, 7).is_nan() && significant(f64::INFINITY, 7).is_infinite());
    }

    #[test]
    fn stamps_saturate() {
        assert_eq!(Stamp(5).earlier(Duration::from_secs(1)), Stamp(0));
        assert_eq!(Stamp(5).since(Stamp(9)), Duration::ZERO);
        assert!((Stamp(5).seconds_from(Stamp(9)) + 4e-9).abs() < 1e-18);
        assert_eq!(Stamp(u64::MAX) + Duration::from_secs(1), Stamp(u64::MAX));
    }
}

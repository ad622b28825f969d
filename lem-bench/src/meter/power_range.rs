//! The range of possible powers of a device, for rejecting readings of sensors that do not work.

/// The highest power of a device without a limit of its own, in W: that of a large board.
const MAX_UNLIMITED_W: f64 = 3_000.0;

/// The factor by which a short peak may exceed a device's limit.
const PEAK: f64 = 2.0;

/// Values, in µW, that drivers return instead of an error.
const SENTINELS_UW: [u32; 2] = [i32::MAX as u32, u32::MAX];

/// The powers that a sensor can read if it works.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct PowerRange {
    max_w: f64,
    zero: bool,
}

impl PowerRange {
    /// Returns the range of a whole device that runs: above zero, and at most twice the highest of its limits in W, or 3 kW
    /// without one.
    pub fn of_device(limits_w: impl IntoIterator<Item = f64>) -> Self {
        let limit = limits_w.into_iter().filter(|limit| limit.is_finite() && *limit > 0.0).reduce(f64::max);
        Self { max_w: limit.map_or(MAX_UNLIMITED_W, |limit| limit * PEAK), zero: false }
    }

    /// Returns the same range with zero: that of a part, which may be off or draw less than the resolution of its sensor.
    #[must_use]
    pub fn or_zero(self) -> Self {
        Self { zero: true, ..self }
    }

    /// Checks a reading in W.
    ///
    /// # Errors
    /// A fragment with the reason why no device can draw it.
    pub fn check(self, watts: f64) -> Result<(), String> {
        if SENTINELS_UW.iter().any(|sentinel| (watts * 1e6 - f64::from(*sentinel)).abs() < 0.5) {
            Err(format!("{watts:.1} W is not a reading: drivers return this number in place of an error"))
        } else if watts > self.max_w {
            Err(format!("{watts:.1} W is impossible: the highest possible power is {:.0} W", self.max_w))
        } else if watts < 0.0 {
            Err(format!("{watts:.1} W is impossible: it is negative"))
        } else if watts == 0.0 && !self.zero {
            Err("0 W is impossible while the device runs".to_owned())
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_what_no_device_draws() {
        let board = PowerRange::of_device([]);
        for watts in [0.0, -1.0, 2_147.483_647, 4_294.967_295, 3000.1, 4_294_967.295, f64::INFINITY] {
            assert!(board.check(watts).is_err(), "{watts} W");
        }
        for watts in [1e-6, 0.5, 75.0, 2147.5, 3000.0] {
            assert_eq!(board.check(watts), Ok(()), "{watts} W");
        }
    }

    #[test]
    fn limits_of_the_device_replace_the_default() {
        let card = PowerRange::of_device([300.0, 350.0, f64::NAN, 0.0]);
        assert_eq!(card.check(650.0), Ok(()), "a short peak");
        assert!(card.check(701.0).is_err());
        assert_eq!(PowerRange::of_device([8000.0]).check(9000.0), Ok(()), "a chassis");
        assert_eq!(card.or_zero().check(0.0), Ok(()));
    }
}

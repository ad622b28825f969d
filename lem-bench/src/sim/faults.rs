//! When which fault strikes the sensors of a device.
//!
//! Must not know what the sensors show: it says whether a read succeeds, of which moment it tells, and since when the
//! counters count.

use super::device::nanos;
use super::scenario::{FaultKind, FaultSpec};
use crate::meter::ReadError;

/// Seconds that a fault lasts when its scenario does not say.
const USUAL_S: f64 = 1.0;

/// The faults of one device.
#[derive(Debug, Clone, Default)]
pub(super) struct FaultPlan {
    errors: Vec<(i64, i64)>,
    stuck: Vec<(i64, i64)>,
    resets: Vec<i64>,
    lost: Vec<(i64, i64)>,
    /// When the meter was opened that reads the device.
    opened: i64,
    device: String,
}

impl FaultPlan {
    /// Those of `faults` that strike the device with this id, for a meter that is opened at `opened`.
    pub(super) fn new(faults: &[FaultSpec], device: &str, opened: i64) -> Self {
        let mut plan = Self { device: device.to_owned(), opened, ..Self::default() };
        for fault in faults.iter().filter(|fault| fault.device.as_deref().is_none_or(|id| id == device)) {
            let at = nanos(fault.at_s);
            let span = (at, at.saturating_add(nanos(fault.for_s.unwrap_or(USUAL_S))));
            match fault.kind {
                FaultKind::ReadError => plan.errors.push(span),
                FaultKind::Stuck => plan.stuck.push(span),
                FaultKind::CounterReset => plan.resets.push(at),
                // For good, unless it is said for how long: then a meter that is opened afterwards reads it again.
                FaultKind::DeviceLost => plan.lost.push((at, fault.for_s.map_or(i64::MAX, |_| span.1))),
            }
        }
        plan
    }

    /// Whether anything can be read at `now`.
    pub(super) fn readable(&self, now: i64) -> Result<(), ReadError> {
        if self.lost.iter().any(|(at, until)| *at <= now && self.opened < *until) {
            return Err(ReadError::Lost(format!("{} has fallen off the simulated bus", self.device)));
        }
        if self.errors.iter().any(|span| holds(*span, now)) {
            return Err(ReadError::Failed(format!("{} does not answer (simulated fault)", self.device)));
        }
        Ok(())
    }

    /// The moment that a sensor read at `now` still shows: before `now` while it is stuck.
    pub(super) fn shown_at(&self, now: i64) -> i64 {
        let mut shown = now;
        while let Some((from, _)) = self.stuck.iter().find(|span| holds(**span, shown) && span.0 < shown) {
            shown = *from;
        }
        shown
    }

    /// The last reset of the counters up to `at`.
    pub(super) fn last_reset(&self, at: i64) -> Option<i64> {
        self.resets.iter().copied().filter(|reset| *reset <= at).max()
    }
}

fn holds((from, to): (i64, i64), at: i64) -> bool {
    (from..to).contains(&at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(at_s: f64, kind: FaultKind, for_s: Option<f64>, device: Option<&str>) -> FaultSpec {
        FaultSpec { at_s, kind, for_s, device: device.map(str::to_owned) }
    }

    #[test]
    fn faults_hold_from_their_moment_for_their_time() {
        let plan = FaultPlan::new(
            &[
                fault(2.0, FaultKind::ReadError, None, None),
                fault(5.0, FaultKind::DeviceLost, None, Some("gpu:0")),
                fault(0.0, FaultKind::DeviceLost, None, Some("gpu:1")),
            ],
            "gpu:0",
            0,
        );
        assert!(plan.readable(nanos(2.0) - 1).is_ok());
        assert!(matches!(plan.readable(nanos(2.0)), Err(ReadError::Failed(_))));
        assert!(matches!(plan.readable(nanos(3.0) - 1), Err(ReadError::Failed(_))));
        assert!(plan.readable(nanos(3.0)).is_ok());
        assert!(matches!(plan.readable(nanos(5.0)), Err(ReadError::Lost(text)) if text.contains("gpu:0")));
    }

    #[test]
    fn a_device_that_comes_back_is_read_by_a_meter_that_is_opened_again() {
        let lost = [fault(5.0, FaultKind::DeviceLost, Some(2.0), None)];
        let opened = |seconds: f64| FaultPlan::new(&lost, "gpu:0", nanos(seconds));
        assert!(opened(0.0).readable(nanos(4.9)).is_ok() && opened(0.0).readable(nanos(60.0)).is_err());
        assert!(opened(6.0).readable(nanos(60.0)).is_err(), "it was opened while the device was gone");
        assert!(opened(7.0).readable(nanos(60.0)).is_ok());
    }

    #[test]
    fn overlapping_stuck_spans_show_the_moment_before_the_first() {
        let plan = FaultPlan::new(
            &[fault(10.0, FaultKind::Stuck, Some(3.0), None), fault(12.0, FaultKind::Stuck, Some(3.0), None)],
            "gpu:0",
            0,
        );
        assert_eq!(plan.shown_at(nanos(9.0)), nanos(9.0));
        assert_eq!(plan.shown_at(nanos(12.5)), nanos(10.0));
        assert_eq!(plan.shown_at(nanos(14.0)), nanos(10.0));
        assert_eq!(plan.shown_at(nanos(15.0)), nanos(15.0));
    }
}

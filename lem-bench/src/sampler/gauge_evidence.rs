//! Summarizes what the gauges of each domain read during windows: clocks, utilisation, power and throttle reasons.

use super::tracks::GaugeTrack;
use crate::meter::Quantity;
use crate::model::{DomainId, GaugeEvidence, MinMeanMax, ThrottleReason, TracePoint};
use crate::units::Stamp;

/// A reading covers the time since the one before it, but at most this long: a delayed sampler did not see what happened
/// in between.
const MAX_COVERED_S: f64 = 1.0;

/// Returns what the gauges of each domain read during `windows`. Domains without gauges are left out.
pub(super) fn gauge_evidence(tracks: &[GaugeTrack], windows: &[(Stamp, Stamp)]) -> Vec<GaugeEvidence> {
    let mut domains: Vec<&DomainId> = Vec::new();
    for track in tracks {
        if !domains.contains(&&track.domain) {
            domains.push(&track.domain);
        }
    }
    domains.into_iter().map(|domain| evidence_of(domain, tracks, windows)).collect()
}

fn evidence_of(domain: &DomainId, tracks: &[GaugeTrack], windows: &[(Stamp, Stamp)]) -> GaugeEvidence {
    let points = |quantity| GaugeTrack::find(tracks, quantity, domain).map_or(&[] as &[TracePoint], |it| &it.points);
    let spread = |quantity| {
        let in_windows = windows.iter().flat_map(|window| within(points(quantity), *window));
        MinMeanMax::from_values(in_windows.map(|point| point.1))
    };
    let (looked_s, held_s) = throttle_times(points(Quantity::ThrottleReasons), windows);
    GaugeEvidence {
        domain: domain.clone(),
        sm_clock_mhz: spread(Quantity::SmClock),
        memory_clock_mhz: spread(Quantity::MemoryClock),
        utilisation: spread(Quantity::Utilisation),
        power_w: spread(Quantity::Power),
        looked_s,
        held_s,
    }
}

fn within(points: &[TracePoint], (start, stop): (Stamp, Stamp)) -> &[TracePoint] {
    let from = points.partition_point(|point| point.0 < start);
    let to = points.partition_point(|point| point.0 <= stop);
    &points[from..to.max(from)]
}

/// Returns how many seconds of the windows the readings cover, and for how many of them each reason was active.
fn throttle_times(points: &[TracePoint], windows: &[(Stamp, Stamp)]) -> (f64, Vec<(ThrottleReason, f64)>) {
    let mut covered = 0.0;
    let mut active: Vec<(ThrottleReason, f64)> = Vec::new();
    for window in windows {
        let mut from = window.0;
        for point in within(points, *window) {
            let seconds = point.0.seconds_from(from).min(MAX_COVERED_S);
            from = point.0;
            covered += seconds;
            for reason in ThrottleReason::from_bits(point.1 as u64) {
                match active.iter_mut().find(|(known, _)| *known == reason) {
                    Some((_, sum)) => *sum += seconds,
                    None => active.push((reason, seconds)),
                }
            }
        }
    }
    active.sort_by_key(|(reason, _)| *reason);
    (covered, active)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn track(quantity: Quantity, every_ms: u64, values: &[f64]) -> GaugeTrack {
        let point = |(i, value): (usize, &f64)| TracePoint(Stamp((i as u64 + 1) * every_ms * 1_000_000), *value);
        let points = values.iter().enumerate().map(point).collect();
        GaugeTrack { channel: 0, domain: DomainId::new("gpu:0"), quantity, period: None, points }
    }

    #[test]
    fn sums_throttle_reasons_over_windows() {
        let clocks = track(Quantity::SmClock, 100, &[1000.0, 1900.0, 1900.0, 1400.0, 500.0]);
        let reasons = track(Quantity::ThrottleReasons, 100, &[64.0, 0.0, 4.0, 68.0, 64.0]);
        let window = (Stamp(150_000_000), Stamp(450_000_000));
        let all = gauge_evidence(&[clocks, reasons], &[window]);
        assert_eq!(all.len(), 1);
        let spread = all[0].sm_clock_mhz.unwrap();
        assert_eq!((spread.min, spread.max), (1400.0, 1900.0), "readings outside the window do not count");
        assert!((all[0].looked_s - 0.25).abs() < 1e-9, "{all:?}");
        let seconds = |reason| all[0].held_s.iter().find(|(held, _)| *held == reason).map_or(0.0, |(_, s)| *s);
        assert!((seconds(ThrottleReason::PowerCap) - 0.2).abs() < 1e-9, "{all:?}");
        assert!((seconds(ThrottleReason::HardwareThermal) - 0.1).abs() < 1e-9, "{all:?}");
        assert_eq!(all[0].power_w, None);
    }
}

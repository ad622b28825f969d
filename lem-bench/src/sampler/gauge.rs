//! Integrates a power gauge over a window, with bounds from the noise of its readings, and keeps the evidence of
//! gauges.

use super::counter::GaugeTrack;
use super::power_steps::split_at_steps;
use crate::meter::Quantity;
use crate::model::{DomainId, GaugeEvidence, MinMeanMax, ThrottleReason, TracePoint};
use crate::stats;
use crate::units::Stamp;

/// Number of periodogram ordinates that give the standard error of the mean. The lowest ones are used, because only
/// variation as slow as the window moves its mean.
const ORDINATES: usize = 2;

/// The confidence level of the bounds.
const LEVEL: f64 = 0.99;

/// Number of readings that show a load beating against the sensor's period as a beat; with fewer, it may look like a
/// single step.
const MIN_READINGS: usize = 50;

/// A reading covers the time since the one before it, but at most this long: a delayed sampler did not see what happened
/// in between.
const MAX_COVERED_S: f64 = 1.0;

/// Integrated power over a window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GaugeEnergy {
    /// The integral in J.
    pub joules: f64,
    /// Lower end of the 99 % interval from the noise of the readings, in J.
    pub low: f64,
    /// Upper end of that interval, in J.
    pub high: f64,
}

/// What is known about the readings of a window.
#[derive(Debug, Clone, Copy)]
pub(super) struct WindowContext {
    /// The time between two new readings, in seconds.
    pub update_s: f64,
    /// Whether the machine is known to be idle right before the window, and right after it.
    pub idle: (bool, bool),
}

/// Integrates readings in time order over `start..stop`. A reading covers the time since the previous one, which is what a
/// gauge averages over; the first and the last are extended to the edges.
///
/// Returns `None` if the window is empty or contains no reading.
pub fn integrate(points: &[TracePoint], start: Stamp, stop: Stamp) -> Option<GaugeEnergy> {
    integrate_with(points, start, stop, None)
}

/// As [`integrate`], with what is known about the gauge and the window.
pub(super) fn integrate_with(
    points: &[TracePoint],
    start: Stamp,
    stop: Stamp,
    context: Option<WindowContext>,
) -> Option<GaugeEnergy> {
    let first = points.partition_point(|point| point.0 <= start);
    let end = points.partition_point(|point| point.0 <= stop);
    if first == end || stop <= start {
        return None;
    }
    let mut joules = 0.0;
    let mut from = start;
    for point in &points[first..end] {
        joules += point.1 * point.0.seconds_from(from);
        from = point.0;
    }
    // The reading after the window covers its tail; without one, the last reading is extended.
    let tail = points.get(end).unwrap_or(&points[end - 1]);
    joules += tail.1 * stop.seconds_from(from);
    let watts: Vec<f64> = points[first..end].iter().map(|point| point.1).collect();
    let seconds = stop.seconds_from(start);
    // A reading may be as old as the previous one.
    let half = noise_half_width(&watts, seconds, 2.0 * seconds / watts.len() as f64, context);
    Some(GaugeEnergy { joules, low: joules - half, high: joules + half })
}

/// Returns half the 99 % interval, in J, of the energy of a window of `seconds` with evenly spaced readings: the noise
/// within each level of power, plus each change of the level times the uncertainty of its moment (`step_error_s`). Levels
/// are only searched if the update period is known.
pub(super) fn noise_half_width(watts: &[f64], seconds: f64, step_error_s: f64, context: Option<WindowContext>) -> f64 {
    let n = watts.len();
    let whole = half_width(watts) * seconds;
    let interval = seconds / n.max(1) as f64;
    let Some(WindowContext { update_s, idle }) = context else { return whole };
    // A read may be late by a fifth of an interval.
    let reads_per_update = (update_s / interval - 0.2).ceil().max(1.0) as usize;
    if n / reads_per_update < MIN_READINGS {
        return whole;
    }
    let levels = split_at_steps(watts, reads_per_update, idle);
    let step_error_s = step_error_s.max(reads_per_update as f64 * interval);
    let within = |from: usize, to: usize| half_width(&watts[from..to]) * seconds * (to - from) as f64 / n as f64;
    // The errors of different levels are independent.
    let squares: f64 = levels.iter().map(|level| within(level.from, level.to).powi(2)).sum();
    // Where steps repeat over the whole window, the noise of the whole window is the tighter bound.
    whole.min(squares.sqrt() + levels.iter().map(|level| level.change).sum::<f64>() * step_error_s)
}

/// Returns half the 99 % interval of the mean of readings in time order, in W; half their range if there are too few.
///
/// The variance of the mean is the readings' spectrum at frequency zero, estimated from the lowest ordinates of their
/// periodogram (P. Heidelberger, P. D. Welch, "A spectral method for confidence interval generation and run length
/// control in simulations", CACM 24, 1981). A load that beats against the sensor's period many times in a window hardly
/// moves its mean. Batch means don't take this into account and made the bounds several times too wide.
fn half_width(watts: &[f64]) -> f64 {
    let n = watts.len();
    if n < 5 * ORDINATES {
        let (low, high) = watts.iter().fold((f64::MAX, f64::MIN), |(l, h), w| (l.min(*w), h.max(*w)));
        return ((high - low) / 2.0).max(0.0);
    }
    let ordinate = |j: usize| {
        let angle = std::f64::consts::TAU * j as f64 / n as f64;
        let (re, im) = watts.iter().enumerate().fold((0.0, 0.0), |(re, im), (i, w)| {
            let (sin, cos) = (angle * i as f64).sin_cos();
            (re + w * cos, im + w * sin)
        });
        (re * re + im * im) / (n * n) as f64
    };
    let variance = (1..=ORDINATES).map(ordinate).sum::<f64>() / ORDINATES as f64;
    // Each ordinate has two degrees of freedom, its real and its imaginary part.
    stats::t_ppf(f64::midpoint(1.0, LEVEL), 2.0 * ORDINATES as f64) * variance.sqrt()
}

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

    fn points(watts: &[f64]) -> Vec<TracePoint> {
        watts.iter().enumerate().map(|(i, w)| TracePoint(Stamp((i as u64 + 1) * 100_000_000), *w)).collect()
    }

    #[test]
    fn integrates_partial_intervals_at_edges() {
        // 100 W until 0.1 s, 200 W until 0.2 s, 400 W until 0.3 s; from 0.05 to 0.25 s: 5 + 20 + 20 J.
        let energy = integrate(&points(&[100.0, 200.0, 400.0]), Stamp(50_000_000), Stamp(250_000_000)).unwrap();
        assert!((energy.joules - 45.0).abs() < 1e-9, "{energy:?}");
    }

    #[test]
    fn constant_gauge_has_no_noise() {
        let energy = integrate(&points(&[50.0; 60]), Stamp(0), Stamp(6_000_000_000)).unwrap();
        assert!((energy.joules - 300.0).abs() < 1e-9);
        assert!((energy.high - energy.low).abs() < 1e-9, "{energy:?}");
    }

    #[test]
    fn needs_a_reading_in_the_window() {
        assert_eq!(integrate(&points(&[50.0]), Stamp(200_000_000), Stamp(300_000_000)), None);
        assert_eq!(integrate(&[], Stamp(0), Stamp(1)), None);
    }

    #[test]
    fn interval_has_its_coverage() {
        use rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(5);
        let runs = 4000;
        let misses = (0..runs).filter(|_| {
            let watts: Vec<f64> = (0..100).map(|_| 300.0 + 40.0 * (rng.random::<f64>() - 0.5)).collect();
            let mean = watts.iter().sum::<f64>() / 100.0;
            (mean - 300.0).abs() > half_width(&watts)
        });
        let missed = misses.count() as f64 / f64::from(runs);
        assert!((0.004..0.017).contains(&missed), "{missed}");
    }

    #[test]
    fn load_inside_window_adds_only_its_steps() {
        let watts: Vec<f64> = (0..300).map(|i| if (50..250).contains(&i) { 650.0 } else { 100.0 }).collect();
        let context = |update_s| Some(WindowContext { update_s, idle: (false, false) });
        let half = noise_half_width(&watts, 30.0, 0.1, context(0.1));
        assert!((half - 2.0 * 55.0).abs() < 1e-9, "{half}");
        // With an unknown or long update period, a beat can look like such steps.
        assert!(noise_half_width(&watts, 30.0, 0.1, None) > 1000.0);
        assert!(noise_half_width(&watts, 30.0, 0.1, context(1.0)) > 1000.0);
    }

    #[test]
    fn repeated_beat_hardly_widens_interval() {
        // Bursts of 97 ms seen for 25 of every 100 ms: a beat of 3.2 s, three times in 10 s.
        let watts: Vec<f64> = (0..100).map(|i| if (i * 3) % 97 < 48 { 400.0 } else { 100.0 }).collect();
        let half = half_width(&watts);
        assert!(half > 5.0 && half < 50.0, "{half}");
    }

    fn track(quantity: Quantity, every_ms: u64, values: &[f64]) -> GaugeTrack {
        let point = |(i, value): (usize, &f64)| TracePoint(Stamp((i as u64 + 1) * every_ms * 1_000_000), *value);
        let points = values.iter().enumerate().map(point).collect();
        GaugeTrack { channel: 0, domain: DomainId::new("gpu:0"), quantity, period: None, averaging: None, points }
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

//! The energy of a power gauge over a window, with what its own scatter allows.

use crate::model::TracePoint;
use crate::stats;
use crate::units::Stamp;

/// Ordinates of the readings' periodogram on which the standard error of their mean rests: the lowest ones, because
/// only what is as slow as the window itself moves its mean.
const ORDINATES: usize = 2;

/// The level of the bounds: a window that lies outside them should be news.
const LEVEL: f64 = 0.99;

/// Integrated power over a window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GaugeEnergy {
    /// The integral in J.
    pub joules: f64,
    /// Lower end of the 99 % interval that the readings' scatter allows, in J.
    pub low: f64,
    /// Upper end of it, in J.
    pub high: f64,
}

/// Integrates readings in time order over `start..stop`. A reading stands for the time since the reading before it
/// (that is what a gauge averages over); the first and the last are extended to the edges.
///
/// `None` when no reading lies in the window, or it has no length.
pub fn integrate(points: &[TracePoint], start: Stamp, stop: Stamp) -> Option<GaugeEnergy> {
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
    // The reading after the window tells about its tail; without one, the last one in it is held.
    let tail = points.get(end).unwrap_or(&points[end - 1]);
    joules += tail.1 * stop.seconds_from(from);
    let watts: Vec<f64> = points[first..end].iter().map(|point| point.1).collect();
    let half = half_width(&watts) * stop.seconds_from(start);
    Some(GaugeEnergy { joules, low: joules - half, high: joules + half })
}

/// Half the 99 % interval, in W, that the scatter of readings in time order allows for their mean as the mean of the
/// time between them; half their range where they are too few to tell.
///
/// The variance of the mean is the readings' spectrum at frequency zero, taken from the lowest ordinates of their
/// periodogram (P. Heidelberger, P. D. Welch, "A spectral method for confidence interval generation and run length
/// control in simulations", CACM 24, 1981). A load that beats against the sensor's own period many times in a window
/// hardly moves its mean, and batch means, which are blind to that, made the bounds several times too wide.
pub(super) fn half_width(watts: &[f64]) -> f64 {
    let n = watts.len();
    if n < 5 * ORDINATES {
        let (low, high) = watts.iter().fold((f64::MAX, f64::MIN), |(l, h), w| (l.min(*w), h.max(*w)));
        return ((high - low) / 2.0).max(0.0);
    }
    let ordinate = |j: usize| {
        let turn = std::f64::consts::TAU * j as f64 / n as f64;
        let (re, im) = watts.iter().enumerate().fold((0.0, 0.0), |(re, im), (i, w)| {
            let (sin, cos) = (turn * i as f64).sin_cos();
            (re + w * cos, im + w * sin)
        });
        (re * re + im * im) / (n * n) as f64
    };
    let variance = (1..=ORDINATES).map(ordinate).sum::<f64>() / ORDINATES as f64;
    // Each ordinate brings two degrees of freedom, its real and its imaginary part.
    stats::t_ppf(f64::midpoint(1.0, LEVEL), 2.0 * ORDINATES as f64) * variance.sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(watts: &[f64]) -> Vec<TracePoint> {
        watts.iter().enumerate().map(|(i, w)| TracePoint(Stamp((i as u64 + 1) * 100_000_000), *w)).collect()
    }

    #[test]
    fn edges_between_readings_take_their_share() {
        // 100 W until 0.1 s, 200 W until 0.2 s, 400 W until 0.3 s; from 0.05 to 0.25 s: 5 + 20 + 20 J.
        let energy = integrate(&points(&[100.0, 200.0, 400.0]), Stamp(50_000_000), Stamp(250_000_000)).unwrap();
        assert!((energy.joules - 45.0).abs() < 1e-9, "{energy:?}");
    }

    #[test]
    fn a_constant_gauge_has_no_scatter() {
        let energy = integrate(&points(&[50.0; 60]), Stamp(0), Stamp(6_000_000_000)).unwrap();
        assert!((energy.joules - 300.0).abs() < 1e-9);
        assert!((energy.high - energy.low).abs() < 1e-9, "{energy:?}");
    }

    #[test]
    fn no_reading_in_the_window_is_no_energy() {
        assert_eq!(integrate(&points(&[50.0]), Stamp(200_000_000), Stamp(300_000_000)), None);
        assert_eq!(integrate(&[], Stamp(0), Stamp(1)), None);
    }

    #[test]
    fn scatter_becomes_an_interval_that_holds_at_its_level() {
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
    fn a_beat_that_repeats_in_the_window_hardly_widens_it() {
        // Bursts of 97 ms seen for 25 of every 100 ms: a beat of 3.2 s, three times in 10 s.
        let watts: Vec<f64> = (0..100).map(|i| if (i * 3) % 97 < 48 { 400.0 } else { 100.0 }).collect();
        let half = half_width(&watts);
        assert!(half > 5.0 && half < 50.0, "{half}");
    }
}

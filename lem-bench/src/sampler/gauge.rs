//! The energy of a power gauge over a window, with what its own scatter allows.

use crate::model::TracePoint;
use crate::stats;
use crate::units::Stamp;

/// Batches into which a window's readings are cut for their standard error; readings that follow each other are not
/// independent, their batch means nearly are.
const BATCHES: usize = 10;

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
    let half = half_width(&points[first..end]) * stop.seconds_from(start);
    Some(GaugeEnergy { joules, low: joules - half, high: joules + half })
}

/// Half the 99 % interval of the readings' mean, in W, by batch means; half their range where they are too few.
fn half_width(points: &[TracePoint]) -> f64 {
    let watts: Vec<f64> = points.iter().map(|point| point.1).collect();
    let batch = watts.len() / BATCHES;
    if batch < 2 {
        let (low, high) = watts.iter().fold((f64::MAX, f64::MIN), |(l, h), w| (l.min(*w), h.max(*w)));
        return (high - low) / 2.0;
    }
    let means: Vec<f64> = watts.chunks_exact(batch).map(|chunk| chunk.iter().sum::<f64>() / batch as f64).collect();
    stats::mean_ci(&means, LEVEL).map_or(0.0, |interval| (interval.high - interval.low) / 2.0)
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
        assert_eq!(energy.low, energy.high);
    }

    #[test]
    fn no_reading_in_the_window_is_no_energy() {
        assert_eq!(integrate(&points(&[50.0]), Stamp(200_000_000), Stamp(300_000_000)), None);
        assert_eq!(integrate(&[], Stamp(0), Stamp(1)), None);
    }
}

//! The energy of a power gauge over a window, with what its own scatter allows.

use super::levels::levels;
use crate::model::TracePoint;
use crate::stats;
use crate::units::Stamp;

/// Ordinates of the readings' periodogram on which the standard error of their mean rests: the lowest ones, because
/// only what is as slow as the window itself moves its mean.
const ORDINATES: usize = 2;

/// The level of the bounds: a window that lies outside them should be news.
const LEVEL: f64 = 0.99;

/// Readings in which a load that beats against the sensor has shown what it is: in fewer of them, its beat may be a
/// single step.
const ENOUGH: usize = 50;

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

/// What is known of the readings of a window.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    /// The time between two readings that are new.
    pub(super) update_s: f64,
    /// Whether the machine is known to rest right before the window, and right after it.
    pub(super) rests: (bool, bool),
}

/// Integrates readings in time order over `start..stop`. A reading stands for the time since the reading before it
/// (that is what a gauge averages over); the first and the last are extended to the edges.
///
/// `None` when no reading lies in the window, or it has no length.
pub fn integrate(points: &[TracePoint], start: Stamp, stop: Stamp) -> Option<GaugeEnergy> {
    integrate_knowing(points, start, stop, None)
}

/// As [`integrate`], with what is known of the gauge and of the window.
pub(super) fn integrate_knowing(
    points: &[TracePoint],
    start: Stamp,
    stop: Stamp,
    known: Option<Known>,
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
    // The reading after the window tells about its tail; without one, the last one in it is held.
    let tail = points.get(end).unwrap_or(&points[end - 1]);
    joules += tail.1 * stop.seconds_from(from);
    let watts: Vec<f64> = points[first..end].iter().map(|point| point.1).collect();
    let seconds = stop.seconds_from(start);
    // A reading may be as old as the one before it.
    let half = scatter(&watts, seconds, 2.0 * seconds / watts.len() as f64, known);
    Some(GaugeEnergy { joules, low: joules - half, high: joules + half })
}

/// Half the 99 % interval, in J, for the energy of a window of so many seconds over which these readings are spread:
/// what their scatter allows for within each level of power, and for each change from one level to another the time
/// within which its moment is not known. Levels are only looked for where it is known how often the readings are new.
pub(super) fn scatter(watts: &[f64], seconds: f64, unsure_s: f64, known: Option<Known>) -> f64 {
    let n = watts.len();
    let whole = half_width(watts) * seconds;
    let interval = seconds / n.max(1) as f64;
    // A fifth of an interval is how late a read may come.
    let Some((each, rests)) = known.map(|known| ((known.update_s / interval - 0.2).ceil().max(1.0), known.rests))
    else {
        return whole;
    };
    let each = each as usize;
    if n / each < ENOUGH {
        return whole;
    }
    let levels = levels(watts, each, rests);
    let unsure_s = unsure_s.max(each as f64 * interval);
    let within = |from: usize, to: usize| half_width(&watts[from..to]) * seconds * (to - from) as f64 / n as f64;
    // What the sensor missed of one level has nothing to do with what it missed of another.
    let squares: f64 = levels.iter().map(|level| within(level.from, level.to).powi(2)).sum();
    // Steps that repeat over the whole window say less about it one by one than together.
    whole.min(squares.sqrt() + levels.iter().map(|level| level.change).sum::<f64>() * unsure_s)
}

/// Half the 99 % interval, in W, that the scatter of readings in time order allows for their mean as the mean of the
/// time between them; half their range where they are too few to tell.
///
/// The variance of the mean is the readings' spectrum at frequency zero, taken from the lowest ordinates of their
/// periodogram (P. Heidelberger, P. D. Welch, "A spectral method for confidence interval generation and run length
/// control in simulations", CACM 24, 1981). A load that beats against the sensor's own period many times in a window
/// hardly moves its mean, and batch means, which are blind to that, made the bounds several times too wide.
fn half_width(watts: &[f64]) -> f64 {
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
    fn a_load_that_begins_and_ends_in_the_window_costs_its_steps_alone() {
        let watts: Vec<f64> = (0..300).map(|i| if (50..250).contains(&i) { 650.0 } else { 100.0 }).collect();
        let known = |update_s| Some(Known { update_s, rests: (false, false) });
        let half = scatter(&watts, 30.0, 0.1, known(0.1));
        assert!((half - 2.0 * 55.0).abs() < 1e-9, "{half}");
        // A gauge of which nobody knows how often it is new may show a beat in such steps; so may a slow one.
        assert!(scatter(&watts, 30.0, 0.1, None) > 1000.0);
        assert!(scatter(&watts, 30.0, 0.1, known(1.0)) > 1000.0);
    }

    #[test]
    fn a_beat_that_repeats_in_the_window_hardly_widens_it() {
        // Bursts of 97 ms seen for 25 of every 100 ms: a beat of 3.2 s, three times in 10 s.
        let watts: Vec<f64> = (0..100).map(|i| if (i * 3) % 97 < 48 { 400.0 } else { 100.0 }).collect();
        let half = half_width(&watts);
        assert!(half > 5.0 && half < 50.0, "{half}");
    }
}

//! The standard uncertainty of the energy of a window, by cause (JCGM 100:2008, "Guide to the expression of uncertainty in
//! measurement").

use std::time::Duration;

use super::edge::{Division, IdlePart};
use crate::model::{Coverage, Uncertainty};
use crate::units::Joules;

/// With fewer periods than this in a window, a sensor that sees part of the time gives no bounds from its noise.
pub(super) const FEW_PERIODS: f64 = 20.0;

/// The smallest share of its period that a known class of sensor sees: a fifth (20 of 100 ms, GH200: Yang et al., SC24).
/// With few periods, the true energy may be higher than what such a sensor shows by the inverse of this.
pub(super) const MIN_SEEN_SHARE: f64 = 0.2;

/// Half the 99 % interval of the noise of readings, in standard deviations of a normal distribution.
const HALF_WIDTH_SDS: f64 = 2.576;

/// The power of a window and around it.
#[derive(Debug, Clone, Copy)]
pub(super) struct PowerAround {
    /// Mean power of the window, in W.
    pub watts: f64,
    /// Standard deviation of the power within a period of the counter, in W; `None` where no gauge shows it.
    pub sd_w: Option<f64>,
    /// Half the 99 % interval of the energy that is due to the noise of the readings, in J.
    pub noise_j: f64,
    /// Length of the window in s.
    pub seconds: f64,
}

/// A counter and how it divided the periods of the two edges.
#[derive(Debug, Clone, Copy)]
pub(super) struct CounterEdges {
    pub divisions: [Division; 2],
    pub period: Duration,
    /// Energy of one count, in J.
    pub unit_j: f64,
    pub coverage: Coverage,
}

impl PowerAround {
    /// Returns the standard deviation of the power within a period. Where nothing is known about it, the power may be
    /// anything from nothing to twice the mean.
    fn sd_within_period(&self) -> f64 {
        self.sd_w.unwrap_or(self.watts / 3.0_f64.sqrt())
    }
}

impl CounterEdges {
    /// Returns the uncertainty of the counter's energy.
    pub fn uncertainty(&self, power: PowerAround) -> Uncertainty {
        let sum = |part: &dyn Fn(&Division) -> f64| root_of_squares(self.divisions.iter().map(part));
        Uncertainty {
            edges_j: Joules(sum(&|division| self.edge_j(division, power))),
            idle_split_j: Joules(sum(&|division| division.idle.map_or(0.0, |idle| self.idle_j(idle, division.watts)))),
            // Each of the two values was rounded to a count, whose rounding error is uniform.
            resolution_j: Joules(self.unit_j / 6.0_f64.sqrt()),
            sampling_j: Joules(self.sampling_j(power)),
        }
    }

    /// The ticks around the edge may have been at other moments; and if the period was divided as if its power were
    /// constant, it may have changed.
    fn edge_j(&self, division: &Division, power: PowerAround) -> f64 {
        let moment_j = division.watts * division.moment_s;
        let is_divided = division.idle.is_none();
        let unequal = if is_divided { (division.share * (1.0 - division.share)).sqrt() } else { 0.0 };
        moment_j.hypot(unequal * power.sd_within_period() * self.period.as_secs_f64())
    }

    /// The idle power was extrapolated from two periods, each with the noise of the idle power, and the part itself has
    /// that noise.
    fn idle_j(&self, idle: IdlePart, watts: f64) -> f64 {
        // The distance from the middle of the nearest period to the middle of the part, in periods.
        let distance = 0.5 * (1.0 + idle.seconds / self.period.as_secs_f64().max(1e-9));
        let weights = (1.0 + distance).powi(2) + distance.powi(2) + 1.0;
        // The difference of two values has twice their variance. A single value does not show its noise.
        let variance = idle.change_w.unwrap_or(watts).powi(2) / 2.0;
        (variance * weights).sqrt() * idle.seconds
    }

    /// A counter that may see part of each period: what the noise of the power allows, and at each edge the rest of a
    /// period, whose unseen part is uniform. In a few periods, a load that repeats at about the counter's rate shows the same
    /// part of itself in each: the energy may be anything from the smallest visible share of what the counter shows to its
    /// inverse.
    fn sampling_j(&self, power: PowerAround) -> f64 {
        if self.coverage == Coverage::WholeTime {
            return 0.0;
        }
        let period = self.period.as_secs_f64();
        let unseen = 1.0 - MIN_SEEN_SHARE;
        let step_w = |division: &Division| match division.idle {
            Some(_) => (power.watts - division.watts).abs(),
            None => power.sd_within_period(),
        };
        let edges = root_of_squares(self.divisions.iter().map(step_w)) * unseen * period / 12.0_f64.sqrt();
        let within = if power.seconds < FEW_PERIODS * period {
            (1.0 / MIN_SEEN_SHARE - MIN_SEEN_SHARE) / 12.0_f64.sqrt() * power.watts * power.seconds
        } else {
            power.noise_j / HALF_WIDTH_SDS
        };
        edges.hypot(within)
    }
}

/// Returns the uncertainty of integrated power: the noise of the readings (half its 99 % interval, `noise_j`), and at each edge
/// the time that its reading may be late, `late_s`, times the change of the power there, `steps_w`.
pub(super) fn of_integral(noise_j: f64, steps_w: [f64; 2], late_s: f64) -> Uncertainty {
    Uncertainty {
        edges_j: Joules(root_of_squares(steps_w.into_iter()) * late_s / 3.0_f64.sqrt()),
        sampling_j: Joules(noise_j / HALF_WIDTH_SDS),
        ..Uncertainty::default()
    }
}

fn root_of_squares(values: impl Iterator<Item = f64>) -> f64 {
    values.map(|value| value * value).sum::<f64>().sqrt()
}

//! How the temperature of a device follows its power: a network of one or two stages, each with a time constant.
//!
//! A stage is `τ dθ/dt = g·P − θ` (°C, W, s); the temperature is that of the surroundings plus the stages. Where the
//! reading is a whole number of degrees, it is exact only when it changes, so mostly these moments are fitted.

use std::ops::RangeInclusive;

use super::history::{Block, DeviceHistory};
use crate::stats::LeastSquares;

/// The time constants that are searched, in seconds.
const TIME_CONSTANTS_S: RangeInclusive<f64> = 1.0..=400.0;

/// The time constants with which the search starts, in seconds.
const START_S: [f64; 8] = [3.0, 6.0, 12.0, 25.0, 50.0, 100.0, 200.0, 400.0];

/// How long after the temperature its reading changes, in seconds: many sensors are updated once a second.
const LAGS_S: RangeInclusive<f64> = 0.0..=2.0;

/// The lag with which the search starts.
const START_LAG_S: f64 = 0.5;

/// The search ends at steps of this size, in the logarithm of a time constant and in seconds of the lag.
const SMALLEST_STEP: f64 = 0.005;

/// The error of a reading that is expected at least, in °C.
const SMALLEST_ERROR_C: f64 = 0.05;

/// The gain in log likelihood, doubled, that a second stage needs. It has three parameters more.
const SECOND_STAGE_GAIN: f64 = 20.0;

/// How far a stage may be from its equilibrium at the start, in °C, as a standard deviation.
const START_DEVIATION_C: f64 = 30.0;

/// The error that gives a reading its weight against [`START_DEVIATION_C`], in °C.
const TYPICAL_ERROR_C: f64 = 0.1;

/// With a smaller range of readings the temperature is not fitted, in °C.
const MIN_RANGE_C: f64 = 1.0;

/// With fewer readings the temperature is not fitted.
const MIN_READINGS: usize = 8;

/// The largest root mean square error of a fit that is used, in °C. A fan that changes its speed has a larger one.
const MAX_ERROR_C: f64 = 0.7;

/// The unknowns of the linear problem: surroundings, gains of two stages, and their start.
const UNKNOWNS: usize = 5;

/// The parameters in which the temperature is not linear.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Network {
    /// The time constants in seconds; the second is `None` for a single stage.
    pub tau_s: (f64, Option<f64>),
    /// How late readings are, in seconds.
    pub lag_s: f64,
}

/// The temperature of a device over its history.
#[derive(Debug, Clone)]
pub(super) struct Temperature {
    pub network: Network,
    /// The temperature without power, in °C.
    pub surroundings_c: f64,
    /// Degrees per watt in equilibrium.
    pub c_per_w: f64,
    step_s: f64,
    /// At the start of each step of the history, and at the end of the last.
    celsius: Vec<f64>,
}

impl Temperature {
    /// Fits the temperature to all readings.
    ///
    /// # Errors
    /// Why it cannot be fitted.
    pub fn fit(history: &DeviceHistory) -> Result<Self, String> {
        let fit = Fit { history, left_out: None };
        let count = history.readings.len();
        if count < MIN_READINGS {
            return Err(format!("its temperature was read only {count} times"));
        }
        let celsius = || history.readings.iter().map(|reading| reading.celsius);
        if celsius().fold(f64::NEG_INFINITY, f64::max) - celsius().fold(f64::INFINITY, f64::min) < MIN_RANGE_C {
            return Err("its temperature hardly changed".to_owned());
        }
        let starts = || START_S.iter().map(|tau_s| Network { tau_s: (*tau_s, None), lag_s: START_LAG_S });
        let pairs =
            START_S.iter().enumerate().flat_map(|(index, slow)| START_S[..index].iter().map(move |fast| (fast, slow)));
        let pairs = pairs.map(|(fast, slow)| Network { tau_s: (*fast, Some(*slow)), lag_s: START_LAG_S });
        let (one, one_error) = fit.search(fit.best_of(starts()).ok_or_else(not_determined)?, 0.35);
        let (two, two_error) = fit.best_of(pairs).map_or((one, one_error), |start| fit.search(start, 0.35));
        let smallest = count as f64 * SMALLEST_ERROR_C.powi(2);
        let gain = count as f64 * ((one_error + smallest) / (two_error + smallest)).ln();
        let (network, squares) = if gain > SECOND_STAGE_GAIN { (two, two_error) } else { (one, one_error) };
        if (squares / count as f64).sqrt() > MAX_ERROR_C {
            return Err("its temperature does not follow its power".to_owned());
        }
        fit.temperature(network).ok_or_else(not_determined)
    }

    /// Fits it again without the readings of one part, starting at this network.
    pub fn fit_without(&self, history: &DeviceHistory, part: usize) -> Option<Self> {
        let fit = Fit { history, left_out: Some(part) };
        let (network, _) = fit.search(self.network, 0.04);
        fit.temperature(network)
    }

    /// Returns the mean temperature over a block, in °C.
    pub fn mean(&self, block: &Block) -> f64 {
        let last = self.celsius.len() - 1;
        let index = |at_s: f64| ((at_s / self.step_s).round().max(0.0) as usize).min(last);
        let span = &self.celsius[index(block.start_s)..=index(block.stop_s)];
        // The trapezoidal rule.
        let ends = f64::midpoint(span[0], span[span.len() - 1]);
        if span.len() == 1 { ends } else { (span.iter().sum::<f64>() - ends) / (span.len() - 1) as f64 }
    }
}

fn not_determined() -> String {
    "its temperature changed too little to tell how it follows its power".to_owned()
}

/// A fit without the readings of one part.
struct Fit<'a> {
    history: &'a DeviceHistory,
    left_out: Option<usize>,
}

impl Fit<'_> {
    fn best_of(&self, networks: impl Iterator<Item = Network>) -> Option<Network> {
        let errors = networks.filter_map(|network| Some((network, self.squares(network)?)));
        errors.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(network, _)| network)
    }

    /// Returns the sum of squared errors of a network.
    fn squares(&self, network: Network) -> Option<f64> {
        Some(self.solve(network)?.1)
    }

    /// Improves a network by a pattern search (Hooke and Jeeves 1961) whose first steps have this size.
    fn search(&self, start: Network, first_step: f64) -> (Network, f64) {
        let mut best = (start, self.squares(start).unwrap_or(f64::INFINITY));
        let mut step = first_step;
        while step > SMALLEST_STEP {
            let moves = neighbours(best.0, step).filter_map(|network| Some((network, self.squares(network)?)));
            match moves.min_by(|a, b| a.1.total_cmp(&b.1)).filter(|moved| moved.1 < best.1) {
                Some(better) => best = better,
                None => step /= 2.0,
            }
        }
        best
    }

    /// Solves the linear problem: surroundings, gains, which are not negative, and starts.
    fn solve(&self, network: Network) -> Option<([f64; UNKNOWNS], f64)> {
        let slow_s = network.tau_s.1;
        let fast = Response::new(self.history, network.tau_s.0);
        let slow = slow_s.map(|tau_s| Response::new(self.history, tau_s));
        let mut problem = LeastSquares::<UNKNOWNS>::default();
        for reading in self.history.readings.iter().filter(|reading| Some(reading.part) != self.left_out) {
            let at_s = reading.at_s - network.lag_s;
            let (gain, start) = fast.at(at_s);
            let (slow_gain, slow_start) = slow.as_ref().map_or((0.0, 0.0), |slow| slow.at(at_s));
            problem.add(&[1.0, gain, slow_gain, start, slow_start], reading.celsius, 1.0);
        }
        let weight = (TYPICAL_ERROR_C / START_DEVIATION_C).powi(2);
        problem.add(&[0.0, 0.0, 0.0, 1.0, 0.0], 0.0, weight);
        problem.add(&[0.0, 0.0, 0.0, 0.0, 1.0], 0.0, weight);
        let mut used = [true, true, slow_s.is_some(), true, slow_s.is_some()];
        let mut solution = problem.solve(used)?;
        while let Some(negative) = (1..=2).find(|gain| solution.0[*gain] < 0.0) {
            used[negative] = false;
            solution = problem.solve(used)?;
        }
        Some(solution)
    }

    fn temperature(&self, network: Network) -> Option<Temperature> {
        let ([surroundings_c, fast, slow, fast_start, slow_start], _) = self.solve(network)?;
        let step_s = self.history.step_s;
        let mut celsius = vec![surroundings_c; self.history.watts.len() + 1];
        let stages = [(Some(network.tau_s.0), fast, fast_start), (network.tau_s.1, slow, slow_start)];
        for (tau_s, c_per_w, start_c) in stages {
            let Some(tau_s) = tau_s else { continue };
            let response = Response::new(self.history, tau_s);
            for (step, (celsius, watts)) in celsius.iter_mut().zip(&response.watts).enumerate() {
                *celsius += c_per_w * watts + start_c * (-(step as f64) * step_s / tau_s).exp();
            }
        }
        Some(Temperature { network, surroundings_c, c_per_w: fast + slow, step_s, celsius })
    }
}

/// Returns the networks around one, within the limits.
fn neighbours(network: Network, step: f64) -> impl Iterator<Item = Network> {
    let moved = move |fast: f64, slow: f64, lag: f64| {
        let scale =
            |tau_s: f64, by: f64| (tau_s * (by * step).exp()).clamp(*TIME_CONSTANTS_S.start(), *TIME_CONSTANTS_S.end());
        Network {
            tau_s: (scale(network.tau_s.0, fast), network.tau_s.1.map(|tau_s| scale(tau_s, slow))),
            lag_s: (network.lag_s + lag * step).clamp(*LAGS_S.start(), *LAGS_S.end()),
        }
    };
    let directions = [
        (1.0, 0.0, 0.0),
        (-1.0, 0.0, 0.0),
        (0.0, 0.0, 1.0),
        (0.0, 0.0, -1.0),
        (0.0, 1.0, 0.0),
        (0.0, -1.0, 0.0),
        (1.0, 1.0, 0.0),
        (1.0, -1.0, 0.0),
        (-1.0, 1.0, 0.0),
        (-1.0, -1.0, 0.0),
    ];
    // The directions of a second stage come last.
    let count = if network.tau_s.1.is_some() { directions.len() } else { 4 };
    directions.into_iter().take(count).map(move |(fast, slow, lag)| moved(fast, slow, lag))
}

/// How a stage of unit gain follows the power, and how its start decays.
struct Response {
    step_s: f64,
    tau_s: f64,
    /// At the start of each step, and at the end of the last.
    watts: Vec<f64>,
}

impl Response {
    fn new(history: &DeviceHistory, tau_s: f64) -> Self {
        let keep = (-history.step_s / tau_s).exp();
        let mut now = history.watts.first().copied().unwrap_or_default();
        let mut watts = Vec::with_capacity(history.watts.len() + 1);
        watts.push(now);
        for power in &history.watts {
            now = keep * now + (1.0 - keep) * power;
            watts.push(now);
        }
        Self { step_s: history.step_s, tau_s, watts }
    }

    /// Returns the response and what is left of the start.
    fn at(&self, at_s: f64) -> (f64, f64) {
        let position = (at_s / self.step_s).clamp(0.0, (self.watts.len() - 1) as f64);
        let index = (position as usize).min(self.watts.len().saturating_sub(2));
        let next = self.watts.get(index + 1).unwrap_or(&self.watts[index]);
        let share = position - index as f64;
        (self.watts[index] * (1.0 - share) + next * share, (-at_s / self.tau_s).exp())
    }
}

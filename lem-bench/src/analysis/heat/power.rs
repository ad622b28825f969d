//! How the power of a device depends on its temperature, under load and at rest.

use crate::stats::LeastSquares;

/// The distance between two temperatures at which a step of the power is searched, in °C.
const STEP_SEARCH_C: f64 = 0.25;

/// The gain in log likelihood, doubled, that a step of the power needs, also against all temperatures searched.
const STEP_GAIN: f64 = 15.0;

/// The number of values that a step needs on either side.
const MIN_BESIDE_STEP: usize = 3;

/// The number of values that a slope needs.
const MIN_VALUES: usize = 4;

/// A variance below which values count as equal, in W².
const SMALLEST_VARIANCE: f64 = 1e-4;

/// A mean power at a temperature: °C and W.
pub(super) type Point = (f64, f64);

/// A step of the power under load at a temperature. Firmware raises the voltage of a warmer device.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct PowerStep {
    pub at_c: f64,
    pub watts: f64,
}

/// The power of a device as a function of its temperature, apart from a constant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct PowerByTemperature {
    pub load_w_per_c: f64,
    pub idle_w_per_c: f64,
    pub step: Option<PowerStep>,
}

impl PowerByTemperature {
    /// Fits it to loads whose power differs by constants, such as warm-up and windows, and to rest. `None` without
    /// enough values.
    pub fn fit(loads: [&[Point]; 2], idle: &[Point], with_step: StepSearch) -> Option<Self> {
        let (smooth, without) = fit_loads(loads, None)?;
        let candidates = with_step.candidates(loads);
        let fits = candidates.into_iter().filter_map(|at_c| Some((at_c, fit_loads(loads, Some(at_c))?)));
        let best = fits.min_by(|a, b| a.1.1.total_cmp(&b.1.1)).filter(|(_, fit)| fit.1 < without - STEP_GAIN);
        let (load_w_per_c, step) = match best {
            Some((at_c, ([slope, watts], _))) => (slope, Some(PowerStep { at_c, watts })),
            None => (smooth[0], None),
        };
        Some(Self { load_w_per_c, idle_w_per_c: slope(idle).unwrap_or(0.0), step })
    }

    /// Returns the power under load at a temperature, apart from a constant.
    pub fn load(&self, celsius: f64) -> f64 {
        self.load_w_per_c * celsius + self.step.filter(|step| celsius > step.at_c).map_or(0.0, |step| step.watts)
    }
}

/// Where a step of the power is searched.
#[derive(Debug, Clone, Copy)]
pub(super) enum StepSearch {
    Everywhere,
    At(Option<PowerStep>),
}

impl StepSearch {
    fn candidates(self, loads: [&[Point]; 2]) -> Vec<f64> {
        if let Self::At(step) = self {
            return step.map(|step| step.at_c).into_iter().collect();
        }
        let mut sorted: Vec<f64> = loads.into_iter().flatten().map(|point| point.0).collect();
        sorted.sort_unstable_by(f64::total_cmp);
        let Some((low, high)) =
            sorted.get(MIN_BESIDE_STEP - 1).zip(sorted.len().checked_sub(MIN_BESIDE_STEP).and_then(|i| sorted.get(i)))
        else {
            return Vec::new();
        };
        let count = ((high - low) / STEP_SEARCH_C).max(0.0) as usize;
        (1..count).map(|number| low + number as f64 * STEP_SEARCH_C).collect()
    }
}

/// Fits slope and step, each load with its own constant and variance. Returns −2 times the log likelihood as well.
fn fit_loads(loads: [&[Point]; 2], step_c: Option<f64>) -> Option<([f64; 2], f64)> {
    if loads.iter().map(|load| load.len()).sum::<usize>() < MIN_VALUES {
        return None;
    }
    let centred = loads.map(|load| {
        let row = |point: &Point| [point.0, f64::from(step_c.is_some_and(|at_c| point.0 > at_c)), point.1];
        let rows: Vec<[f64; 3]> = load.iter().map(row).collect();
        let means: [f64; 3] = std::array::from_fn(|i| rows.iter().map(|row| row[i]).sum::<f64>() / rows.len() as f64);
        rows.iter().map(|row| std::array::from_fn(|i| row[i] - means[i])).collect::<Vec<[f64; 3]>>()
    });
    let mut variances = [1.0; 2];
    let mut fitted = [0.0; 2];
    for _ in 0..5 {
        let mut problem = LeastSquares::<2>::default();
        for (rows, variance) in centred.iter().zip(variances) {
            for [celsius, step, watts] in rows {
                problem.add(&[*celsius, *step], *watts, 1.0 / variance);
            }
        }
        (fitted, _) = problem.solve([true, step_c.is_some()])?;
        for (rows, variance) in centred.iter().zip(&mut variances) {
            let error = |[celsius, step, watts]: &[f64; 3]| watts - fitted[0] * celsius - fitted[1] * step;
            let squares: f64 = rows.iter().map(|row| error(row).powi(2)).sum();
            *variance = squares / (rows.len() as f64 - 1.5).max(1.0) + SMALLEST_VARIANCE;
        }
    }
    let likelihood = centred.iter().zip(variances).map(|(rows, variance)| rows.len() as f64 * variance.ln()).sum();
    Some((fitted, likelihood))
}

fn slope(points: &[Point]) -> Option<f64> {
    let mut problem = LeastSquares::<2>::default();
    for (celsius, watts) in points {
        problem.add(&[1.0, *celsius], *watts, 1.0);
    }
    let (solution, _) = problem.solve([true; 2])?;
    Some(solution[1])
}

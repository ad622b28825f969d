//! The equilibrium of a load: where its temperature, and with it its power, no longer changes.

use super::history::{Block, CycleBlocks, DeviceHistory};
use super::power::{Point, PowerByTemperature, StepSearch};
use super::temperature::Temperature;

/// The largest share of its own power that may come back as heat: beyond it an equilibrium is not certain.
const MAX_FEEDBACK: f64 = 0.7;

/// The equilibrium of the load of the windows.
pub(super) struct Equilibrium {
    pub power: PowerByTemperature,
    pub celsius: f64,
    pub watts: f64,
    /// Mean temperature of the windows.
    pub windows_c: f64,
    /// Mean change of load and idle power over the cycles.
    pub mean_change: (f64, f64),
}

impl Equilibrium {
    pub fn fit(
        history: &DeviceHistory,
        temperature: &Temperature,
        left_out: Option<usize>,
        search: StepSearch,
    ) -> Option<Self> {
        let cycles: Vec<&CycleBlocks> = history.cycles.iter().filter(|cycle| Some(cycle.part) != left_out).collect();
        let point = |block: &Block| -> Point { (temperature.mean(block), block.watts) };
        let kept = |block: &&Block| Some(block.part) != left_out;
        let warm_up: Vec<Point> = history.warm_up.iter().filter(kept).map(point).collect();
        let windows: Vec<Point> = cycles.iter().flat_map(|cycle| &cycle.windows).map(point).collect();
        let gaps = cycles.iter().filter_map(|cycle| cycle.idle.as_ref());
        let idle: Vec<Point> = history.idle.iter().filter(kept).chain(gaps).map(point).collect();
        let power = PowerByTemperature::fit([&warm_up, &windows], &idle, search)?;
        let mean = |value: &dyn Fn(&Point) -> f64| windows.iter().map(value).sum::<f64>() / windows.len() as f64;
        let (c_per_w, surroundings_c) = (temperature.c_per_w, temperature.surroundings_c);
        let feedback = power.load_w_per_c * c_per_w;
        if windows.is_empty() || feedback.abs() > MAX_FEEDBACK {
            return None;
        }
        // Power without what depends on temperature; then P = constant + slope · T + step, T = surroundings + c · P.
        let constant_w = mean(&|(celsius, watts)| watts - power.load(*celsius));
        let solve = |step_w: f64| {
            let watts = (constant_w + step_w + power.load_w_per_c * surroundings_c) / (1.0 - feedback);
            (watts, surroundings_c + c_per_w * watts)
        };
        let (watts, celsius) = match power.step {
            None => solve(0.0),
            Some(step) => {
                let (below, above) = (solve(0.0), solve(step.watts));
                let was_above = windows.iter().filter(|(celsius, _)| *celsius > step.at_c).count() * 2 > windows.len();
                if above.1 > step.at_c && (was_above || below.1 > step.at_c) { above } else { below }
            }
        };
        let mut model = Self { power, celsius, watts, windows_c: mean(&|point| point.0), mean_change: (0.0, 0.0) };
        let changes: Vec<(f64, f64)> = cycles.iter().map(|cycle| model.change(cycle, temperature)).collect();
        let count = changes.len() as f64;
        model.mean_change = (
            changes.iter().map(|change| change.0).sum::<f64>() / count,
            changes.iter().map(|change| change.1).sum::<f64>() / count,
        );
        Some(model)
    }

    /// Returns how the load and idle power of a cycle change up to equilibrium, in W.
    pub fn change(&self, cycle: &CycleBlocks, temperature: &Temperature) -> (f64, f64) {
        let seconds = |block: &Block| block.stop_s - block.start_s;
        let total: f64 = cycle.windows.iter().map(seconds).sum();
        let then =
            cycle.windows.iter().map(|block| self.power.load(temperature.mean(block)) * seconds(block)).sum::<f64>();
        let load_w = self.power.load(self.celsius) - then / total;
        let idle_c = cycle.idle.as_ref().map(|block| temperature.mean(block));
        let idle_w = idle_c.map_or(0.0, |idle_c| self.power.idle_w_per_c * (self.celsius - idle_c));
        (load_w, idle_w)
    }
}

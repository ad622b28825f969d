//! Heat: from the temperature of the windows to that of a load that never rests.
//!
//! The power of a device rises with its temperature, and a bench is too short, and rests too often, for the temperature
//! at which a server runs. So temperature and power are fitted over warm-up, gaps and windows, and each window is
//! corrected to the temperature that its load would reach in equilibrium; the idle power of a gap is corrected to the
//! same temperature. The standard error is that of the jackknife over parts of the warm-up and groups of cycles (Efron
//! and Tibshirani 1993, chapter 11).

mod history;
mod power;
mod temperature;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use self::history::{Block, CycleBlocks, DeviceHistory};
use self::power::{Point, PowerByTemperature, PowerStep, StepSearch};
use self::temperature::Temperature;
use super::assemble::BenchRecords;
use super::cycles::domain_key;
use super::summary::DeviceHeat;
use crate::model::{CycleRecord, DomainId, Origin};

/// The largest share of its own power that may come back as heat: beyond it an equilibrium is not certain.
const MAX_FEEDBACK: f64 = 0.7;

/// The largest standard error of a correction that is used, as a share of the power.
const MAX_ERROR: f64 = 0.05;

/// How the energy of each cycle is corrected.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct HeatCorrection {
    /// By cycle: power that is added to that of the windows, in W.
    pub load_w: Vec<f64>,
    /// By cycle: power that is added to the idle power of the gap, in W.
    pub idle_w: Vec<f64>,
    /// Standard error of the mean of `load_w`, in W.
    pub load_error_w: f64,
    /// Standard error of the mean of `load_w` less `idle_w`, in W.
    pub net_error_w: f64,
    /// The devices that were fitted.
    pub devices: Vec<DeviceHeat>,
}

/// Returns the correction of the cycles that all processes have; `None` where energies are not measured, or no headline
/// device has a temperature.
///
/// # Errors
/// Why a device with a temperature cannot be corrected.
pub(super) fn correction(bench: &BenchRecords<'_>) -> Option<Result<HeatCorrection, String>> {
    let cycles = bench.cycles();
    let mut counted = BTreeSet::new();
    let mut total: Option<HeatCorrection> = None;
    for (number, process) in bench.processes.iter().enumerate() {
        let header = process.header;
        if header.probe.origin == Origin::Estimated {
            return None;
        }
        let records: Vec<&CycleRecord> = cycles.values().map(|records| records[number]).collect();
        for domain in header.headline.iter().filter(|domain| counted.insert(domain_key(header, domain))) {
            let has_temperature = |record: &&CycleRecord| record.temperature_c.iter().any(|(id, ..)| id == domain);
            if records.is_empty() || !records.iter().all(has_temperature) {
                continue;
            }
            let corrected = match process.resumed {
                0 => DeviceHistory::new(process, domain, &records).and_then(|history| correct(&history, domain)),
                _ => Err("the run was interrupted, and the device cooled down".to_owned()),
            };
            match corrected {
                Ok(one) => total = Some(total.map_or_else(|| one.clone(), |sum| sum.plus(&one))),
                Err(reason) => return Some(Err(format!("`{domain}`: {reason}"))),
            }
        }
    }
    total.map(Ok)
}

impl HeatCorrection {
    /// Adds the correction of another device.
    fn plus(mut self, other: &Self) -> Self {
        let add = |own: &mut Vec<f64>, other: &[f64]| own.iter_mut().zip(other).for_each(|(own, other)| *own += other);
        add(&mut self.load_w, &other.load_w);
        add(&mut self.idle_w, &other.idle_w);
        self.load_error_w = self.load_error_w.hypot(other.load_error_w);
        self.net_error_w = self.net_error_w.hypot(other.net_error_w);
        self.devices.extend(other.devices.iter().cloned());
        self
    }
}

fn correct(history: &DeviceHistory, domain: &DomainId) -> Result<HeatCorrection, String> {
    let temperature = Temperature::fit(history)?;
    let unknown = || "how its power depends on its temperature cannot be told".to_owned();
    let model = Equilibrium::fit(history, &temperature, None, StepSearch::Everywhere).ok_or_else(unknown)?;
    let without = |part: usize| {
        let temperature = temperature.fit_without(history, part)?;
        let step = StepSearch::At(model.power.step);
        Some(Equilibrium::fit(history, &temperature, Some(part), step)?.mean_change)
    };
    let jackknife: Option<Vec<(f64, f64)>> = (0..history.parts()).map(without).collect();
    let jackknife = jackknife.ok_or_else(unknown)?;
    let load_error_w = jackknife_error(jackknife.iter().map(|(load, _)| *load));
    let net_error_w = jackknife_error(jackknife.iter().map(|(load, idle)| load - idle));
    if load_error_w > MAX_ERROR * model.watts || net_error_w > MAX_ERROR * model.watts {
        return Err("how its power depends on its temperature is not known well enough".to_owned());
    }
    let change = |cycle: &CycleBlocks| model.change(cycle, &temperature);
    let (load_w, idle_w) = history.cycles.iter().map(change).unzip();
    let device = DeviceHeat {
        domain: domain.clone(),
        equilibrium_c: model.celsius,
        windows_c: model.windows_c,
        highest_c: history.highest_c,
        load_w_per_c: model.power.load_w_per_c,
        idle_w_per_c: model.power.idle_w_per_c,
        step: model.power.step.map(|PowerStep { at_c, watts }| (at_c, watts)),
        c_per_w: temperature.c_per_w,
        time_constants_s: {
            let (fast, slow) = temperature.network.tau_s;
            std::iter::once(fast).chain(slow).collect()
        },
    };
    Ok(HeatCorrection { load_w, idle_w, load_error_w, net_error_w, devices: vec![device] })
}

fn jackknife_error(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let count = values.clone().count() as f64;
    let mean = values.clone().sum::<f64>() / count;
    ((count - 1.0) / count * values.map(|value| (value - mean).powi(2)).sum::<f64>()).sqrt()
}

/// The equilibrium of the load of the windows.
struct Equilibrium {
    power: PowerByTemperature,
    celsius: f64,
    watts: f64,
    /// Mean temperature of the windows.
    windows_c: f64,
    /// Mean change of load and idle power over the cycles.
    mean_change: (f64, f64),
}

impl Equilibrium {
    fn fit(
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
    fn change(&self, cycle: &CycleBlocks, temperature: &Temperature) -> (f64, f64) {
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

//! Corrects the cycles of a bench for heat, device by device.

use std::collections::BTreeSet;

use super::equilibrium::Equilibrium;
use super::history::{CycleBlocks, DeviceHistory};
use super::power::{PowerStep, StepSearch};
use super::temperature::Temperature;
use crate::analysis::assemble::BenchRecords;
use crate::analysis::cycles::domain_key;
use crate::analysis::summary::DeviceHeat;
use crate::model::{CycleRecord, DomainId, Origin};

/// A correction whose standard error is at most this share of the power is used, whatever its size.
const SMALL_ERROR: f64 = 0.003;

/// A correction with a larger error is used if it is this many times as large as its error. In a run that is too short, most
/// of a correction is noise.
const SIGNIFICANT: f64 = 2.5;

/// The largest standard error of a correction that is used, as a share of the power.
const MAX_ERROR: f64 = 0.05;

/// How the energy of each cycle is corrected.
#[derive(Debug, Clone, PartialEq)]
pub struct HeatCorrection {
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
pub fn correction(bench: &BenchRecords<'_>) -> Option<Result<HeatCorrection, String>> {
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

pub(super) fn correct(history: &DeviceHistory, domain: &DomainId) -> Result<HeatCorrection, String> {
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
    let is_known = |error_w: f64, added_w: f64| {
        error_w <= SMALL_ERROR * model.watts
            || (error_w <= MAX_ERROR * model.watts && added_w.abs() > SIGNIFICANT * error_w)
    };
    if !is_known(load_error_w, model.mean_change.0) {
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

//! Checks whether the machine was steady, under load and at rest: warm-up, drift, temperature, outliers, idle power.

use std::collections::BTreeSet;

use crate::analysis::assemble::{Evidence, ProcessRecords};
use crate::analysis::cycles::MergedCycle;
use crate::analysis::finding::{Check, Finding, Severity};
use crate::model::{DomainId, IdleBlock, IdleRecord, WarmUpCode, count_of, is_or_are, p_value};
use crate::stats;

/// The drift at the end of a warm-up up to which it is only a note, as drift over the cycles is checked separately. Noise
/// alone leaves more than the tolerance of 1 % at the end of half of all warm-ups of machines that are steady from the
/// first request (`plain.json`), and more than this in 0.6 % of 2,000; of those of `thermal.json`, which keeps drifting,
/// in 15 %.
const SMALL_DRIFT: f64 = 0.02;

/// The p value below which a slope is reported. By chance one bench in a hundred has one over its cycles (0.8 to 1.3 % of
/// 2,000 runs of each of the steady machines in `tests/scenarios`), and one in fifty one with the temperature (2.2 % of
/// `plain.json`): a cycle that happens to draw more also begins warmer.
const P_NOTE: f64 = 0.01;

/// The p value below which a slope is a warning. Of the same machines 0.1 to 0.3 % are warned about drift and up to 1 %
/// about the temperature, and less than 3 % about either.
const P_WARNING: f64 = 0.001;

/// The number of robust standard deviations from the median beyond which a value is an outlier.
const OUTLIER_DEVIATIONS: f64 = 6.0;

/// The distance from the median beyond which power in a cycle can be an outlier, as a share of the median.
const OUTLIER_POWER: f64 = 0.04;

/// The number of values below which none is an outlier.
const MIN_VALUES: usize = 4;

/// The change of idle power that is reported, as a share of it.
const MAX_IDLE_CHANGE: f64 = 0.03;

/// The change of idle power from before the warm-up to the last gap that is a warning, as a share of it.
const MAX_WARM_IDLE_CHANGE: f64 = 0.25;

/// The distance between the temperature in equilibrium and the highest that was read above which a correction for heat is
/// reported, in °C.
const FAR_BEYOND_C: f64 = 2.0;

/// A correction for heat up to this share of the power is not reported.
const SMALL_CORRECTION: f64 = 0.003;

/// The standard error of a correction for heat above which it is a warning, as a share of the power.
const LARGE_CORRECTION_ERROR: f64 = 0.01;

pub(super) fn check(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    check_warm_up(findings, evidence);
    check_drift(findings, evidence);
    check_power_outliers(findings, evidence);
    check_temperature(findings, evidence);
    check_heat(findings, evidence);
    check_correlation(findings, evidence);
    check_idle_of_gaps(findings, evidence);
    check_idle_before_and_after(findings, evidence);
    check_idle_blocks(findings, evidence);
    check_net_power(findings, evidence);
}

fn check_warm_up(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    let Some(warm_up) = evidence.first().warm_up else { return };
    let seconds = warm_up.stop.since(warm_up.start).as_secs_f64();
    let bound = warm_up.bound.map_or_else(String::new, |bound| format!(" (drift up to {:.1} %)", bound * 100.0));
    match warm_up.code {
        WarmUpCode::Proven => {}
        WarmUpCode::NoDriftDetected => findings.push(Finding::new(
            Check::NotSteady,
            Severity::Note,
            format!("no drift in {seconds:.0} s of warm-up, but the noise of its requests may hide one{bound}"),
            "the cycles average this noise; drift over the cycles is checked separately",
        )),
        WarmUpCode::NotConverged => findings.push(Finding::new(
            Check::NotSteady,
            if warm_up.bound.is_some_and(|bound| bound <= SMALL_DRIFT) { Severity::Note } else { Severity::Warning },
            format!("still changing after {seconds:.0} s of warm-up{bound}"),
            "use a longer `--warm-up-time`, or find out what keeps changing",
        )),
        WarmUpCode::TooFewProbes => findings.push(Finding::new(
            Check::NotSteady,
            Severity::Warning,
            format!(
                "{} in {seconds:.0} s of warm-up {} too few to check whether the machine is steady",
                count_of(warm_up.probes_s.len(), "probe"),
                is_or_are(warm_up.probes_s.len())
            ),
            "use a longer `--warm-up-time`, or shorter requests",
        )),
    }
    if warm_up.temperature_steady == Some(false) && evidence.corrected_heat().is_none() {
        findings.push(Finding::new(
            Check::NotSteady,
            Severity::Warning,
            format!("the temperature was still rising after {seconds:.0} s of warm-up"),
            "use a longer `--warm-up-time`, or improve the cooling",
        ));
    }
}

fn severity_of(p: f64) -> Severity {
    if p < P_WARNING { Severity::Warning } else { Severity::Note }
}

/// Reports a trend of the energy per unit of work over the cycles.
fn check_drift(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    let energies: Vec<f64> = evidence.cycles.iter().filter_map(|cycle| evidence.energy_per_unit(cycle)).collect();
    let Ok(trend) = stats::trend(&energies) else { return };
    let Ok(summary) = stats::summary(&energies) else { return };
    // The total matters: an exact simulation has slopes of a millionth with certainty.
    let total = trend.slope * (energies.len() as f64 - 1.0) / summary.mean * 100.0;
    if trend.p < P_NOTE && total.abs() > 0.1 {
        findings.push(Finding::new(
            Check::Drift,
            severity_of(trend.p),
            format!(
                "energy per {} drifts by {total:+.1} % over the cycles ({})",
                evidence.unit.label(),
                p_value(trend.p)
            ),
            "the machine was not steady: use a longer warm-up, or longer gaps",
        ));
    }
}

/// Reports a dependence of the energy per unit of work on the temperature at which its cycle began.
fn check_correlation(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    let pair = |cycle: &MergedCycle| Some((cycle.summary.temperature_c?.0, evidence.energy_per_unit(cycle)?));
    let mut pairs: Vec<(f64, f64)> = evidence.cycles.iter().filter_map(pair).collect();
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (celsius, energies): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
    let Some(line) = stats::line(&celsius, &energies).ok().filter(|line| line.p < P_NOTE) else { return };
    let Ok(summary) = stats::summary(&energies) else { return };
    let range = celsius.last().zip(celsius.first()).map_or(0.0, |(last, first)| last - first);
    let total = line.slope * range / summary.mean * 100.0;
    if range >= 1.0 && total.abs() > 0.5 {
        findings.push(Finding::new(
            Check::TemperatureEnergy,
            severity_of(line.p),
            format!(
                "energy per {} changes with the temperature: {total:+.1} % over the {range:.0} °C between cycles \
                 ({})",
                evidence.unit.label(),
                p_value(line.p)
            ),
            "compare results at the same temperature: a longer warm-up, a longer `--gap` and steadier cooling reduce the difference",
        ));
    }
}

/// Reports cycles whose power is an outlier, because something else ran or failed to run.
fn check_power_outliers(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    let power = |cycle: &MergedCycle| Some((cycle.summary.index, cycle.summary.corrected_j()? / cycle.summary.seconds));
    let (cycles, powers): (Vec<u32>, Vec<f64>) = evidence.cycles.iter().filter_map(power).unzip();
    let indices = outliers(&powers, OUTLIER_POWER);
    let Ok(others) = stats::summary(&without(&powers, &indices)) else { return };
    if indices.is_empty() {
        return;
    }
    let listed: Vec<String> =
        indices.iter().take(5).map(|i| format!("{:.1} W in cycle {}", powers[*i], cycles[*i] + 1)).collect();
    let more = if indices.len() > listed.len() { " and others" } else { "" };
    findings.push(Finding::new(
        Check::Outlier,
        Severity::Warning,
        format!("the power was {}{more}; the median of the other cycles is {:.1} W", listed.join(", "), others.median),
        "something else used the machine for a while, or slowed it down: find it and run again",
    ));
}

fn check_temperature(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    let temperatures: Vec<(f64, f64)> =
        evidence.cycles.iter().filter_map(|cycle| cycle.summary.temperature_c).collect();
    let (low, high) = range(temperatures.iter().map(|(start, _)| *start));
    let is_corrected = evidence.corrected_heat().is_some();
    if temperatures.len() >= 2 && high - low > 3.0 && !is_corrected {
        findings.push(Finding::new(
            Check::Temperature,
            Severity::Warning,
            format!("windows began at temperatures from {low:.0} to {high:.0} °C"),
            "use a longer warm-up, or better cooling",
        ));
    }
    let change = temperatures.iter().map(|(start, stop)| (stop - start).abs()).fold(0.0, f64::max);
    if change > 10.0 && !is_corrected {
        findings.push(Finding::new(
            Check::Temperature,
            Severity::Warning,
            format!("a change of {change:.0} °C within a window"),
            "use a longer warm-up, or better cooling",
        ));
    }
    let capped = evidence.records.iter().filter(|cycle| cycle.iter().any(|record| record.ramp_in_capped)).count();
    if capped > 0 {
        findings.push(Finding::new(
            Check::Temperature,
            // A sensor of whole degrees may miss by one in a cycle or two (in 16 % of 2,000 runs of `plain.json`; in more
            // than a third of the cycles in 0.1 %). The checks above report the effect.
            if capped * 3 > evidence.records.len() { Severity::Warning } else { Severity::Note },
            format!(
                "in {capped} of {} the ramp-in ended before the temperature had recovered",
                count_of(evidence.records.len(), "cycle")
            ),
            "use shorter gaps (`--gap`), or a longer warm-up",
        ));
    }
}

/// Reports a correction for heat that is missing or goes far beyond the temperatures that were seen.
fn check_heat(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    let Some(heat) = evidence.heat else { return };
    let is_steady = evidence.first().warm_up.is_none_or(|warm_up| warm_up.temperature_steady != Some(false));
    if let Some(reason) = heat.missing.as_ref().filter(|_| !is_steady) {
        findings.push(Finding::new(
            Check::Temperature,
            Severity::Note,
            format!("energies are those at the temperature of the windows, not in equilibrium: {reason}"),
            "use a longer `--warm-up-time`",
        ));
    }
    let beyond = heat.devices.iter().map(|device| (device.equilibrium_c - device.highest_c, device.equilibrium_c));
    let Some((beyond_c, equilibrium_c)) = beyond.max_by(|a, b| a.0.total_cmp(&b.0)) else { return };
    let error = heat.error_w * heat.share / heat.added_w;
    if beyond_c > FAR_BEYOND_C && heat.share.abs() > SMALL_CORRECTION {
        findings.push(Finding::new(
            Check::Temperature,
            if error > LARGE_CORRECTION_ERROR { Severity::Warning } else { Severity::Note },
            format!(
                "in equilibrium at {equilibrium_c:.0} °C, {beyond_c:.0} °C above what was measured, power would be {:+.1} % \
                 (±{:.1} %) higher: energies include it",
                heat.share * 100.0,
                error * 100.0
            ),
            "a longer `--warm-up-time` reduces the correction and its error",
        ));
    }
}

/// Returns loaded idle power in the gaps, in W, with the indices of their cycles.
fn idle_of_gaps(evidence: &Evidence<'_>) -> (Vec<u32>, Vec<f64>) {
    let idle = |cycle: &MergedCycle| Some((cycle.summary.index, cycle.summary.idle_w?.get()));
    evidence.cycles.iter().filter_map(idle).unzip()
}

fn check_idle_of_gaps(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    let (cycles, idle) = idle_of_gaps(evidence);
    let indices = outliers(&idle, MAX_IDLE_CHANGE);
    let rest = without(&idle, &indices);
    let Ok(others) = stats::summary(&rest) else { return };
    if let Some(worst) = farthest(&idle, &indices) {
        let listed: Vec<String> = indices.iter().map(|i| (cycles[*i] + 1).to_string()).collect();
        findings.push(Finding::new(
            Check::Outlier,
            Severity::Warning,
            format!(
                "idle power before cycle {} was {worst:.1} W; the median of the other gaps is {:.1} W",
                listed.join(", "),
                others.median
            ),
            "something else used the machine for a while: find it and run again; net energy uses each cycle's own gap",
        ));
    }
    let (low, high) = range(rest.iter().copied());
    if rest.len() >= 3 && high - low > MAX_IDLE_CHANGE * others.mean.abs() {
        findings.push(Finding::new(
            Check::IdleMoved,
            Severity::Warning,
            format!("loaded idle varied between {low:.1} and {high:.1} W from gap to gap"),
            "check whether something else uses the machine; each cycle's net energy uses its own gap",
        ));
    }
}

/// Compares loaded idle before the warm-up, when the machine was cold, with the last gap.
fn check_idle_before_and_after(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    let (_, idle) = idle_of_gaps(evidence);
    let (Some(before), Some(after)) = (idle_before_warm_up(evidence), idle.last()) else { return };
    let change = (after - before) / before;
    if before > 0.0 && change.abs() > MAX_IDLE_CHANGE {
        findings.push(Finding::new(
            Check::IdleMoved,
            // A card draws more while it is hot, and for a while after a load, so each gap applies to its own cycle only.
            if change.abs() > MAX_WARM_IDLE_CHANGE { Severity::Warning } else { Severity::Note },
            format!(
                "loaded idle was {before:.1} W before the warm-up and {after:.1} W in the last gap ({:+.1} %)",
                change * 100.0
            ),
            "a warm device draws more idle power; a longer `--gap` lets it cool down further",
        ));
    }
}

/// Returns loaded idle power before the warm-up over all processes, in W, with each domain counted once as in the gaps.
fn idle_before_warm_up(evidence: &Evidence<'_>) -> Option<f64> {
    let mut counted = BTreeSet::new();
    let median = |process: &ProcessRecords<'_>| {
        let headline = process.header.headline.iter();
        let new: Vec<DomainId> = headline.filter(|domain| counted.insert((*domain).clone())).cloned().collect();
        if new.is_empty() {
            return Some(0.0);
        }
        stats::summary(&block_powers(process.loaded_idle?, &new)).ok().map(|summary| summary.median)
    };
    evidence.processes.iter().map(median).sum()
}

/// Returns the power of these domains in each block, in W.
fn block_powers(idle: &IdleRecord, domains: &[DomainId]) -> Vec<f64> {
    let power = |block: &IdleBlock| {
        let watts = |domain: &DomainId| block.power.iter().find(|(id, _)| id == domain).map(|(_, w)| w.get());
        domains.iter().map(watts).sum::<Option<f64>>()
    };
    idle.blocks.iter().filter_map(power).collect()
}

/// Compares the blocks of one idle measurement with each other.
fn check_idle_blocks(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    let first = evidence.first();
    for (name, idle) in [("bare idle", first.bare_idle), ("loaded idle before the warm-up", first.loaded_idle)] {
        let Some(watts) = idle.map(|idle| block_powers(idle, &first.header.headline)) else { continue };
        let Ok(summary) = stats::summary(&watts) else { continue };
        let (low, high) = range(watts.iter().copied());
        if watts.len() >= 2 && high - low > 0.1 * summary.mean.abs() {
            findings.push(Finding::new(
                Check::IdleMoved,
                Severity::Warning,
                format!("{name} varied between {low:.1} and {high:.1} W within its {} blocks", watts.len()),
                "check whether something else used the machine; a longer `--idle-time` averages the variation",
            ));
        }
    }
}

/// Compares power above idle with the variation of idle power.
fn check_net_power(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    // Outliers of the gaps have a finding of their own.
    let (_, idle) = idle_of_gaps(evidence);
    let Ok(summary) = stats::summary(&without(&idle, &outliers(&idle, MAX_IDLE_CHANGE))) else { return };
    let deviation = summary.sd.unwrap_or(0.0);
    let net =
        |cycle: &MergedCycle| Some(cycle.summary.energy_j?.get() / cycle.summary.seconds - cycle.summary.idle_w?.get());
    let net: Vec<f64> = evidence.cycles.iter().filter_map(net).collect();
    let Ok(mean) = stats::summary(&net).map(|summary| summary.mean) else { return };
    if mean < 3.0 * deviation || mean < 0.0 {
        findings.push(Finding::new(
            Check::NetWithinNoise,
            Severity::Warning,
            format!("power above idle is {mean:.2} W, and idle itself varies by {deviation:.2} W: net energy is mostly noise"),
            "use gross energy, or load the machine more",
        ));
    }
}

/// Returns the indices of values that are further from the median than six robust standard deviations (1.4826 times the
/// median absolute deviation; Iglewicz and Hoaglin, 1993, use 3.5 and many more values) and than `min_share` of the
/// median, since a few values may be close together by chance.
fn outliers(values: &[f64], min_share: f64) -> Vec<usize> {
    let Ok(summary) = stats::summary(values) else { return Vec::new() };
    if values.len() < MIN_VALUES {
        return Vec::new();
    }
    let distance = (OUTLIER_DEVIATIONS * summary.mad).max(min_share * summary.median.abs());
    (0..values.len()).filter(|i| (values[*i] - summary.median).abs() > distance).collect()
}

/// Returns the values whose indices are not listed.
fn without(values: &[f64], indices: &[usize]) -> Vec<f64> {
    (0..values.len()).filter(|i| !indices.contains(i)).map(|i| values[i]).collect()
}

/// Returns the value among those listed that is furthest from the median of all.
fn farthest(values: &[f64], indices: &[usize]) -> Option<f64> {
    let median = stats::summary(values).ok()?.median;
    let distance = |value: &f64| (value - median).abs();
    indices.iter().map(|i| values[*i]).max_by(|a, b| distance(a).total_cmp(&distance(b)))
}

fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(value), high.max(value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_outliers_and_ignores_scatter() {
        assert_eq!(outliers(&[350.0, 352.0, 349.0, 480.0, 351.0], 0.03), [3]);
        assert!(outliers(&[350.0, 352.0, 349.0, 358.0, 351.0], 0.03).is_empty(), "2 % may be chance");
        assert!(outliers(&[100.0, 140.0, 180.0, 220.0, 260.0, 300.0], 0.03).is_empty(), "all are far apart");
        assert!(outliers(&[1.0, 1.0, 9.0], 0.03).is_empty());
        assert!(outliers(&[1.0, f64::NAN, 1.0, 1.0], 0.03).is_empty());
    }
}

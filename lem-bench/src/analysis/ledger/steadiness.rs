//! Whether the machine was steady: the warm-up, drift over the cycles, temperature, and cycles that stand out.

use super::judge::Evidence;
use super::outliers::outliers;
use crate::analysis::cycles::MergedCycle;
use crate::analysis::finding::{Check, Finding, Severity};
use crate::model::WarmUpCode;
use crate::stats;

pub(super) fn judge(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    warm_up(findings, evidence);
    drift(findings, evidence);
    standing_out(findings, evidence);
    temperature(findings, evidence);
    correlation(findings, evidence);
}

/// The drift at the end of a warm-up above which it weighs: drift over the cycles is judged on its own. Noise alone leaves
/// more than the tolerance of 1 % at the end of half of all warm-ups of machines that are steady from the first request
/// (`plain.json`), and more than this in 0.6 % of 2,000; of those of `thermal.json`, which go on drifting, in 15 %.
const SMALL_DRIFT: f64 = 0.02;

fn warm_up(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    let Some(warm_up) = evidence.part.warm_up else { return };
    let seconds = warm_up.stop.since(warm_up.start).as_secs_f64();
    let bound = warm_up.bound.map_or_else(String::new, |b| format!(" (drift up to {:.1} %)", b * 100.0));
    match warm_up.code {
        WarmUpCode::Proven => {}
        WarmUpCode::NoDriftDetected => findings.push(Finding::new(
            Check::NotSteady,
            Severity::Note,
            format!("no drift was seen at the end of the warm-up, but noise hides small ones{bound}"),
            "a longer `--warm-up-time` narrows it",
        )),
        WarmUpCode::NotConverged => findings.push(Finding::new(
            Check::NotSteady,
            if warm_up.bound.is_some_and(|bound| bound <= SMALL_DRIFT) { Severity::Note } else { Severity::Warning },
            format!("not steady after {seconds:.0} s of warm-up{bound}"),
            "give it longer (`--warm-up-time`), or find what keeps changing",
        )),
        WarmUpCode::TooFewProbes => findings.push(Finding::new(
            Check::NotSteady,
            Severity::Warning,
            format!("{} requests in {seconds:.0} s of warm-up are too few to tell whether it is steady", {
                warm_up.probes_s.len()
            }),
            "give it longer (`--warm-up-time`), or use shorter requests",
        )),
    }
    if warm_up.temperature_steady == Some(false) {
        findings.push(Finding::new(
            Check::NotSteady,
            Severity::Warning,
            format!("the temperature was still rising after {seconds:.0} s of warm-up"),
            "give it longer (`--warm-up-time`), or improve the cooling",
        ));
    }
}

/// Energy per unit of work in a cycle.
fn per_unit(j: &MergedCycle) -> Option<f64> {
    let units = if j.summary.output_tokens > 0 { j.summary.output_tokens } else { j.summary.requests };
    Some(j.summary.energy_j?.get() / units as f64).filter(|x| x.is_finite())
}

/// Cycles whose power stands out: something ran beside them, or failed to.
fn standing_out(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    let power = |j: &MergedCycle| Some((j.summary.index, j.summary.energy_j?.get() / j.summary.seconds));
    let (cycles, powers): (Vec<u32>, Vec<f64>) = evidence.joined.iter().filter_map(power).unzip();
    let far = outliers(&powers, 0.04);
    let rest: Vec<f64> = (0..powers.len()).filter(|i| !far.contains(i)).map(|i| powers[i]).collect();
    let Ok(others) = stats::summary(&rest) else { return };
    if far.is_empty() {
        return;
    }
    let told: Vec<String> =
        far.iter().take(5).map(|i| format!("{:.1} W in cycle {}", powers[*i], cycles[*i])).collect();
    let more = if far.len() > told.len() { " and others" } else { "" };
    findings.push(Finding::new(
        Check::Outlier,
        Severity::Warning,
        format!(
            "power stands out: {}{more}, where the other cycles lie around {:.1} W",
            told.join(", "),
            others.median
        ),
        "something else used the machine for a while, or held it back: find it and run again",
    ));
}

/// The p value below which a slope is told at all. By chance one bench in a hundred has one over its cycles (0.8 to 1.3 %
/// of 2,000 runs of each of the steady machines in `tests/scenarios`), and one in fifty one with the temperature (2.2 % of
/// `plain.json`): a cycle that happens to draw more also begins warmer.
const TOLD: f64 = 0.01;

/// The p value below which it is a warning: of the same machines 0.1 to 0.3 % are warned about drift and up to 1 % about
/// the temperature, and not 3 % about either.
const SURE: f64 = 0.001;

fn weight_of(p: f64) -> Severity {
    if p < SURE { Severity::Warning } else { Severity::Note }
}

/// Energy per unit of work against the temperature at which its cycle began.
fn correlation(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    let pair = |j: &MergedCycle| Some((j.summary.temperature_c?.0, per_unit(j)?));
    let mut pairs: Vec<(f64, f64)> = evidence.joined.iter().filter_map(pair).collect();
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (celsius, energy): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
    let Some(slope) = stats::line(&celsius, &energy).ok().filter(|line| line.p < TOLD) else { return };
    let Ok(mean) = stats::summary(&energy).map(|s| s.mean) else { return };
    let degrees = celsius.last().zip(celsius.first()).map_or(0.0, |(last, first)| last - first);
    let total = slope.slope * degrees / mean * 100.0;
    if degrees >= 1.0 && total.abs() > 0.5 {
        findings.push(Finding::new(
            Check::TemperatureEnergy,
            weight_of(slope.p),
            format!(
                "energy per unit of work goes with the temperature: {total:+.1} % over the {degrees:.0} °C between \
                 cycles (p = {:.4})",
                slope.p
            ),
            "compare results at one temperature: a longer warm-up, `--gap` and steadier cooling bring them together",
        ));
    }
}

fn drift(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    let values: Vec<f64> = evidence.joined.iter().filter_map(per_unit).collect();
    let Ok(trend) = stats::trend(&values) else { return };
    let Ok(mean) = stats::summary(&values).map(|s| s.mean) else { return };
    // What matters is what it adds up to: an exact simulation shows slopes of a millionth with certainty.
    let total = trend.slope * (values.len() as f64 - 1.0) / mean * 100.0;
    if trend.p < TOLD && total.abs() > 0.1 {
        findings.push(Finding::new(
            Check::Drift,
            weight_of(trend.p),
            format!("energy per unit of work drifts by {total:+.1} % over the cycles (p = {:.4})", trend.p),
            "the machine was not steady: a longer warm-up, or longer gaps",
        ));
    }
}

fn temperature(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    let temperatures: Vec<(f64, f64)> = evidence.joined.iter().filter_map(|j| j.summary.temperature_c).collect();
    let (low, high) = temperatures.iter().fold((f64::MAX, f64::MIN), |(l, h), t| (l.min(t.0), h.max(t.0)));
    if temperatures.len() >= 2 && high - low > 3.0 {
        findings.push(Finding::new(
            Check::Temperature,
            Severity::Warning,
            format!("windows began at temperatures from {low:.0} to {high:.0} °C"),
            "a longer warm-up, or better cooling",
        ));
    }
    let drift = temperatures.iter().map(|t| (t.1 - t.0).abs()).fold(0.0, f64::max);
    if drift > 10.0 {
        findings.push(Finding::new(
            Check::Temperature,
            Severity::Warning,
            format!("the temperature moved by {drift:.0} °C within a window"),
            "a longer warm-up, or better cooling",
        ));
    }
    let capped = evidence.records.iter().filter(|parts| parts.iter().any(|r| r.ramp_in_capped)).count();
    if capped > 0 {
        findings.push(Finding::new(
            Check::Temperature,
            // A sensor of whole degrees may miss by one in a cycle or two (in 16 % of 2,000 runs of `plain.json`; in more
            // than a third of the cycles in 0.1 %); what it comes to is judged above.
            if capped * 3 > evidence.records.len() { Severity::Warning } else { Severity::Note },
            format!(
                "in {capped} of {} cycles the ramp-in ended before the temperature was back",
                evidence.records.len()
            ),
            "shorter gaps (`--gap`), or a longer warm-up",
        ));
    }
}

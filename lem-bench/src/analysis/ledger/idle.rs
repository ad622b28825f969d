//! Power at rest: whether it stood still, and whether the load stands out from it.

use std::collections::BTreeSet;

use super::judge::Evidence;
use super::outliers::outliers;
use crate::analysis::assemble::Part;
use crate::analysis::cycles::MergedCycle;
use crate::analysis::finding::{Check, Finding, Severity};
use crate::model::{DomainId, IdleRecord};
use crate::stats;

/// How far idle power may move, as a share of it.
const STILL: f64 = 0.03;

pub(super) fn judge(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    gaps(findings, evidence);
    before_and_after(findings, evidence);
    blocks(findings, evidence);
    within_noise(findings, evidence);
}

/// Idle power of the gaps, each with its cycle's number.
fn idles(evidence: &Evidence<'_>) -> (Vec<u32>, Vec<f64>) {
    evidence.joined.iter().filter_map(|j| Some((j.summary.index, j.summary.idle_w?.get()))).unzip()
}

fn gaps(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    let (cycles, idle) = idles(evidence);
    let far = outliers(&idle, STILL);
    let rest: Vec<f64> = (0..idle.len()).filter(|i| !far.contains(i)).map(|i| idle[i]).collect();
    if let (Some(worst), Ok(others)) = (farthest(&idle, &far), stats::summary(&rest)) {
        let each: Vec<String> = far.iter().map(|i| cycles[*i].to_string()).collect();
        findings.push(Finding::new(
            Check::Outlier,
            Severity::Warning,
            format!(
                "idle power before cycle {} stands out: {worst:.1} W where it is {:.1} W in the other gaps",
                each.join(", "),
                others.median
            ),
            "something else used the machine for a while: find it and run again; net energy uses each cycle's own gap",
        ));
    }
    let (low, high) = rest.iter().fold((f64::MAX, f64::MIN), |(l, h), w| (l.min(*w), h.max(*w)));
    let mean = stats::summary(&rest).map_or(0.0, |summary| summary.mean);
    if rest.len() >= 3 && high - low > STILL * mean.abs() {
        findings.push(Finding::new(
            Check::IdleMoved,
            Severity::Warning,
            format!("loaded idle moved between {low:.1} and {high:.1} W from gap to gap"),
            "see whether something else uses the machine; each cycle's net energy uses its own gap",
        ));
    }
}

/// Of the values with these indices, the one furthest from the others.
fn farthest(values: &[f64], indices: &[usize]) -> Option<f64> {
    let median = stats::summary(values).ok()?.median;
    let distance = |value: &f64| (value - median).abs();
    indices.iter().map(|i| values[*i]).max_by(|a, b| distance(a).total_cmp(&distance(b)))
}

/// Loaded idle before the warm-up, when the machine was cold, against the last gap's.
fn before_and_after(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    let (_, idle) = idles(evidence);
    let (Some(before), Some(after)) = (idle_before(evidence), idle.last()) else { return };
    let change = (after - before) / before;
    if before > 0.0 && change.abs() > STILL {
        findings.push(Finding::new(
            Check::IdleMoved,
            // A card draws more while it is hot, and for a while after a load: each gap stands for its own cycle.
            if change.abs() > 0.25 { Severity::Warning } else { Severity::Note },
            format!(
                "loaded idle was {:.1} W before the warm-up and {after:.1} W in the last gap ({:+.1} %)",
                before,
                change * 100.0
            ),
            "a warm card draws more at rest; a longer `--gap` lets it come down further",
        ));
    }
}

/// Loaded idle before the warm-up over all processes, each domain once, as the gaps' is told.
fn idle_before(evidence: &Evidence<'_>) -> Option<f64> {
    let mut counted = BTreeSet::new();
    let of_part = |part: &Part<'_>| {
        let new: Vec<DomainId> =
            part.head.headline.iter().filter(|domain| counted.insert((*domain).clone())).cloned().collect();
        if new.is_empty() {
            return Some(0.0);
        }
        stats::summary(&powers(part.loaded_idle?, &new)).ok().map(|summary| summary.median)
    };
    evidence.parts.iter().map(of_part).sum()
}

/// The headline's power in each block.
fn powers(idle: &IdleRecord, headline: &[DomainId]) -> Vec<f64> {
    let of_block = |block: &crate::model::IdleBlock| {
        let of = |domain: &DomainId| block.power.iter().find(|(id, _)| id == domain).map(|(_, w)| w.get());
        headline.iter().map(of).sum::<Option<f64>>()
    };
    idle.blocks.iter().filter_map(of_block).collect()
}

/// The blocks of one idle measurement against each other.
fn blocks(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    let part = evidence.part;
    for (name, idle) in [("bare idle", part.bare_idle), ("loaded idle before the warm-up", part.loaded_idle)] {
        let Some(watts) = idle.map(|idle| powers(idle, &part.head.headline)) else { continue };
        let (low, high) = watts.iter().fold((f64::MAX, f64::MIN), |(l, h), w| (l.min(*w), h.max(*w)));
        let Ok(summary) = stats::summary(&watts) else { continue };
        if watts.len() >= 2 && high - low > 0.1 * summary.mean.abs() {
            findings.push(Finding::new(
                Check::IdleMoved,
                Severity::Warning,
                format!("{name} moved between {low:.1} and {high:.1} W within its {} blocks", watts.len()),
                "see whether something else used the machine; a longer `--idle-time` evens it out",
            ));
        }
    }
}

fn within_noise(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    // A gap that stands out has a finding of its own.
    let (_, idle) = idles(evidence);
    let far = outliers(&idle, STILL);
    let rest: Vec<f64> = (0..idle.len()).filter(|i| !far.contains(i)).map(|i| idle[i]).collect();
    let Ok(summary) = stats::summary(&rest) else { return };
    let spread = summary.sd.unwrap_or(0.0);
    let power = |j: &MergedCycle| Some(j.summary.energy_j?.get() / j.summary.seconds - j.summary.idle_w?.get());
    let above: Vec<f64> = evidence.joined.iter().filter_map(power).collect();
    let Ok(mean) = stats::summary(&above).map(|s| s.mean) else { return };
    if mean < 3.0 * spread || mean < 0.0 {
        findings.push(Finding::new(
            Check::NetWithinNoise,
            Severity::Warning,
            format!("power above idle is {mean:.2} W, idle itself varies by {spread:.2} W: net energy says little"),
            "use the gross figure, or load the machine more",
        ));
    }
}

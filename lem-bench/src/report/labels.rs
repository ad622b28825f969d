//! Names and labels that all reports share, of metrics, origins, statuses, outcomes and checks; and what benches have
//! in common.

use crate::analysis::{BenchSummary, Check, Finding, Metric, Rating, Severity, sort_findings};
use crate::model::{Fact, MetricKind, Origin, Outcome};

/// The smallest correction for heat that is shown, as a share of the energy.
const SHOWN_CORRECTION: f64 = 0.0005;

/// Returns the label of a bench's status. A bench that did not complete is labelled by how it ended, whatever its numbers
/// are.
pub(super) fn status_label(bench: &BenchSummary) -> &'static str {
    match &bench.ended {
        None => "interrupted",
        Some(Outcome::Failed { .. }) => "failed",
        Some(Outcome::Panicked { .. }) => "panicked",
        Some(Outcome::DeviceLost { .. }) => "device lost",
        Some(Outcome::Completed) => bench.status.name(),
    }
}

/// Returns facts on one line, `model: tiny, dtype: f32`; `None` without facts.
pub(super) fn facts(facts: &[Fact]) -> Option<String> {
    let texts: Vec<String> = facts.iter().map(|fact| format!("{}: {}", fact.name, fact.value)).collect();
    (!texts.is_empty()).then(|| texts.join(", "))
}

/// Returns the correction of a bench's energies for heat: `corrected for heat by +1.4 % ±0.1 %: windows at 52 °C,
/// equilibrium at 58 °C`. `None` where it is too small to matter.
pub(super) fn heat(bench: &BenchSummary) -> Option<String> {
    let heat = bench.heat.as_ref().filter(|heat| heat.missing.is_none() && heat.share.abs() >= SHOWN_CORRECTION)?;
    let hottest = heat.devices.iter().max_by(|a, b| a.equilibrium_c.total_cmp(&b.equilibrium_c))?;
    Some(format!(
        "corrected for heat by {:+.1} % ±{:.1} %: windows at {:.0} °C, equilibrium at {:.0} °C",
        heat.share * 100.0,
        (heat.error_w * heat.share / heat.added_w).abs() * 200.0,
        hottest.windows_c,
        hottest.equilibrium_c
    ))
}

/// Returns how a bench ended, as in JSON; `interrupted` if its journal has no end.
pub(super) fn outcome_name(bench: &BenchSummary) -> &'static str {
    match bench.ended {
        Some(Outcome::Completed) => "completed",
        Some(Outcome::Failed { .. }) => "failed",
        Some(Outcome::Panicked { .. }) => "panicked",
        Some(Outcome::DeviceLost { .. }) => "device_lost",
        None => "interrupted",
    }
}

/// Returns the error message of a bench that failed, panicked or lost its device.
pub(super) fn failure_message(bench: &BenchSummary) -> Option<&str> {
    match &bench.ended {
        Some(Outcome::Failed { message } | Outcome::Panicked { message } | Outcome::DeviceLost { message }) => {
            Some(message)
        }
        Some(Outcome::Completed) | None => None,
    }
}

/// Returns the origin of a metric: that of its own source, or for an energy without one, that of the bench's source. A
/// metric that this version does not know, without a `kind`, has its own source only.
pub(super) fn origin_of_metric(bench: &BenchSummary, kind: Option<MetricKind<'_>>, metric: &Metric) -> Option<Origin> {
    let is_energy = kind.is_some_and(MetricKind::is_energy);
    let source = metric.source.as_ref().or_else(|| bench.source.as_ref().filter(|_| is_energy))?;
    Some(source.origin)
}

/// Returns the label that a metric must carry if it was not measured: `(estimated)` or `(simulated)`.
#[cfg(feature = "html")]
pub(super) fn metric_origin(
    bench: &BenchSummary,
    kind: Option<MetricKind<'_>>,
    metric: &Metric,
) -> Option<&'static str> {
    origin_of_metric(bench, kind, metric).and_then(Origin::label)
}

/// Returns the sentence by which the head of a report states the common origin of its energies; `None` if they were
/// measured.
pub(super) fn origin_sentence(origin: Origin) -> Option<String> {
    (origin != Origin::Measured).then(|| format!("No energy was measured: all energies below are {}.", origin.name()))
}

/// Returns the label that a metric must carry in a report whose head states a common origin of all benches: none, unless
/// their origins differ.
pub(super) fn origin_unless_common(
    benches: &[BenchSummary],
    bench: &BenchSummary,
    kind: Option<MetricKind<'_>>,
    metric: &Metric,
) -> Option<Origin> {
    let mut origins = benches.iter().filter_map(|bench| Some(bench.source.as_ref()?.origin));
    let first = origins.next();
    let are_different = origins.any(|origin| Some(origin) != first);
    origin_of_metric(bench, kind, metric).filter(|_| are_different)
}

/// Returns the full name of a metric; the words of its name in JSON if this version does not know it.
pub(super) fn title(name: &str) -> String {
    MetricKind::from_name(name).map_or_else(|| name.replace('_', " "), MetricKind::title)
}

/// Returns the full name of a metric of a bench: `kv_cache_used, mean` for a custom metric.
pub(super) fn metric_title(name: &str, metric: &Metric) -> String {
    match metric.custom.and_then(|_| name.rsplit_once('_')) {
        Some((name, "mean")) => format!("{name}, mean"),
        Some((name, "max")) => format!("{name}, maximum"),
        _ => title(name),
    }
}

/// Returns a check's name in words.
pub(super) fn check(check: Check) -> String {
    check.name().replace('_', " ")
}

/// Returns the evidence of a finding and, after an arrow, its remedy if there is one.
pub(super) fn evidence_and_remedy(finding: &Finding) -> String {
    if finding.remedy.is_empty() {
        finding.evidence.clone()
    } else {
        format!("{} → {}", finding.evidence, finding.remedy)
    }
}

/// Counts the benches of each status, in the order in which the statuses first occur.
pub(super) fn status_counts(benches: &[BenchSummary]) -> Vec<(&'static str, Rating, usize)> {
    let mut counts: Vec<(&'static str, Rating, usize)> = Vec::new();
    for bench in benches {
        let label = status_label(bench);
        match counts.iter_mut().find(|(known, ..)| *known == label) {
            Some((.., n)) => *n += 1,
            None => counts.push((label, bench.rating(), 1)),
        }
    }
    counts
}

/// Returns the notes and warnings that all of several benches have, the most severe first. Reports print them once.
pub(super) fn common_findings(benches: &[BenchSummary]) -> Vec<&Finding> {
    let [first, rest @ ..] = benches else { return Vec::new() };
    if rest.is_empty() {
        return Vec::new();
    }
    let may_be_common = first.findings.iter().filter(|finding| finding.weight < Severity::Invalid);
    let mut common: Vec<&Finding> =
        may_be_common.filter(|finding| rest.iter().all(|bench| bench.findings.contains(finding))).collect();
    sort_findings(&mut common, |finding| finding);
    common
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_metric_has_title() {
        assert_eq!(title("net_j_per_request"), "net energy per request, above loaded idle");
        assert_eq!(title("something_new"), "something new");
    }
}

//! Names and labels that all reports share, of metrics, origins, statuses, outcomes and checks; and what benches have
//! in common.

use crate::analysis::{BenchSummary, Check, Finding, Metric, Severity, Status};
use crate::model::{Origin, Outcome};

/// Whether a result can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rating {
    /// It can be used.
    Good,
    /// It can be used with care.
    Careful,
    /// It must not be used.
    Bad,
}

/// Returns the label and the rating of a bench's status. A bench that did not complete is labelled by how it ended,
/// whatever its numbers are.
pub(super) fn status_label(bench: &BenchSummary) -> (&'static str, Rating) {
    match (&bench.ended, bench.status) {
        (None, _) => ("interrupted", Rating::Bad),
        (Some(Outcome::Failed { .. }), _) => ("failed", Rating::Bad),
        (Some(Outcome::Panicked { .. }), _) => ("panicked", Rating::Bad),
        (Some(Outcome::DeviceLost { .. }), _) => ("device lost", Rating::Bad),
        (Some(Outcome::Completed), Status::Valid) => ("valid", Rating::Good),
        (Some(Outcome::Completed), Status::Warning) => ("warning", Rating::Careful),
        (Some(Outcome::Completed), Status::Invalid) => ("invalid", Rating::Bad),
    }
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

/// Returns the origin of a metric: that of its own source, or for an energy without one, that of the bench's source.
pub(super) fn origin_of_metric(bench: &BenchSummary, name: &str, metric: &Metric) -> Option<Origin> {
    let source = metric.source.as_ref().or_else(|| bench.source.as_ref().filter(|_| is_energy(name)))?;
    Some(source.origin)
}

/// Returns the label that a metric must carry if it was not measured: `(estimated)` or `(simulated)`.
pub(super) fn metric_origin(bench: &BenchSummary, name: &str, metric: &Metric) -> Option<&'static str> {
    origin_of_metric(bench, name, metric).and_then(Origin::label)
}

fn is_energy(name: &str) -> bool {
    name.contains("j_per_") || name.ends_with("_per_joule") || name.ends_with("_w") || name.ends_with("_j")
}

/// Returns what an energy metric is divided by: `output token` of `net_j_per_output_token`, `image` of `j_per_images`.
pub(super) fn denominator(name: &str) -> Option<String> {
    name.split_once("j_per_").map(|(_, unit)| singular(unit))
}

/// Returns the singular of a unit by the common rules of English: `image` of `images`, `query` of `queries`.
pub(super) fn singular(unit: &str) -> String {
    let unit = unit.replace('_', " ");
    if let Some(stem) = unit.strip_suffix("ies").filter(|stem| stem.len() > 1) {
        return format!("{stem}y");
    }
    let ends_in_sibilant = ["ches", "shes", "sses", "xes"].iter().any(|end| unit.ends_with(end));
    let stem = if ends_in_sibilant {
        unit.strip_suffix("es")
    } else {
        unit.strip_suffix('s').filter(|stem| !stem.ends_with('s'))
    };
    stem.map_or_else(|| unit.clone(), str::to_owned)
}

/// Returns the full name of a metric.
pub(super) fn title(name: &str) -> String {
    if let Some(per) = denominator(name) {
        return match name.split_once("j_per_").map_or("", |(before, _)| before) {
            "" => format!("energy per {per}"),
            "net_" => format!("net energy per {per}, above loaded idle"),
            "above_bare_idle_" => format!("energy per {per} above bare idle"),
            before => format!("{} energy per {per}", before.trim_end_matches('_').replace('_', " ")),
        };
    }
    if let Some((what, quantile)) = name.split_once("_ms_p") {
        let what = match what {
            "ttft" => "time to first token (TTFT)".to_owned(),
            "itl" => "time between tokens (ITL)".to_owned(),
            "latency" => "time per request".to_owned(),
            other => other.replace('_', " "),
        };
        return if quantile == "50" { format!("{what}, median") } else { format!("{what}, {quantile}th percentile") };
    }
    match name {
        "energy_j" => "energy per cycle".to_owned(),
        "mean_power_w" => "mean power".to_owned(),
        other => other.replace("_per_s", " per second").replace("_per_joule", " per joule").replace('_', " "),
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
        let (label, rating) = status_label(bench);
        match counts.iter_mut().find(|(known, ..)| *known == label) {
            Some((.., n)) => *n += 1,
            None => counts.push((label, rating, 1)),
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
    common.sort_by_key(|finding| std::cmp::Reverse(finding.weight));
    common
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metric_titles() {
        assert_eq!(title("j_per_output_token"), "energy per output token");
        assert_eq!(title("net_j_per_request"), "net energy per request, above loaded idle");
        assert_eq!(title("above_bare_idle_j_per_output_token"), "energy per output token above bare idle");
        assert_eq!(title("j_per_images"), "energy per image");
        assert_eq!(title("output_tokens_per_joule"), "output tokens per joule");
        assert_eq!(title("ttft_ms_p50"), "time to first token (TTFT), median");
        assert_eq!(title("latency_ms_p99"), "time per request, 99th percentile");
        assert_eq!(title("something_new"), "something new");
    }

    #[test]
    fn singular_of_units() {
        let units = ["images", "queries", "batches", "passes", "boxes", "loss", "rows", "token"];
        assert_eq!(units.map(singular), ["image", "query", "batch", "pass", "box", "loss", "row", "token"]);
    }
}

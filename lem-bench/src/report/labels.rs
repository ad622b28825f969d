//! What things are called in every report: metrics, origins, how a bench stands, checks.
//!
//! Must not know how any of it is laid out.

use crate::analysis::{BenchSummary, Check, Metric, Status};
use crate::model::{Origin, Outcome};

/// Whether a bench's result can be used, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rating {
    /// It can.
    Good,
    /// With care.
    Careful,
    /// It must not.
    Bad,
}

/// How a bench stands: the word for it, and its tone. What did not end well is called by that, whatever its numbers.
pub(super) fn standing(bench: &BenchSummary) -> (&'static str, Rating) {
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

/// What a bench that did not end well said.
pub(super) fn failure_message(bench: &BenchSummary) -> Option<&str> {
    match &bench.ended {
        Some(Outcome::Failed { message } | Outcome::Panicked { message } | Outcome::DeviceLost { message }) => {
            Some(message)
        }
        Some(Outcome::Completed) | None => None,
    }
}

/// The label that an energy must carry when it was not measured.
pub(super) fn origin(origin: Origin) -> Option<&'static str> {
    match origin {
        Origin::Measured => None,
        Origin::Estimated => Some("(estimated)"),
        Origin::Simulated => Some("(simulated)"),
    }
}

/// The label that this metric of this bench must carry beside its number: its own source's, or for an energy that
/// names none, the bench's.
pub(super) fn metric_origin(bench: &BenchSummary, name: &str, metric: &Metric) -> Option<&'static str> {
    let source = metric.source.as_ref().or_else(|| bench.source.as_ref().filter(|_| is_energy(name)))?;
    origin(source.origin)
}

fn is_energy(name: &str) -> bool {
    name.contains("j_per_") || name.ends_with("_per_joule") || name.ends_with("_w") || name.ends_with("_j")
}

/// What an energy metric is counted by: `output token` of `net_j_per_output_token`, `image` of `j_per_images`.
pub(super) fn denominator(name: &str) -> Option<String> {
    name.split_once("j_per_").map(|(_, unit)| one(unit))
}

/// One of what a unit counts, as English mostly has it: `image` of `images`, `query` of `queries`.
pub(super) fn one(unit: &str) -> String {
    let unit = unit.replace('_', " ");
    if let Some(stem) = unit.strip_suffix("ies").filter(|stem| stem.len() > 1) {
        return format!("{stem}y");
    }
    let hissing = ["ches", "shes", "sses", "xes"].iter().any(|end| unit.ends_with(end));
    let stem =
        if hissing { unit.strip_suffix("es") } else { unit.strip_suffix('s').filter(|stem| !stem.ends_with('s')) };
    stem.map_or_else(|| unit.clone(), str::to_owned)
}

/// What a metric is called in full.
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

/// A check's name in words.
pub(super) fn check(check: Check) -> String {
    check.name().replace('_', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_called_by_what_they_are_counted_by() {
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
    fn one_of_many() {
        let units = ["images", "queries", "batches", "passes", "boxes", "loss", "rows", "token"];
        assert_eq!(units.map(one), ["image", "query", "batch", "pass", "box", "loss", "row", "token"]);
    }
}

//! Words of the page: what a result says in plain words, what a stretch or a warm-up is called.
//!
//! Must not know where they stand.

use crate::analysis::{BenchSummary, Status, WarmUpSummary};
use crate::model::{Origin, SpanKind, WarmUpCode};
use crate::report::labels;
use crate::report::number_format::{Figure, bare, duration, percent};

/// Where a metric stands in a list of all: by what people ask first, then by name.
pub(super) fn rank(name: &str) -> (usize, &str) {
    const FIRST: [&str; 6] = ["j_per_", "net_j_per_", "above_bare_idle_j_per_", "output_", "requests_", "mean_power_w"];
    const THEN: [&str; 4] = ["energy_j", "ttft_", "itl_", "latency_"];
    let at = FIRST.iter().chain(&THEN).position(|prefix| name.starts_with(prefix));
    // The token that comes out is the one that is paid for.
    let within = usize::from(!name.contains("output_token"));
    (at.unwrap_or(FIRST.len() + THEN.len()) * 2 + within, name)
}

/// The text with a capital letter at its beginning.
pub(super) fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// What a stretch of time is called.
pub(super) fn span(kind: SpanKind) -> &'static str {
    match kind {
        SpanKind::Idle => "idle",
        SpanKind::WarmUp => "warm-up",
        SpanKind::Gap => "gap",
        SpanKind::RampIn => "ramp-in",
        SpanKind::Window => "window",
        SpanKind::RampOut => "ramp-out",
    }
}

/// How a warm-up ended, in words.
fn warm_up_code(code: WarmUpCode) -> &'static str {
    match code {
        WarmUpCode::Proven => "steady, both halves agree within the tolerance",
        WarmUpCode::NoDriftDetected => "no drift was seen, but the noise allows more than the tolerance",
        WarmUpCode::NotConverged => "not steady when its cap came",
        WarmUpCode::TooFewProbes => "too few probes to tell when its cap came",
    }
}

/// What a bench's headline says: `One output token costs 0.4123 J (95 % interval 0.4099 to 0.4148).`
pub(super) fn headline(bench: &BenchSummary) -> String {
    let Some((name, metric)) = bench.headline_metric.as_deref().zip(bench.headline()) else {
        return match labels::failure_message(bench) {
            Some(_) => "It did not run to its end, so there is no energy figure.".to_owned(),
            None => "There is no energy figure for it.".to_owned(),
        };
    };
    let per = labels::denominator(name).unwrap_or_else(|| labels::title(name));
    let figure = match Figure::of(metric) {
        Ok(figure) => figure,
        Err(reason) => return format!("What one {per} costs is not known: {reason}."),
    };
    let origin = metric.source.as_ref().or(bench.source.as_ref()).map(|source| source.origin);
    let costs = match origin {
        Some(Origin::Estimated) => "is estimated to cost",
        Some(Origin::Simulated) => "costs, on a simulated machine,",
        Some(Origin::Measured) | None => "costs",
    };
    let joules = |figure: &Figure| format!("{} {}", figure.value, figure.unit.split('/').next().unwrap_or_default());
    let interval = match (&figure.interval, &metric.interval) {
        (Some((low, high)), Some(interval)) => {
            let indicative = if figure.indicative { ", indicative: too few cycles to rely on it" } else { "" };
            format!(" ({} interval {low} to {high}{indicative})", percent(interval.level))
        }
        _ => String::new(),
    };
    let per = if per == "total token" { "token, input or output,".to_owned() } else { per };
    let unusable = "This result must not be used; what speaks against it stands below.".to_owned();
    let mut sentences: Vec<String> = (bench.status == Status::Invalid).then_some(unusable).into_iter().collect();
    sentences.push(format!("One {per} {costs} {}{interval}.", joules(&figure)));
    let million = metric.value.and_then(|value| Figure::bare(value * 1e6 / 3600.0, "Wh").ok());
    let million = million.filter(|_| metric.unit.starts_with("J/"));
    sentences.extend(million.map(|million| format!("A million of them take {}.", million.short())));
    sentences.extend(bench.metrics.get(&format!("net_{name}")).map(|net| match Figure::of(net) {
        Ok(net) => format!("Without what the machine draws at rest with everything loaded, it is {}.", joules(&net)),
        Err(reason) => format!("Net energy is not known: {reason}."),
    }));
    sentences.join(" ")
}

/// What came of a warm-up, in a sentence or two.
pub(super) fn warm_up(warm_up: &WarmUpSummary) -> String {
    let lasted = duration(warm_up.stop.since(warm_up.start).as_secs_f64());
    let bound = warm_up.bound.map(|bound| format!("; the drift that is left is at most {}", percent(bound)));
    let (n, code, bound) = (warm_up.probes_s.len(), warm_up_code(warm_up.code), bound.unwrap_or_default());
    let mut sentences = vec![format!("{lasted}, {n} probes; {code}{bound}.")];
    if let (Some(first), Some(last)) = (warm_up.probes_s.first(), warm_up.probes_s.last()) {
        let (first, last) = (bare(Some(*first), "s"), bare(Some(*last), "s"));
        sentences.push(format!("A unit of work took {first} at first and {last} at the end."));
    }
    let heat = match warm_up.temperature_steady {
        Some(true) => "The temperature had settled.",
        Some(false) => "The temperature had not settled.",
        None => "The temperature cannot be read.",
    };
    sentences.push(heat.to_owned());
    sentences.join(" ")
}

/// The command that measures a bench again, as a shell takes it.
pub(super) fn repeat(id: &str) -> String {
    format!("cargo bench -- --exact '{}'", id.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn energy_per_output_token_comes_first() {
        let mut names =
            ["ttft_ms_p50", "j_per_request", "zeal", "mean_power_w", "net_j_per_output_token", "j_per_output_token"];
        names.sort_by_key(|name| rank(name));
        assert_eq!(
            names,
            ["j_per_output_token", "j_per_request", "net_j_per_output_token", "mean_power_w", "ttft_ms_p50", "zeal"]
        );
    }

    #[test]
    fn one_sentence_says_what_a_token_costs() {
        let summary = crate::report::fixture::on_a_card();
        assert_eq!(
            headline(&summary.benches[0]),
            "One output token costs 0.4123 J (95 % interval 0.4098 to 0.4148). A million of them take 114.5 Wh. Without \
             what the machine draws at rest with everything loaded, it is 0.2721 J."
        );
        assert!(headline(&summary.benches[2]).starts_with("This result must not be used;"));
        assert!(headline(&summary.benches[3]).starts_with("One token, input or output, costs 3.100 mJ (95 % interval"));
        assert_eq!(headline(&summary.benches[5]), "It did not run to its end, so there is no energy figure.");
        let estimate = crate::report::fixture::on_an_estimate();
        assert_eq!(
            headline(&estimate.benches[0]),
            "One output token is estimated to cost 52.30 mJ (95 % interval 51.99 to 52.62). A million of them take \
             14.53 Wh. Net energy is not known: an estimate has no idle."
        );
    }

    #[test]
    fn the_command_survives_a_shell() {
        assert_eq!(repeat("it's/a=$HOME"), r"cargo bench -- --exact 'it'\''s/a=$HOME'");
    }
}

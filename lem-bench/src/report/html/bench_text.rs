//! What the pages say about a bench in words: its status, its result and its warm-up.

use super::view::BadgeView;
use crate::analysis::{BenchSummary, Status, WarmUpSummary};
use crate::model::{Origin, WarmUpCode};
use crate::report::labels::{self, Rating, status_label};
use crate::report::number_format::{Figure, bare, duration, percent};
use crate::report::terminal_text::{clean, shorten};

/// The status of a bench.
pub(super) fn status_badge(bench: &BenchSummary) -> BadgeView {
    let (text, rating) = status_label(bench);
    let rating = match rating {
        Rating::Good => "good",
        Rating::Careful => "careful",
        Rating::Bad => "bad",
    };
    BadgeView { text, rating }
}

/// The id of a bench in at most 60 columns.
pub(super) fn short_id(id: &str) -> String {
    shorten(&clean(id), 60, 5)
}

/// The headline in sentences: `One output token costs 0.4123 J (95 % interval 0.4099 to 0.4148).`
pub(super) fn result_sentences(bench: &BenchSummary) -> String {
    let Some((name, metric)) = bench.headline_metric.as_deref().zip(bench.headline()) else {
        return match labels::failure_message(bench) {
            Some(_) => "The bench did not complete, so no energy figure is available.".to_owned(),
            None => "No energy figure is available.".to_owned(),
        };
    };
    let unit = labels::denominator(name).unwrap_or_else(|| labels::title(name));
    let figure = match Figure::of(metric) {
        Ok(figure) => figure,
        Err(reason) => return format!("The energy per {unit} is not known: {reason}."),
    };
    let verb = match metric.source.as_ref().or(bench.source.as_ref()).map(|source| source.origin) {
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
    let mut sentences = Vec::new();
    if bench.status == Status::Invalid {
        sentences.push("This result must not be used; the findings below give the reasons.".to_owned());
    }
    let unit = if unit == "total token" { "token, input or output,".to_owned() } else { unit };
    sentences.push(format!("One {unit} {verb} {}{interval}.", joules(&figure)));
    if metric.unit.starts_with("J/") {
        let million = metric.value.and_then(|value| Figure::bare(value * 1e6 / 3600.0, "Wh").ok());
        sentences.extend(million.map(|million| format!("A million of them cost {}.", million.short())));
    }
    sentences.extend(bench.metrics.get(&format!("net_{name}")).map(|net| match Figure::of(net) {
        Ok(net) => format!("Without the loaded idle power, it is {}.", joules(&net)),
        Err(reason) => format!("The net energy is not known: {reason}."),
    }));
    sentences.join(" ")
}

/// Length and result of a warm-up in sentences.
pub(super) fn warm_up_sentences(warm_up: &WarmUpSummary) -> String {
    let length = duration(warm_up.stop.since(warm_up.start).as_secs_f64());
    let result = match warm_up.code {
        WarmUpCode::Proven => "steady, both halves agree within the tolerance",
        WarmUpCode::NoDriftDetected => "no drift was detected, but the noise allows more than the tolerance",
        WarmUpCode::NotConverged => "not steady at the maximum length",
        WarmUpCode::TooFewProbes => "too few probes to judge at the maximum length",
    };
    let bound = warm_up.bound.map(|bound| format!("; the remaining drift is at most {}", percent(bound)));
    let probes = warm_up.probes_s.len();
    let mut sentences = vec![format!("{length}, {probes} probes; {result}{}.", bound.unwrap_or_default())];
    if let (Some(first), Some(last)) = (warm_up.probes_s.first(), warm_up.probes_s.last()) {
        let (first, last) = (bare(Some(*first), "s"), bare(Some(*last), "s"));
        sentences.push(format!("A unit of work took {first} at the start and {last} at the end."));
    }
    let temperature = match warm_up.temperature_steady {
        Some(true) => "The temperature was steady.",
        Some(false) => "The temperature was not steady.",
        None => "The temperature is not readable.",
    };
    sentences.push(temperature.to_owned());
    sentences.join(" ")
}

/// The shell command that measures a bench again.
pub(super) fn repeat_command(id: &str) -> String {
    format!("cargo bench -- --exact '{}'", id.replace('\'', r"'\''"))
}

/// `text` with its first letter in upper case.
pub(super) fn capitalize(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn result_of_each_status() {
        let summary = fixture::on_a_card();
        insta::assert_snapshot!(
            result_sentences(&summary.benches[0]),
            @"One output token costs 0.4123 J (95 % interval 0.4098 to 0.4148). A million of them cost 114.5 Wh. Without the loaded idle power, it is 0.2721 J."
        );
        assert!(result_sentences(&summary.benches[2]).starts_with("This result must not be used;"));
        let total_token = result_sentences(&summary.benches[3]);
        assert!(total_token.starts_with("One token, input or output, costs 3.100 mJ (95 % interval"));
        insta::assert_snapshot!(
            result_sentences(&summary.benches[5]),
            @"The bench did not complete, so no energy figure is available."
        );
    }

    #[test]
    fn result_of_estimate() {
        let summary = fixture::on_an_estimate();
        insta::assert_snapshot!(
            result_sentences(&summary.benches[0]),
            @"One output token is estimated to cost 52.30 mJ (95 % interval 51.99 to 52.62). A million of them cost 14.53 Wh. The net energy is not known: an estimate has no idle."
        );
    }

    #[test]
    fn repeat_command_is_quoted() {
        assert_eq!(repeat_command("it's/a=$HOME"), r"cargo bench -- --exact 'it'\''s/a=$HOME'");
    }
}

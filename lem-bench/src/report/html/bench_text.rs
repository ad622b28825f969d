//! Texts and tables that several pages show: a bench in words, its metrics, and the run.

use super::view::{BadgeView, FindingView, MetricRow, NumberView, RunView, TableView};
use crate::analysis::{
    BenchSummary, CycleSummary, Finding, Interval, Metric, Rating, RunInfo, Status, WarmUpSummary, sort_findings,
};
use crate::model::{ChannelProbe, DomainId, MetricKind, Origin, Setting, Uncertainty, Unit, WarmUpCode, count_of};
use crate::report::labels::{self, status_label};
use crate::report::number_format::{Figure, NONE, bare, date, duration, percent};
use crate::report::terminal_text::{clean, shorten};
use crate::units::Watts;

/// The status of a bench.
pub(super) fn status_badge(bench: &BenchSummary) -> BadgeView {
    BadgeView { text: status_label(bench), rating: rating_class(bench.rating()) }
}

/// The CSS class of a rating.
pub(super) const fn rating_class(rating: Rating) -> &'static str {
    match rating {
        Rating::Good => "good",
        Rating::Careful => "careful",
        Rating::Bad => "bad",
    }
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
    let unit = bench.headline_unit().map_or_else(|| labels::title(name), Unit::label);
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
    let is_total = bench.headline_unit() == Some(Unit::TotalToken);
    let unit = if is_total { "token, input or output,".to_owned() } else { unit };
    sentences.push(format!("One {unit} {verb} {}{interval}.", joules(&figure)));
    if metric.unit.starts_with("J/") {
        let million = metric.value.and_then(|value| Figure::bare(value * 1e6 / 3600.0, "Wh").ok());
        sentences.extend(million.map(|million| format!("A million of them cost {}.", million.short())));
    }
    let net = bench.headline_unit().and_then(|unit| bench.metric(MetricKind::net(unit)));
    sentences.extend(net.map(|net| match Figure::of(net) {
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
    let probes = count_of(warm_up.probes_s.len(), "probe");
    let mut sentences = vec![format!("{length}, {probes}; {result}{}.", bound.unwrap_or_default())];
    if let (Some(first), Some(last)) = (warm_up.probes_s.first(), warm_up.probes_s.last()) {
        let (first, last) = (bare(Some(*first), "s"), bare(Some(*last), "s"));
        sentences.push(format!("One unit of work took {first} at the start and {last} at the end."));
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

/// The view of the run.
pub(super) fn run_view(run: &RunInfo) -> RunView {
    let mut facts = vec![
        ("run".to_owned(), run.run_id.clone()),
        ("lem-bench".to_owned(), run.lem_bench.clone()),
        ("seed".to_owned(), run.seed.to_string()),
    ];
    if run.processes != 1 {
        facts.push(("processes".to_owned(), run.processes.to_string()));
    }
    facts.push(("bare idle".to_owned(), powers(&run.bare_idle_w)));
    let (defaults, chosen): (Vec<&Setting>, Vec<&Setting>) = run.settings.iter().partition(|s| s.from == "default");
    let environment = run.environment.iter().map(|fact| vec![fact.name.clone(), fact.value.clone()]).collect();
    RunView {
        target: run.target.clone(),
        date: date(run.started_unix_s),
        origin: run.probe.origin.name(),
        meter: meter(run),
        notes: run.notes.clone(),
        facts,
        sensors: sensors(run),
        settings: settings("Settings and their sources", &chosen),
        defaults: settings("Settings with default values", &defaults),
        environment: TableView::new("Machine, devices and build", &["fact", "value"], environment),
    }
}

fn settings(caption: &str, settings: &[&Setting]) -> TableView {
    let to_row = |s: &&Setting| vec![s.name.clone(), s.value.clone(), s.from.clone()];
    TableView::new(caption, &["setting", "value", "from"], settings.iter().map(to_row).collect())
}

/// `gpu:0 76.20 W, gpu:1 75.10 W`, or that nothing was measured.
pub(super) fn powers(powers: &[(DomainId, Watts)]) -> String {
    if powers.is_empty() {
        return "not measured".to_owned();
    }
    let texts = powers.iter().map(|(domain, watts)| format!("{domain} {}", bare(Some(watts.get()), "W")));
    texts.collect::<Vec<_>>().join(", ")
}

/// `nvml: NVIDIA H200 (gpu:0)`.
fn meter(run: &RunInfo) -> String {
    let label = |id: &DomainId| {
        let label = run.domains.iter().find(|domain| domain.id == *id).map(|domain| domain.label.as_str());
        label.map_or_else(|| id.to_string(), |label| format!("{label} ({id})"))
    };
    let labels: Vec<String> = run.headline.iter().map(label).collect();
    if labels.is_empty() { run.probe.meter.clone() } else { format!("{}: {}", run.probe.meter, labels.join(" + ")) }
}

/// Returns the standard uncertainty of a cycle's energy that is due to the sensors; `None` for an estimate, of which only the
/// CPU time is read.
pub(super) fn sensor_uncertainty(bench: &BenchSummary, cycle: &CycleSummary) -> Option<Uncertainty> {
    cycle.uncertainty.filter(|_| !bench.is_estimate())
}

fn sensors(run: &RunInfo) -> TableView {
    let to_row = |channel: &ChannelProbe| {
        let period = match channel.update_period_s {
            Some(0.0) => "with every read".to_owned(),
            period => bare(period, "s"),
        };
        let domain = run.domains.iter().find(|domain| domain.id == channel.domain);
        vec![
            channel.domain.to_string(),
            domain.map_or(NONE, |domain| domain.label.as_str()).to_owned(),
            if channel.counter { "energy counter" } else { "power gauge" }.to_owned(),
            period,
            bare(channel.quantum, if channel.counter { "J" } else { "W" }),
            bare(Some(channel.read_cost_s), "s"),
            if run.headline.contains(&channel.domain) { "yes" } else { "no" }.to_owned(),
        ]
    };
    let heads = ["domain", "device", "sensor", "update period", "smallest step", "read time", "in the headline"];
    TableView::new("Sensors: results of the probe", &heads, run.probe.channels.iter().map(to_row).collect())
}

/// The findings, the most severe first.
pub(super) fn finding_views<'a>(findings: impl Iterator<Item = &'a Finding>) -> Vec<FindingView> {
    let mut findings: Vec<&Finding> = findings.collect();
    sort_findings(&mut findings, |finding| finding);
    findings.into_iter().map(finding_view).collect()
}

fn finding_view(finding: &Finding) -> FindingView {
    FindingView {
        severity: finding.weight.name(),
        check: labels::check(finding.check),
        evidence: finding.evidence.clone(),
        remedy: finding.remedy.clone(),
    }
}

/// A metric of a bench with its interval and the label of its origin; without a `kind` if this version does not know it.
pub(super) fn metric_number(bench: &BenchSummary, kind: Option<MetricKind<'_>>, metric: &Metric) -> NumberView {
    let figure = match Figure::of(metric) {
        Ok(figure) => figure,
        Err(reason) => return NumberView::missing(&reason),
    };
    let indicative = figure.indicative;
    let origin = labels::metric_origin(bench, kind, metric).unwrap_or_default();
    let reason = metric.missing.clone().filter(|_| figure.interval.is_none()).unwrap_or_default();
    NumberView { reason, indicative, ..figure_number(figure, origin) }
}

/// A figure with its interval and the label of its origin.
pub(super) fn figure_number(figure: Figure, origin: &str) -> NumberView {
    NumberView {
        value: figure.short(),
        interval: figure.interval.map(|(low, high)| format!("{low} … {high}")).unwrap_or_default(),
        relative: figure.relative.unwrap_or_default(),
        origin: origin.to_owned(),
        ..NumberView::default()
    }
}

/// The bench's speed in the unit of work of its headline, or else in requests.
pub(super) fn speed_metric(bench: &BenchSummary) -> Option<(MetricKind<'_>, &Metric)> {
    let unit = bench.headline_unit().unwrap_or(Unit::OutputToken);
    let rates = [unit, Unit::Request, Unit::Iteration].map(MetricKind::Rate);
    rates.into_iter().find_map(|kind| Some((kind, bench.metric(kind)?)))
}

/// A metric as one line of text: value, interval and label, or a dash with the reason.
pub(super) fn metric_text(metric: &Metric, origin: &str) -> String {
    match Figure::of(metric) {
        Ok(figure) => format!("{} {origin}", figure.full()).trim_end().to_owned(),
        Err(reason) => format!("{NONE} {reason}"),
    }
}

/// All metrics of a bench, the most important first.
pub(super) fn metric_rows(bench: &BenchSummary) -> Vec<MetricRow> {
    let mut metrics: Vec<(&String, &Metric)> = bench.metrics.iter().collect();
    let rank = |name: &str| MetricKind::from_name(name).map_or(MetricKind::LAST_RANK, MetricKind::rank);
    metrics.sort_by_cached_key(|(name, _)| (rank(name), *name));
    let to_row = |(name, metric): (&String, &Metric)| {
        let samples = metric.samples.map(|n| format!(", {}", count_of(n, "sample"))).unwrap_or_default();
        MetricRow {
            title: labels::metric_title(name, metric),
            name: name.clone(),
            number: metric_number(bench, MetricKind::from_name(name), metric),
            method: metric.interval.as_ref().map(|interval| interval.method.clone()).unwrap_or_default(),
            bootstrap: metric.bootstrap_interval().map(|interval| bootstrap(metric, interval)).unwrap_or_default(),
            basis: format!("{}{samples}", count_of(metric.cycles, "cycle")),
        }
    };
    metrics.into_iter().map(to_row).collect()
}

/// The number of resamples and the seed of bootstrap intervals, which are the same for all metrics.
pub(super) fn metrics_note(bench: &BenchSummary) -> String {
    let interval = bench.metrics.values().find_map(Metric::bootstrap_interval);
    let resampling = interval.and_then(|interval| Some((interval.resamples?, interval.seed?)));
    let note = |(n, seed)| format!("Bootstrap intervals have {} and the seed {seed}.", count_of(n, "resample"));
    resampling.map(note).unwrap_or_default()
}

fn bootstrap(metric: &Metric, interval: &Interval) -> String {
    let Ok(figure) = Figure::with(metric, Some(interval)) else { return NONE.to_owned() };
    let Some((low, high)) = &figure.interval else { return NONE.to_owned() };
    format!("{low} … {high} ({})", interval.method)
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
            @"One output token is estimated to cost 52.3 mJ (95 % interval 52.0 to 52.6). A million of them cost 14.53 Wh. The net energy is not known: estimates have no idle power."
        );
    }

    #[test]
    fn repeat_command_is_quoted() {
        assert_eq!(repeat_command("it's/a=$HOME"), r"cargo bench -- --exact 'it'\''s/a=$HOME'");
    }
}

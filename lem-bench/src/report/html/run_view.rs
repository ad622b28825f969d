//! The run as a whole: meter, sensors, settings and machine.

use super::view::{FindingView, RunView, TableView};
use crate::analysis::{Finding, RunInfo, Severity};
use crate::model::{ChannelProbe, DomainId, Setting};
use crate::report::labels;
use crate::report::number_format::{NONE, bare, date};
use crate::units::Watts;

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
        settings: settings("Settings and where each comes from", &chosen),
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
    TableView::new("Sensors, as the probe found them", &heads, run.probe.channels.iter().map(to_row).collect())
}

/// The findings, the most severe first.
pub(super) fn finding_views<'a>(findings: impl Iterator<Item = &'a Finding>) -> Vec<FindingView> {
    let mut findings: Vec<&Finding> = findings.collect();
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.weight));
    findings.into_iter().map(finding_view).collect()
}

fn finding_view(finding: &Finding) -> FindingView {
    FindingView {
        severity: match finding.weight {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Invalid => "invalid",
        },
        check: labels::check(finding.check),
        evidence: finding.evidence.clone(),
        remedy: finding.remedy.clone(),
    }
}

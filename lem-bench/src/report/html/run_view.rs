//! The run as a whole: what measured, on which machine, with which settings.
//!
//! Must not know the benches.

use super::view::{RunView, Table};
use crate::analysis::RunInfo;
use crate::model::{ChannelProbe, DomainId, Setting};
use crate::report::number_format::{NONE, bare, date};
use crate::units::Watts;

/// What there is to say about the run.
pub(super) fn view(run: &RunInfo) -> RunView {
    let mut facts = vec![
        ("run".to_owned(), run.run_id.clone()),
        ("lem-bench".to_owned(), run.lem_bench.clone()),
        ("seed".to_owned(), run.seed.to_string()),
    ];
    if run.processes != 1 {
        facts.push(("processes".to_owned(), run.processes.to_string()));
    }
    let idle = if run.bare_idle_w.is_empty() { "not measured".to_owned() } else { powers(&run.bare_idle_w) };
    facts.push(("idle before anything was set up".to_owned(), idle));
    let (defaults, chosen): (Vec<&Setting>, Vec<&Setting>) = run.settings.iter().partition(|s| s.from == "default");
    RunView {
        target: run.target.clone(),
        date: date(run.started_unix_s),
        origin: run.probe.origin.name(),
        meter: meter(run),
        notes: run.notes.clone(),
        facts,
        sensors: sensors(run),
        settings: settings("Settings that were chosen, and where each came from", &chosen),
        defaults: settings("Settings that nobody chose", &defaults),
        environment: table(
            "The machine, its devices, the build",
            &["what", "value"],
            run.environment.iter().map(|fact| vec![fact.name.clone(), fact.value.clone()]).collect(),
        ),
    }
}

fn settings(caption: &str, settings: &[&Setting]) -> Table {
    let row = |s: &&Setting| vec![s.name.clone(), s.value.clone(), s.from.clone()];
    table(caption, &["setting", "value", "from"], settings.iter().map(row).collect())
}

/// A table of texts without a note.
pub(super) fn table(caption: &str, heads: &[&str], rows: Vec<Vec<String>>) -> Table {
    let heads = heads.iter().map(|&head| head.to_owned()).collect();
    Table { caption: caption.to_owned(), heads, rows, ..Table::default() }
}

/// `gpu:0 76.20 W, gpu:1 75.10 W`.
pub(super) fn powers(powers: &[(DomainId, Watts)]) -> String {
    let one = |(domain, watts): &(DomainId, Watts)| format!("{domain} {}", bare(Some(watts.get()), "W"));
    powers.iter().map(one).collect::<Vec<_>>().join(", ")
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

fn sensors(run: &RunInfo) -> Table {
    let row = |channel: &ChannelProbe| {
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
    let heads = ["domain", "what", "sensor", "updates every", "smallest step", "a read takes", "in the headline"];
    table("Sensors, as the probe found them", &heads, run.probe.channels.iter().map(row).collect())
}

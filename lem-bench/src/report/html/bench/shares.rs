//! Where a bench's energy went: by domain and by phase, as tables.
//!
//! Must not know how a share was found.

use super::super::metric_table::plain;
use super::super::run_view::table;
use super::super::view::Table;
use crate::analysis::{BenchSummary, PhaseSummary, RunInfo};
use crate::model::DomainId;
use crate::report::labels;
use crate::report::number_format::{NONE, bare, duration, percent};
use crate::units::Joules;

/// Energy of each domain, summed over the cycles' windows.
pub(super) fn domains(bench: &BenchSummary, run: &RunInfo) -> Table {
    let mut sums: Vec<(&DomainId, f64)> = Vec::new();
    for (domain, joules) in bench.cycles.iter().flat_map(|cycle| &cycle.domains_j) {
        match sums.iter_mut().find(|(known, _)| *known == domain) {
            Some((_, sum)) => *sum += joules.get(),
            None => sums.push((domain, joules.get())),
        }
    }
    let seconds: f64 = bench.cycles.iter().map(|cycle| cycle.seconds).sum();
    let total: Option<Joules> = bench.cycles.iter().map(|cycle| cycle.energy_j).sum();
    let origin = bench.source.as_ref().and_then(|source| labels::origin(source.origin)).unwrap_or_default();
    let row = |(id, joules): (&DomainId, f64)| {
        let domain = run.domains.iter().find(|domain| domain.id == *id);
        let headline = run.headline.contains(id);
        let part = domain.and_then(|domain| domain.parent.as_ref());
        let share = match (total, headline) {
            (Some(total), true) if total.get() > 0.0 => percent(joules / total.get()),
            _ => part.map_or_else(|| "beside it".to_owned(), |parent| format!("within {parent}")),
        };
        vec![
            id.to_string(),
            domain.map_or(NONE, |domain| domain.label.as_str()).to_owned(),
            bare(Some(joules), "J"),
            bare(Some(joules / seconds), "W"),
            share,
        ]
    };
    let heads = [
        "domain".to_owned(),
        "what".to_owned(),
        format!("energy {origin}"),
        format!("mean power {origin}"),
        "share of the headline".to_owned(),
    ];
    let mut made = table("Energy by domain, summed over all windows", &[], sums.into_iter().map(row).collect());
    made.heads = heads.map(|head| head.trim_end().to_owned()).to_vec();
    made
}

/// What the phases took of the time and of the energy.
pub(super) fn phases(bench: &BenchSummary) -> Table {
    let origin = bench.source.as_ref().and_then(|source| labels::origin(source.origin)).unwrap_or_default();
    let row = |phase: &PhaseSummary| {
        let metric = &phase.j_per_request;
        let energy = plain(metric, origin);
        vec![
            phase.name.clone(),
            phase.count.to_string(),
            duration(phase.seconds / phase.count.max(1) as f64),
            percent(phase.share_of_time),
            energy,
        ]
    };
    let heads = ["phase", "times", "mean length", "share of the windows", "energy per request"];
    let note = if bench.phases.is_empty() {
        "The body marks no phases (`request.phase(\"prefill\")`)."
    } else if bench.phases.iter().any(|phase| phase.j_per_request.value.is_some()) {
        "The power over time, integrated over the phases and scaled to the windows' energy."
    } else {
        ""
    };
    let rows = bench.phases.iter().map(row).collect();
    Table { note: note.to_owned(), ..table("Energy by phase", &heads, rows) }
}

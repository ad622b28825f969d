//! The first record of a process' journal.

use std::time::{SystemTime, UNIX_EPOCH};

use super::super::environment;
use super::super::invocation::{Invocation, SelectedCases};
use super::meter_setup::MeterSetup;
use crate::model::{MeterProbe, Record, ResumeRecord, RunEvidence, RunHeader, SCHEMA_VERSION, Setting};

/// The header of a run: all that is known before the measurement, except the run's id and the evidence.
pub(super) fn run_header(
    invocation: &Invocation,
    cases: &SelectedCases,
    setup: &MeterSetup,
    probe: MeterProbe,
) -> RunHeader {
    let config = invocation.config();
    let mut settings: Vec<Setting> = invocation.resolved.settings().into_iter().map(|(setting, _)| setting).collect();
    settings.extend(invocation.resolved.attribute_settings(&cases.selected.run));
    let mut environment = environment::facts(invocation);
    environment.extend(setup.facts.iter().cloned());
    for fact in &mut environment {
        fact.value = invocation.resolved.without_secrets(&fact.value);
    }
    RunHeader {
        schema_version: SCHEMA_VERSION,
        lem_bench: env!("CARGO_PKG_VERSION").to_owned(),
        run_id: String::new(),
        rank: 0,
        world: 1,
        target: target_name(invocation),
        started_unix_s: unix_s(),
        started: setup.clock.now(),
        seed: config.seed,
        probe,
        domains: setup.domains.clone(),
        headline: setup.headline.clone(),
        notes: setup.notes.clone(),
        settings,
        environment,
        debug_build: cfg!(debug_assertions),
        evidence: RunEvidence::default(),
        plan: cases.plan.clone(),
        shard: config.shard.map(|shard| (shard.number, shard.count)),
        order: cases.order,
    }
}

/// The record that this process resumes a journal of an earlier one.
pub(super) fn resume_record(setup: &MeterSetup) -> Record {
    let lem_bench = env!("CARGO_PKG_VERSION").to_owned();
    Record::Resume(ResumeRecord { at: setup.clock.now(), resumed_unix_s: unix_s(), lem_bench })
}

/// The name of the bench target.
pub(super) fn target_name(invocation: &Invocation) -> String {
    let executable = std::env::current_exe().ok();
    let stem = executable.as_deref().and_then(|path| path.file_stem()).map(|stem| stem.to_string_lossy().into_owned());
    invocation.target.target.map(str::to_owned).or(stem).unwrap_or_default()
}

fn unix_s() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

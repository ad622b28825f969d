//! Opens every meter and probes those that can be read.

use super::diagnosis::{Auto, Diagnosis, MeterState};
use super::{rest, text};
use crate::clock::RealClock;
use crate::harness::config::Config;
use crate::harness::invocation::Invocation;
use crate::harness::simulation::probe_effort;
use crate::harness::{console, environment};
use crate::meter::{self, Availability, MeterChoice, Opened, Status};
use crate::model::{Fact, Origin};
use crate::protocol::Profile;
use crate::sampler::probe;
use crate::store::{MachineLock, WaitPolicy};

/// Examines the meters of this machine, and returns the results as text or JSON.
pub(in crate::harness) fn doctor(call: &Invocation, json: bool) -> String {
    let diagnosis = examine(call);
    if json {
        // Cannot fail: the data contains only structures, lists, strings and numbers.
        serde_json::to_string_pretty(&diagnosis).unwrap_or_default() + "\n"
    } else {
        text::text(&diagnosis)
    }
}

fn examine(call: &Invocation) -> Diagnosis {
    let config = call.config();
    // Frequent reads change the values of some sensors, so they are not probed during another process' measurement.
    let lock = lock(config);
    let meters = meter::detect(&config.open).into_iter().map(|meter| meter_state(meter, lock.is_ok())).collect();
    Diagnosis {
        lem_bench: env!("CARGO_PKG_VERSION").to_owned(),
        meters,
        auto: auto_choice(config),
        not_probed: lock.err(),
        environment: environment::facts(call),
    }
}

fn lock(config: &Config) -> Result<MachineLock, String> {
    let path = config.lock_file.clone().unwrap_or_else(MachineLock::default_path);
    MachineLock::acquire(&path, WaitPolicy::NoWait, |_| {}).map_err(|error| error.to_string())
}

fn meter_state(availability: Availability, may_probe: bool) -> MeterState {
    let name = availability.name.to_owned();
    match availability.status {
        Status::Ready(opened) => ready_state(name, opened, may_probe),
        Status::Unavailable { why, remedy } => MeterState {
            name,
            ready: false,
            why: Some(why.to_string()),
            remedy,
            domains: Vec::new(),
            headline: Vec::new(),
            notes: Vec::new(),
            facts: Vec::new(),
            probe: None,
            at_rest: None,
            users: Vec::new(),
        },
    }
}

fn ready_state(name: String, mut opened: Opened, may_probe: bool) -> MeterState {
    let probe = may_probe.then(|| probe(&mut *opened.meter, &RealClock, probe_effort(Profile::Quick)));
    let mut state = MeterState {
        name,
        ready: true,
        why: None,
        remedy: None,
        domains: opened.meter.domains().to_vec(),
        headline: opened.headline.clone(),
        notes: opened.notes.clone(),
        facts: facts(&opened),
        probe: None,
        at_rest: None,
        users: users(&opened),
    };
    let measures = opened.meter.origin() == Origin::Measured;
    let usable_probe = probe.as_ref().filter(|probe| measures && rest::can_measure(&opened, probe));
    state.at_rest = usable_probe.and_then(|probe| {
        let seconds = rest::DURATION.as_secs();
        console::note(&format!("measuring the noise of {} at rest for {seconds} s", opened.meter.name()));
        rest::measure(opened, probe)
    });
    state.probe = probe;
    state
}

/// Returns descriptions of the other processes that use the devices of the meter.
fn users(opened: &Opened) -> Vec<String> {
    let processes = opened.monitor.as_ref().and_then(|monitor| monitor.processes().ok()).unwrap_or_default();
    let others = meter::foreign(&processes, &[std::process::id()]);
    others.iter().map(|other| format!("process {} uses {}", other.pid, other.domain)).collect()
}

fn facts(opened: &Opened) -> Vec<Fact> {
    opened.meter.facts().into_iter().map(|(name, value)| Fact { name, value }).collect()
}

fn auto_choice(config: &Config) -> Auto {
    match meter::open(&MeterChoice::Auto, &config.open) {
        Ok(opened) => Auto {
            meter: Some(opened.meter.name().to_owned()),
            origin: Some(opened.meter.origin()),
            headline: opened.headline,
            why: None,
        },
        Err(error) => Auto { meter: None, origin: None, headline: Vec::new(), why: Some(error.to_string()) },
    }
}

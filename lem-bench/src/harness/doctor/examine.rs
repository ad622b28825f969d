//! Opens every meter, and probes and watches those that can be read.

use std::sync::Arc;
use std::time::Duration;

use super::targets::libtest_targets;
use super::text::{self, AtRest, Auto, Diagnosis, MeterState, Resolvable};
use crate::clock::{Clock, RealClock};
use crate::harness::config::Config;
use crate::harness::invocation::Invocation;
use crate::harness::simulation::probe_effort;
use crate::harness::{console, environment};
use crate::meter::{self, AutoMeter, Availability, Opened, Status};
use crate::model::{Fact, MeterProbe, Origin};
use crate::protocol::Profile;
use crate::sampler::{Sampler, SamplerConfig, probe};
use crate::stats::{self, t_ppf};
use crate::store::{MachineLock, WaitPolicy};

/// Length of the measurement at rest.
const REST_DURATION: Duration = Duration::from_secs(10);

/// Maximum number of blocks at rest. There are fewer if a block would contain fewer than five updates of the sensor.
const MAX_REST_BLOCKS: u32 = 10;

/// Typical lengths of a measurement, for which the smallest detectable change is reported.
const TYPICAL_LENGTHS_S: [f64; 2] = [60.0, 300.0];

/// Probability with which the reported change is detected.
const DETECTION_PROBABILITY: f64 = 0.8;

/// Examines the meters of this machine, and returns the results as text or JSON.
pub(in crate::harness) fn doctor(invocation: &Invocation, json: bool) -> String {
    let diagnosis = examine(invocation);
    if json {
        // Cannot fail: the data contains only structures, lists, strings and numbers.
        serde_json::to_string_pretty(&diagnosis).unwrap_or_default() + "\n"
    } else {
        text::text(&diagnosis)
    }
}

fn examine(invocation: &Invocation) -> Diagnosis {
    let config = invocation.config();
    // Frequent reads change the values of some sensors, so they are not probed during another process' measurement.
    let lock = lock(config);
    let meters = meter::detect(&config.open).into_iter().map(|meter| meter_state(meter, lock.is_ok())).collect();
    Diagnosis {
        lem_bench: env!("CARGO_PKG_VERSION").to_owned(),
        meters,
        auto: auto_choice(config),
        not_probed: lock.err(),
        environment: environment::facts(invocation),
        libtest_targets: libtest_targets(&invocation.paths.workspace_root),
    }
}

pub(super) fn lock(config: &Config) -> Result<MachineLock, String> {
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
        notes: [opened.unmeasured.as_slice(), &opened.notes].concat(),
        facts: facts(&opened),
        probe: None,
        at_rest: None,
        users: users(&opened),
    };
    let measures = opened.meter.origin() == Origin::Measured;
    let usable_probe = probe.as_ref().filter(|probe| measures && can_measure(&opened, probe));
    state.at_rest = usable_probe.and_then(|probe| {
        let seconds = REST_DURATION.as_secs();
        console::note(&format!("measuring the noise of {} at rest for {seconds} s", opened.meter.name()));
        measure(opened, probe)
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
    match meter::open_auto(&config.open) {
        Ok(AutoMeter { opened, reason }) => Auto {
            meter: Some(opened.meter.name().to_owned()),
            origin: Some(opened.meter.origin()),
            headline: opened.headline,
            why: reason,
        },
        Err(error) => Auto { meter: None, origin: None, headline: Vec::new(), why: error.to_string() },
    }
}

// Noise at rest.

/// Returns whether the power at rest can be measured: every headline domain has a gauge, or a counter that moves.
fn can_measure(opened: &Opened, probe: &MeterProbe) -> bool {
    let moves = |domain| probe.channel(domain, true).is_some_and(|counter| counter.updates > 0);
    let is_measurable = |domain| probe.channel(domain, false).is_some() || moves(domain);
    !opened.headline.is_empty() && opened.headline.iter().all(is_measurable)
}

/// Measures the power of a meter at rest. Returns `None` if it could not be read in every block.
fn measure(opened: Opened, probe: &MeterProbe) -> Option<AtRest> {
    let headline = opened.headline;
    let tick = probe.update_period(&headline).unwrap_or(Duration::from_millis(100));
    let most_blocks = REST_DURATION.as_secs_f64() / (tick.as_secs_f64() * 5.0).max(0.001);
    let blocks = most_blocks.clamp(3.0, f64::from(MAX_REST_BLOCKS)) as u32;
    let length = (REST_DURATION / blocks).max(tick * 5);
    let clock = Arc::new(RealClock);
    let sampler = Sampler::start(opened.meter, Arc::clone(&clock) as _, probe, SamplerConfig::for_meter(probe)).ok()?;
    clock.sleep(tick + Duration::from_millis(50));
    let edge = |at| {
        sampler.expect_edge(at);
        clock.sleep_until(at);
        let now = clock.now();
        sampler.edge(now);
        now
    };
    let mut edges = vec![edge(clock.now() + tick)];
    for _ in 0..blocks {
        edges.push(edge(edges[edges.len() - 1] + length));
    }
    clock.sleep(tick * 3 + Duration::from_millis(10));
    sampler.wait_until_sampled(edges[edges.len() - 1]);
    let power = |pair: &[crate::units::Stamp]| {
        let block = sampler.idle_block(pair[0], pair[1], &headline);
        (block.power.len() == headline.len()).then(|| block.power.iter().map(|(_, watts)| watts.get()).sum::<f64>())
    };
    at_rest(&edges.windows(2).map(power).collect::<Option<Vec<f64>>>()?, length.as_secs_f64())
}

/// Computes the noise and the smallest detectable changes from the mean powers of blocks of `block_s` seconds.
///
/// A measurement of length T contains T/b blocks of length b with standard deviation s. The difference of the means of
/// two measurements has the standard error s·√(2·b/T). A change of (t(0.975) + t(0.8))·s·√(2·b/T), with n − 1 degrees
/// of freedom for n blocks, is detected with probability [`DETECTION_PROBABILITY`] at the 5 % level (Bloom 1995, with t
/// instead of z). The noise of the work itself is not included.
fn at_rest(watts: &[f64], block_s: f64) -> Option<AtRest> {
    let summary = stats::summary(watts).ok()?;
    let (mean_w, sd_w) = (summary.mean, summary.sd?);
    let df = watts.len() as f64 - 1.0;
    let resolvable = TYPICAL_LENGTHS_S.map(|seconds| {
        let watts = (t_ppf(0.975, df) + t_ppf(DETECTION_PROBABILITY, df)) * sd_w * (2.0 * block_s / seconds).sqrt();
        Resolvable { seconds, watts, percent_of_rest: (mean_w > 0.0).then(|| 100.0 * watts / mean_w) }
    });
    Some(AtRest { mean_w, sd_w, blocks: watts.len(), block_s, resolvable: resolvable.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smallest_change_follows_from_noise() {
        let watts = [100.0, 101.0, 99.0, 100.0, 102.0, 98.0, 100.0, 101.0, 99.0, 100.0];
        let rest = at_rest(&watts, 1.0).unwrap();
        assert_eq!((rest.mean_w, rest.blocks), (100.0, 10));
        // sd = √(12/9) = 1.1547; t(0.975, 9) = 2.2622, t(0.8, 9) = 0.8834; √(2/60) = 0.18257.
        assert!((rest.sd_w - 1.154_700_5).abs() < 1e-6, "{rest:?}");
        assert!((rest.resolvable[0].watts - 0.66313).abs() < 1e-4, "{rest:?}");
        assert!((rest.resolvable[0].watts / rest.resolvable[1].watts - 5.0_f64.sqrt()).abs() < 1e-12);
        assert!(at_rest(&[100.0], 1.0).is_none());
    }
}

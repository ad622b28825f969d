//! Before a measurement: takes the machine's lock, and prints the plan and what a user should know.

use std::fmt::Write as _;
use std::time::Duration;

use super::meter_setup::MeterSetup;
use crate::harness::config::Config;
use crate::harness::console;
use crate::harness::exit::HarnessError;
use crate::harness::parse::format_duration;
use crate::model::{DeviceProcess, MeterProbe, Origin, RunEvidence, count_of};
use crate::plan::{PlannedBench, TimePlan};
use crate::store::{MachineLock, StoreError, WaitPolicy};

/// Benches listed before a run; a dry run lists all.
const MAX_LISTED: usize = 12;

/// Locks the machine for this measurement; `None` when it is simulated.
///
/// # Errors
/// Another run holds the lock and `--no-wait` is set, or the lock file cannot be used.
pub(super) fn lock_machine(config: &Config, setup: &MeterSetup) -> Result<Option<MachineLock>, HarnessError> {
    if !setup.is_real() {
        return Ok(None);
    }
    let path = config.lock_file.clone().unwrap_or_else(MachineLock::default_path);
    let wait = if config.no_wait { WaitPolicy::NoWait } else { WaitPolicy::Forever };
    MachineLock::acquire(&path, wait, console::note).map(Some).map_err(|error| match &error {
        // A measurement now would include the energy of the other run.
        StoreError::Locked { .. } => HarnessError::invalid(error.to_string()),
        _ => HarnessError::from(error),
    })
}

/// Prints the meter's notes: all of them in a dry run; otherwise only the first one, and only when the figures are not
/// measured, and those about devices that cannot be measured. The report has all of them.
pub(super) fn print_notes(config: &Config, setup: &MeterSetup) {
    let is_measured = setup.meter.origin() == Origin::Measured;
    let count = if config.dry_run { setup.notes.len() } else { usize::from(!config.is_quiet() && !is_measured) };
    for note in setup.notes.iter().take(count) {
        console::err(&format!("note: {note}\n"));
    }
    if !config.dry_run {
        setup.unmeasured.iter().for_each(|unmeasured| console::warn(unmeasured));
    }
}

/// Warns about each other process that uses a measured device.
pub(super) fn warn_about_device_users(evidence: &RunEvidence) {
    let to_warning = |user: &DeviceProcess| {
        let memory = user.memory_bytes.map(|bytes| format!(" and holds {} MiB", bytes >> 20)).unwrap_or_default();
        format!("{}: process {} uses it{memory}: all results include its energy", user.domain, user.pid)
    };
    for user in evidence.users.iter().flatten().filter(|user| !user.own) {
        console::warn(&to_warning(user));
    }
}

/// Formats the plan with all of its benches, or with the first few.
pub(super) fn plan(plan: &TimePlan, setup: &MeterSetup, probe: &MeterProbe, all: bool) -> String {
    let mut text = String::new();
    let n = plan.benches().len();
    let benches = count_of(n, "bench");
    let headline: Vec<&str> = setup.headline.iter().map(crate::model::DomainId::as_str).collect();
    let origin = match probe.origin {
        Origin::Measured => "measured",
        Origin::Estimated => "estimated, not measured",
        Origin::Simulated => "simulated, not measured",
    };
    // Writing to a `String` does not fail.
    let _ = writeln!(
        text,
        "{benches} by {} ({origin}; {}), about {} plus setup",
        probe.meter,
        headline.join(" + "),
        range(plan.total(), plan.max_total())
    );
    let listed = if all { n } else { MAX_LISTED.min(n) };
    let width = plan.benches().iter().take(listed).map(|bench| bench.id.chars().count()).max().unwrap_or(0).min(60);
    for bench in plan.benches().iter().take(listed) {
        let _ = writeln!(text, "  {:width$}  {}", bench.id, bench_line(bench));
    }
    if listed < n {
        let _ = writeln!(text, "  and {} more (--dry-run shows all)", n - listed);
    }
    text
}

fn bench_line(bench: &PlannedBench) -> String {
    let schedule = &bench.schedule;
    let windows = if schedule.windows == 1 { String::new() } else { format!("{} × ", schedule.windows) };
    let (fewest, most) = (schedule.cycles, schedule.max_cycles());
    let cycles =
        if fewest == most { count_of(fewest, "cycle") } else { format!("{fewest} to {}", count_of(most, "cycle")) };
    let until = schedule.precision.map_or_else(String::new, |rule| {
        let budget = rule.budget.map(|budget| format!(", at most {}", format_duration(budget))).unwrap_or_default();
        format!(" until ±{} %{budget}", rounded(rule.target * 100.0))
    });
    let processes =
        if bench.processes > 1 { format!("{}, each ", count_of(bench.processes, "process")) } else { String::new() };
    format!(
        "{processes}{cycles} × {windows}{}{until}, warm-up from {}: about {}",
        format_duration(schedule.window),
        format_duration(schedule.warm_up.floor),
        range(schedule.expected(), schedule.expected_max())
    )
}

/// Formats two durations, or one if both have the same text.
fn range(min: Duration, max: Duration) -> String {
    let (min, max) = (format_duration(min), format_duration(max));
    if min == max { min } else { format!("{min} to {max}") }
}

/// Rounds away the error of a conversion to percent.
fn rounded(x: f64) -> f64 {
    (x * 1e6).round() / 1e6
}

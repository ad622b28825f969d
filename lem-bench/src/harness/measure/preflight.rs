//! Before a measurement: takes the machine's lock and prints what a user should know.

use super::super::config::Config;
use super::super::console;
use super::super::exit::HarnessError;
use super::meter_setup::MeterSetup;
use crate::model::{DeviceProcess, Origin, RunEvidence};
use crate::store::{MachineLock, StoreError, WaitPolicy};

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
/// measured. The report has all of them.
pub(super) fn print_notes(config: &Config, setup: &MeterSetup) {
    let is_measured = setup.meter.origin() == Origin::Measured;
    let count = if config.dry_run { setup.notes.len() } else { usize::from(!config.is_quiet() && !is_measured) };
    for note in setup.notes.iter().take(count) {
        console::err(&format!("note: {note}\n"));
    }
}

/// Warns about each other process that uses a measured device.
pub(super) fn warn_about_device_users(evidence: &RunEvidence) {
    let to_warning = |user: &DeviceProcess| {
        let memory = user.memory_bytes.map(|bytes| format!(" and holds {} MiB", bytes >> 20)).unwrap_or_default();
        format!("{}: process {} uses it{memory}: its energy is in every figure", user.domain, user.pid)
    };
    for user in evidence.users.iter().flatten().filter(|user| !user.own) {
        console::warn(&to_warning(user));
    }
}

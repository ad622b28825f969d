//! Which domains make the headline, and how a meter that can't be opened ends the run.

use super::super::exit::HarnessError;
use crate::meter::{self, MeterChoice, OpenError};
use crate::model::{Domain, DomainId};

/// The domains that `--domain` names, or those that the meter proposes. Where this process has a part of the machine
/// alone, names that fit nothing are those of the other processes.
///
/// # Errors
/// A name fits no domain, or two of them contain each other.
pub(super) fn choose(
    domains: &[Domain],
    named: &[String],
    proposed: Vec<DomainId>,
    has_a_part: bool,
) -> Result<Vec<DomainId>, HarnessError> {
    if named.is_empty() {
        return Ok(proposed);
    }
    let is_here = |name: &&String| !has_a_part || meter::select(domains, std::slice::from_ref(*name)).is_ok();
    let named: Vec<String> = named.iter().filter(is_here).cloned().collect();
    meter::select(domains, &named).map_err(|error| HarnessError::usage(format!("--domain: {error}")))
}

/// How a meter that can't be opened ends the run: a wrong setting is a mistake in what was asked for, everything else
/// means that there is no meter that satisfies it.
pub(super) fn refuse(choice: &MeterChoice, error: &OpenError) -> HarnessError {
    let remedy = error.remedy().map(|remedy| format!("; to change that: {remedy}")).unwrap_or_default();
    let doctor = match choice {
        MeterChoice::Custom { .. } => "",
        _ => ". `cargo lem doctor` tells what can be measured here",
    };
    let message = format!("the meter `{choice}` can't be had: {error}{remedy}{doctor}");
    match error {
        OpenError::Setting { .. } => HarnessError::usage(message),
        _ => HarnessError::invalid(message),
    }
}

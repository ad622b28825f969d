//! Opens RAPL as a built-in meter, through powercap or perf events.

use crate::meter::{Hwmon, Meter, MeterKind, OpenError, OpenOptions, Opened};
use crate::model::{DomainKind, Origin};

/// CPU energy counters.
pub(in crate::meter) const KIND: MeterKind = MeterKind {
    name: "rapl",
    help: "CPU energy counters",
    origin: Origin::Measured,
    open,
    open_for_auto: open_with_note,
};

#[cfg(not(feature = "rapl"))]
fn open(_: &OpenOptions) -> Result<Opened, OpenError> {
    Err(OpenError::NotBuilt { feature: "rapl".to_owned() })
}

#[cfg(feature = "rapl")]
fn open(options: &OpenOptions) -> Result<Opened, OpenError> {
    match super::Rapl::open(&options.sysfs_root) {
        Ok(meter) => {
            let notes = meter.skipped().iter().map(|(id, why)| format!("{id} cannot be read: {why}")).collect();
            Ok(with_headline(Box::new(meter), notes))
        }
        Err(error) => open_perf_events(options, error),
    }
}

/// Opens the same counters through perf events after powercap failed with `error`.
#[cfg(all(feature = "rapl", target_os = "linux"))]
fn open_perf_events(options: &OpenOptions, error: OpenError) -> Result<Opened, OpenError> {
    match (super::RaplPerf::open(&options.sysfs_root), error) {
        (Ok(meter), error) => {
            let note = format!("RAPL is read through perf events: {error}");
            Ok(with_headline(Box::new(meter), vec![note]))
        }
        (Err(OpenError::Denied { remedy: events, .. }), OpenError::Denied { path, remedy }) => {
            Err(OpenError::Denied { path, remedy: format!("{remedy}; or, for the perf events, {events}") })
        }
        (Err(denied @ OpenError::Denied { .. }), OpenError::NoDevice { .. }) => Err(denied),
        (Err(_), error) => Err(error),
    }
}

#[cfg(all(feature = "rapl", not(target_os = "linux")))]
fn open_perf_events(_: &OpenOptions, error: OpenError) -> Result<Opened, OpenError> {
    Err(error)
}

/// Puts the packages and their memory into the headline, because they can be compared between machines. The platform
/// counter is correct only if the board's vendor calibrated it, and most servers have none.
#[cfg(feature = "rapl")]
fn with_headline(meter: Box<dyn Meter>, mut notes: Vec<String>) -> Opened {
    use crate::meter::non_overlapping;

    let (platform, parts): (Vec<_>, Vec<_>) =
        meter.domains().iter().cloned().partition(|domain| domain.kind == DomainKind::Platform);
    let headline = non_overlapping(if parts.is_empty() { &platform } else { &parts });
    if let (Some(platform), false) = (platform.first(), parts.is_empty()) {
        notes.push(format!("{} is read but not in the headline; select it with --domain {}", platform.id, platform.id));
    }
    Opened::new(meter, headline, notes)
}

/// Opens the CPU's counters, with a note for each GPU whose sensors are not used.
fn open_with_note(options: &OpenOptions) -> Result<Opened, OpenError> {
    let mut cpu = open(options)?;
    if let Ok(other) = Hwmon::open(&options.sysfs_root) {
        let gpus = other.domains().iter().filter(|domain| domain.kind == DomainKind::Gpu && domain.parent.is_none());
        cpu.notes.extend(
            gpus.map(|gpu| format!("{} ({}) is not measured; measure it with --meter hwmon", gpu.id, gpu.label)),
        );
    }
    Ok(cpu)
}

//! Opens the meter that was asked for, or the best that there is, and says what it is about and what it is not.
//!
//! Must not know how a meter reads, nor who asks.

use std::sync::Arc;

use super::own;
use super::{
    Composite, DeviceMonitor, Estimate, Hwmon, Meter, MeterChoice, OpenError, OpenOptions, Part, non_overlapping,
};
use crate::model::{DomainId, DomainKind};

/// An opened meter.
pub struct Opened {
    /// The meter; a [`Composite`] where several are read.
    pub meter: Box<dyn Meter>,
    /// The domains whose sum is the headline figure; none contains another.
    pub headline: Vec<DomainId>,
    /// For each channel of the meter, which meter reads it and whether that one measures.
    pub parts: Vec<Part>,
    /// What a reader of the result must know about the choice, one sentence each.
    pub notes: Vec<String>,
    /// A look at the devices' users and power limits, where the meter has one.
    pub watch: Option<Arc<dyn DeviceMonitor>>,
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opened")
            .field("meter", &self.meter.name())
            .field("headline", &self.headline)
            .field("notes", &self.notes)
            .finish_non_exhaustive()
    }
}

impl Opened {
    fn new(meter: Box<dyn Meter>, headline: Vec<DomainId>) -> Self {
        let parts = vec![Part::of(meter.as_ref()); meter.channels().len()];
        Self { meter, headline, parts, notes: Vec::new(), watch: None }
    }

    /// A meter of one's own, with those of its domains in the headline that no other contains.
    ///
    /// # Errors
    /// [`OpenError::SameDomain`] for a domain that it names twice, [`OpenError::Failed`] for a channel or a parent that
    /// is about none of its domains, and when it has neither an energy counter nor a power gauge.
    pub fn around(meter: Box<dyn Meter>) -> Result<Self, OpenError> {
        own::check(meter.as_ref())?;
        let headline = non_overlapping(meter.domains());
        Ok(Self::new(meter, headline))
    }
}

/// Opens what `choice` names.
///
/// [`MeterChoice::Auto`] takes NVIDIA GPUs if there are any, with the CPU's counters as further domains beside the
/// headline where they may be read; else the CPU's counters; else sensors of other drivers; else the estimate, with
/// notes that say why nothing measured was to be had.
///
/// # Errors
/// [`OpenError`] when the named meter can't be opened. [`MeterChoice::Auto`] fails only when a setting is wrong
/// (`CUDA_VISIBLE_DEVICES` names a GPU that isn't there, watts that mean nothing): going on with another meter would
/// hide it. [`MeterChoice::Sim`] and [`MeterChoice::Own`] are [`OpenError::NotHere`].
pub fn open(choice: &MeterChoice, options: &OpenOptions) -> Result<Opened, OpenError> {
    match choice {
        MeterChoice::Auto => auto(options),
        MeterChoice::Nvml => nvml(options),
        MeterChoice::Rapl => rapl(options),
        MeterChoice::Hwmon => hwmon(options),
        MeterChoice::Estimate => estimate(options),
        MeterChoice::Sim(_) | MeterChoice::Own { .. } => Err(OpenError::NotHere { meter: choice.to_string() }),
    }
}

/// Tries one kind of meter.
type Opener = fn(&OpenOptions) -> Result<Opened, OpenError>;

/// What measures, the best first.
const MEASURED: [(&str, Opener); 3] = [("nvml", gpus_and_cpu), ("rapl", cpu_and_note), ("hwmon", hwmon)];

fn auto(options: &OpenOptions) -> Result<Opened, OpenError> {
    let mut missed = Vec::new();
    for (name, opener) in MEASURED {
        match opener(options) {
            Ok(mut opened) => {
                missed.retain(|(_, error)| !is_plain_absence(error));
                opened.notes.extend(missed.iter().map(reason));
                return Ok(opened);
            }
            Err(error @ OpenError::Setting { .. }) => return Err(error),
            Err(error) => missed.push((name, error)),
        }
    }
    let mut opened = estimate(options)?;
    opened.notes.insert(0, "the energy is estimated: nothing that measures it was found".to_owned());
    opened.notes.extend(missed.iter().map(reason));
    Ok(opened)
}

fn reason((meter, error): &(&str, OpenError)) -> String {
    match error.remedy() {
        Some(remedy) => format!("{meter}: {error}; to change that: {remedy}"),
        None => format!("{meter}: {error}"),
    }
}

/// A machine without the hardware is no news to its owner, unless nothing else measures either.
fn is_plain_absence(error: &OpenError) -> bool {
    matches!(error, OpenError::NoLibrary { .. } | OpenError::NotBuilt { .. })
}

/// GPUs, with the CPU's counters as further domains where they may be read.
fn gpus_and_cpu(options: &OpenOptions) -> Result<Opened, OpenError> {
    let mut gpus = nvml(options)?;
    match rapl(options) {
        Ok(cpu) => {
            let meter = Box::new(Composite::new(vec![gpus.meter, cpu.meter])?);
            gpus.parts.extend(cpu.parts);
            gpus.notes.extend(cpu.notes);
            Ok(Opened { meter, ..gpus })
        }
        Err(error) => {
            if matches!(error, OpenError::Denied { .. }) {
                gpus.notes.push(format!("no CPU energy beside the GPU's: {}", reason(&("rapl", error))));
            }
            Ok(gpus)
        }
    }
}

/// The CPU's counters, with a note when a graphics card has sensors that were not chosen.
fn cpu_and_note(options: &OpenOptions) -> Result<Opened, OpenError> {
    let mut cpu = rapl(options)?;
    if let Ok(other) = Hwmon::open(&options.sysfs_root) {
        let cards = other.domains().iter().filter(|domain| domain.kind == DomainKind::Gpu && domain.parent.is_none());
        cpu.notes
            .extend(cards.map(|card| {
                format!("{} ({}) is not in these figures; --meter hwmon measures it", card.id, card.label)
            }));
    }
    Ok(cpu)
}

#[cfg(feature = "nvml")]
pub(super) fn nvml(options: &OpenOptions) -> Result<Opened, OpenError> {
    let meter = super::Nvml::open(&options.nvml)?;
    let (notes, watch) = (meter.notes().to_vec(), meter.watch());
    let headline = non_overlapping(meter.domains());
    Ok(Opened { notes, watch: Some(watch), ..Opened::new(Box::new(meter), headline) })
}

#[cfg(not(feature = "nvml"))]
pub(super) fn nvml(_: &OpenOptions) -> Result<Opened, OpenError> {
    Err(OpenError::NotBuilt { feature: "nvml".to_owned() })
}

#[cfg(feature = "rapl")]
pub(super) fn rapl(options: &OpenOptions) -> Result<Opened, OpenError> {
    match super::Rapl::open(&options.sysfs_root) {
        Ok(meter) => {
            let notes = meter.skipped().iter().map(|(id, why)| format!("{id} can't be read: {why}")).collect();
            Ok(cpu_counters(Box::new(meter), notes))
        }
        Err(error) => perf_events(options, error),
    }
}

/// The same counters through perf events, where powercap failed with `error`.
#[cfg(all(feature = "rapl", target_os = "linux"))]
fn perf_events(options: &OpenOptions, error: OpenError) -> Result<Opened, OpenError> {
    match (super::RaplPerf::open(&options.sysfs_root), error) {
        (Ok(meter), error) => {
            let note = format!("RAPL is read through perf events: {error}");
            Ok(cpu_counters(Box::new(meter), vec![note]))
        }
        (Err(OpenError::Denied { remedy: events, .. }), OpenError::Denied { path, remedy }) => {
            Err(OpenError::Denied { path, remedy: format!("{remedy}; or, for the perf events, {events}") })
        }
        (Err(denied @ OpenError::Denied { .. }), OpenError::NoDevice { .. }) => Err(denied),
        (Err(_), error) => Err(error),
    }
}

#[cfg(all(feature = "rapl", not(target_os = "linux")))]
fn perf_events(_: &OpenOptions, error: OpenError) -> Result<Opened, OpenError> {
    Err(error)
}

/// The headline of the CPU's counters.
///
/// The platform counter is right only where the board's maker calibrated it, and is missing on most servers: the
/// packages and their memory can be compared between machines, so they are the headline.
#[cfg(feature = "rapl")]
fn cpu_counters(meter: Box<dyn Meter>, mut notes: Vec<String>) -> Opened {
    let (platform, parts): (Vec<_>, Vec<_>) =
        meter.domains().iter().cloned().partition(|domain| domain.kind == DomainKind::Platform);
    let headline = non_overlapping(if parts.is_empty() { &platform } else { &parts });
    if let (Some(platform), false) = (platform.first(), parts.is_empty()) {
        notes.push(format!("{} is read too and not in the headline; --domain {} chooses it", platform.id, platform.id));
    }
    Opened { notes, ..Opened::new(meter, headline) }
}

#[cfg(not(feature = "rapl"))]
pub(super) fn rapl(_: &OpenOptions) -> Result<Opened, OpenError> {
    Err(OpenError::NotBuilt { feature: "rapl".to_owned() })
}

pub(super) fn hwmon(options: &OpenOptions) -> Result<Opened, OpenError> {
    let meter = Hwmon::open(&options.sysfs_root)?;
    let mut notes: Vec<_> = meter.skipped().iter().map(|(id, why)| format!("{id} can't be read: {why}")).collect();
    let mut headline = meter.summable();
    if headline.is_empty() {
        headline.extend(meter.domains().first().map(|domain| domain.id.clone()));
        let all: Vec<_> = meter.domains().iter().map(|domain| domain.id.as_str()).collect();
        notes.push(format!(
            "it is not known what contains what among {}: only the first is in the headline; --domain chooses others",
            all.join(", ")
        ));
    }
    Ok(Opened { notes, ..Opened::new(Box::new(meter), headline) })
}

pub(super) fn estimate(options: &OpenOptions) -> Result<Opened, OpenError> {
    let meter = Estimate::new(options.estimate_watts)?;
    let notes = vec![format!("estimate: {}", meter.formula())];
    let headline = non_overlapping(meter.domains());
    Ok(Opened { notes, ..Opened::new(Box::new(meter), headline) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::meter::NvmlOptions;
    use crate::model::Origin;
    use crate::units::Watts;

    fn nothing() -> OpenOptions {
        OpenOptions {
            sysfs_root: "/nonexistent".into(),
            nvml: NvmlOptions { lib_path: Some("/nonexistent/libnvidia-ml.so.1".into()), ..NvmlOptions::default() },
            ..OpenOptions::default()
        }
    }

    #[test]
    fn the_estimate_is_the_last_resort_and_never_a_silent_one() {
        let opened = open(&MeterChoice::Auto, &nothing()).unwrap();
        assert_eq!(opened.meter.origin(), Origin::Estimated);
        assert_eq!(opened.parts[0].origin, Origin::Estimated);
        let notes = opened.notes.join("\n");
        for part in ["estimated: nothing that measures", "nvml: ", "rapl: ", "hwmon: ", "W per busy core"] {
            assert!(notes.contains(part), "no {part:?} in {notes}");
        }
    }

    #[test]
    fn a_named_meter_never_falls_back() {
        for choice in [MeterChoice::Nvml, MeterChoice::Rapl, MeterChoice::Hwmon] {
            assert!(open(&choice, &nothing()).is_err(), "{choice}");
        }
        let sim = open(&MeterChoice::Sim("a.json".into()), &nothing()).unwrap_err();
        assert_eq!(sim, OpenError::NotHere { meter: "sim:a.json".to_owned() });
    }

    #[test]
    fn a_wrong_setting_stops_even_auto() {
        let options = OpenOptions { estimate_watts: Watts(-1.0), ..nothing() };
        assert!(matches!(open(&MeterChoice::Auto, &options), Err(OpenError::Setting { .. })));
    }
}

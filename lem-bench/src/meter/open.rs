//! Opens the chosen meter, and detects which meters work here.

use super::channel::OpenError;
use super::choice::{METERS, MeterChoice};
use super::kind::{MeterKind, OpenOptions, Opened};
use crate::model::Origin;

/// Opens the chosen meter.
///
/// [`MeterChoice::Auto`] takes NVIDIA GPUs if there are any, with the CPU's counters as additional domains outside the
/// headline if they are readable; else the CPU's counters; else sensors of other drivers that are known to measure a device, a
/// board or the machine; else the estimate, with notes why nothing can be measured.
///
/// # Errors
/// Any [`OpenError`] if a named meter cannot be opened. [`MeterChoice::Auto`] fails only if a setting is wrong
/// (`CUDA_VISIBLE_DEVICES` names a GPU that does not exist, or the watts per core are not positive), because another meter
/// would hide the mistake. [`MeterChoice::Sim`] and [`MeterChoice::Custom`] return [`OpenError::NotHere`].
pub fn open(choice: &MeterChoice, options: &OpenOptions) -> Result<Opened, OpenError> {
    match choice {
        MeterChoice::Auto => open_auto(options).map(|auto| auto.opened),
        MeterChoice::BuiltIn(kind) => (kind.open)(options),
        MeterChoice::Sim(_) | MeterChoice::Custom { .. } => Err(OpenError::NotHere { meter: choice.to_string() }),
    }
}

/// The meter that [`MeterChoice::Auto`] chose.
#[derive(Debug)]
pub struct AutoMeter {
    /// The meter.
    pub opened: Opened,
    /// Why it was chosen: the better meters that are not available, and why.
    pub reason: String,
}

/// Opens the best meter.
///
/// # Errors
/// As [`open`] for [`MeterChoice::Auto`].
pub fn open_auto(options: &OpenOptions) -> Result<AutoMeter, OpenError> {
    let mut failed: Vec<(&MeterKind, OpenError)> = Vec::new();
    for kind in METERS {
        match (kind.open_for_auto)(options) {
            Ok(mut opened) => {
                let reason = reason(&failed);
                let (unmeasured, others): (Vec<_>, Vec<_>) =
                    failed.iter().partition(|(_, error)| matches!(error, OpenError::NoSensor { .. }));
                if kind.origin != Origin::Measured {
                    opened.notes.insert(0, "no energy sensor was found".to_owned());
                }
                let is_noted = |error: &OpenError| kind.origin != Origin::Measured || !is_missing_hardware(error);
                let others = others.into_iter().filter(|(_, error)| is_noted(error));
                opened.notes.extend(others.map(|(kind, error)| failure_note(kind.name, error)));
                opened.unmeasured.extend(unmeasured.into_iter().map(|(kind, error)| failure_note(kind.name, error)));
                return Ok(AutoMeter { opened, reason });
            }
            Err(error @ OpenError::Setting { .. }) => return Err(error),
            Err(error) => failed.push((kind, error)),
        }
    }
    Err(OpenError::NoDevice { why: "no meter is available".to_owned() })
}

/// Describes why the meters before the chosen one are not used.
fn reason(failed: &[(&MeterKind, OpenError)]) -> String {
    if failed.is_empty() {
        return "the first in the order of preference".to_owned();
    }
    let failed: Vec<String> = failed.iter().map(|(kind, error)| format!("no {}: {error}", kind.name)).collect();
    failed.join("; ")
}

/// Returns a note that the meter `name` could not be opened, with the remedy.
pub(super) fn failure_note(name: &str, error: &OpenError) -> String {
    match error.remedy() {
        Some(remedy) => format!("{name}: {error}; to fix this: {remedy}"),
        None => format!("{name}: {error}"),
    }
}

/// Returns whether the hardware is simply not there, which needs no note if something else measures.
fn is_missing_hardware(error: &OpenError) -> bool {
    matches!(error, OpenError::NoLibrary { .. } | OpenError::NotBuilt { .. })
}

/// A built-in meter and whether it works here.
#[derive(Debug)]
pub struct Availability {
    /// The name for `--meter`.
    pub name: &'static str,
    /// Whether it can be read.
    pub status: Status,
}

/// Whether a meter can be read.
#[derive(Debug)]
pub enum Status {
    /// It can be read.
    Ready(Opened),
    /// It cannot be read.
    Unavailable {
        /// The reason.
        why: OpenError,
        /// What the user can do about it, if anything.
        remedy: Option<String>,
    },
}

/// Tries to open every built-in meter, in the order of `METERS`.
pub fn detect(options: &OpenOptions) -> Vec<Availability> {
    let availability = |kind: &MeterKind| {
        let status = match (kind.open)(options) {
            Ok(opened) => Status::Ready(opened),
            Err(why) => Status::Unavailable { remedy: why.remedy(), why },
        };
        Availability { name: kind.name, status }
    };
    METERS.iter().map(availability).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::meter::NvmlOptions;
    use crate::units::Watts;

    fn no_hardware() -> OpenOptions {
        OpenOptions {
            sysfs_root: "/nonexistent".into(),
            nvml: NvmlOptions { lib_path: Some("/nonexistent/libnvidia-ml.so.1".into()), ..NvmlOptions::default() },
            ..OpenOptions::default()
        }
    }

    #[test]
    fn auto_falls_back_to_labelled_estimate() {
        let opened = open(&MeterChoice::Auto, &no_hardware()).unwrap();
        assert_eq!(opened.meter.origin(), Origin::Estimated);
        assert_eq!(opened.parts[0].origin, Origin::Estimated);
        let notes = opened.notes.join("\n");
        for part in ["no energy sensor was found", "nvml: ", "rapl: ", "hwmon: ", "W per busy core"] {
            assert!(notes.contains(part), "no {part:?} in {notes}");
        }
    }

    #[test]
    fn auto_gives_reasons() {
        let reason = open_auto(&no_hardware()).unwrap().reason;
        assert!(reason.starts_with("no nvml: "), "{reason}");
        assert!(reason.contains("; no hwmon: no energy or power sensor under /nonexistent/class/hwmon"), "{reason}");
        assert_eq!(reason.lines().count(), 1);
    }

    #[test]
    fn named_meter_does_not_fall_back() {
        for kind in METERS.iter().filter(|kind| kind.origin == Origin::Measured) {
            assert!(open(&MeterChoice::BuiltIn(kind), &no_hardware()).is_err(), "{kind:?}");
        }
        let sim = open(&MeterChoice::Sim("a.json".into()), &no_hardware()).unwrap_err();
        assert_eq!(sim, OpenError::NotHere { meter: "sim:a.json".to_owned() });
    }

    #[test]
    fn auto_rejects_wrong_setting() {
        let options = OpenOptions { estimate_watts: Watts(-1.0), ..no_hardware() };
        assert!(matches!(open(&MeterChoice::Auto, &options), Err(OpenError::Setting { .. })));
    }

    #[test]
    fn opened_meters_match_their_kind() {
        for kind in METERS {
            if let Ok(opened) = (kind.open)(&no_hardware()) {
                assert_eq!((opened.meter.name(), opened.meter.origin()), (kind.name, kind.origin));
            }
        }
    }

    #[test]
    fn detects_every_meter() {
        let found = detect(&no_hardware());
        assert_eq!(found.iter().map(|found| found.name).collect::<Vec<_>>(), ["nvml", "rapl", "hwmon", "estimate"]);
        let is_ready = |found: &Availability| matches!(found.status, Status::Ready(_));
        assert_eq!(found.iter().map(is_ready).collect::<Vec<_>>(), [false, false, false, true]);
        let Status::Unavailable { why, remedy } = &found[2].status else { panic!("no hwmon under /nonexistent") };
        insta::assert_snapshot!(why, @"no energy or power sensor under /nonexistent/class/hwmon");
        assert_eq!(*remedy, why.remedy());
    }
}

//! The sensors of a scenario.

use std::fmt;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A sensor. A sensor without `device` exists once for each device.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Keys", into = "Keys")]
pub struct SensorSpec {
    /// What it measures.
    pub kind: SensorKind,
    /// Seconds between two updates.
    pub update_s: f64,
    /// The displayed value divided by the true value.
    pub gain: f64,
    /// When its updates happen.
    pub phase_s: Phase,
    /// The id of the only device that has it; `None` if every device has one.
    pub device: Option<String>,
    /// Whether the meter reports how long its values average, as a driver does for known hardware.
    /// Otherwise readers must assume nothing about the averaging time.
    pub discloses_averaging: bool,
}

/// The value that a sensor displays at its updates.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum SensorKind {
    /// The energy since time zero, rounded down to the quantum, wrapped.
    Counter {
        /// Joules per count.
        quantum_j: f64,
        /// The counter wraps at 2 to the power of this; with 64 it never wraps.
        bits: u32,
        /// If given, each update extrapolates the mean power over only this many seconds before it. The key can also be
        /// written `average_s`, as for a gauge.
        part_time_s: Option<f64>,
        /// Each read makes the counter lose up to this many seconds (c) of the energy before it: `c (1 − e^(−t/c))`
        /// seconds after a pause of t seconds. 0 for a counter without losses. With 0.0153 it loses 73 % when read every
        /// 10 ms and 1.5 % when read every second, as the counter of an RTX 4090 does (Dauner et al., HotCarbon 2026).
        lost_per_read_s: f64,
    },
    /// The mean power over a period that ends at (or `delay_s` before) the update.
    Power {
        /// Averaging period in seconds; 0 for the momentary power.
        average_s: f64,
        /// Seconds from the end of the averaging period to the update.
        delay_s: f64,
        /// The value is rounded to a multiple of this; 0 for no rounding.
        quantum_w: f64,
    },
}

/// When the updates of a sensor happen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Phase {
    /// At this many seconds after the start, and every `update_s` from there.
    At(f64),
    /// Drawn for every run: `"random"`.
    Random,
}

impl Default for SensorSpec {
    /// Returns the sensor of a scenario without the key `sensors`: [`SensorSpec::counter`].
    fn default() -> Self {
        Self::counter()
    }
}

impl SensorSpec {
    /// Returns a full-time energy counter: every 100 ms, in millijoules, 64 bits, random phase.
    pub fn counter() -> Self {
        let kind = SensorKind::Counter { quantum_j: 0.001, bits: 64, part_time_s: None, lost_per_read_s: 0.0 };
        Self { kind, update_s: 0.1, gain: 1.0, phase_s: Phase::Random, device: None, discloses_averaging: false }
    }

    /// Returns the time that each of its values covers, in seconds.
    pub fn averages_s(&self) -> f64 {
        match self.kind {
            SensorKind::Counter { part_time_s, .. } => part_time_s.unwrap_or(self.update_s),
            SensorKind::Power { average_s, .. } => average_s,
        }
    }

    /// Returns a power gauge: every 100 ms the mean of the last 25 ms, in milliwatts, no delay, random phase.
    pub fn power() -> Self {
        let kind = SensorKind::Power { average_s: 0.025, delay_s: 0.0, quantum_w: 0.001 };
        Self { kind, ..Self::counter() }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum KindName {
    Counter,
    Power,
}

/// The keys of a sensor in the file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    kind: KindName,
    #[serde(skip_serializing_if = "Option::is_none")]
    update_s: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gain: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phase_s: Option<Phase>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<String>,
    #[serde(rename = "told", skip_serializing_if = "Option::is_none")]
    discloses_averaging: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lost_per_read_s: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quantum_j: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bits: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    part_time_s: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    average_s: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delay_s: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quantum_w: Option<f64>,
}

impl TryFrom<Keys> for SensorSpec {
    type Error = String;

    fn try_from(keys: Keys) -> Result<Self, String> {
        fn reject_keys_of(owner: &str, foreign: &[(&str, bool)]) -> Result<(), String> {
            match foreign.iter().find(|(_, is_given)| *is_given) {
                Some((key, _)) => Err(format!("`{key}` is a key of a sensor of kind `{owner}`")),
                None => Ok(()),
            }
        }
        let (kind, default) = match keys.kind {
            KindName::Counter => {
                let foreign = [("delay_s", keys.delay_s.is_some()), ("quantum_w", keys.quantum_w.is_some())];
                reject_keys_of("power", &foreign)?;
                if keys.average_s.is_some() && keys.part_time_s.is_some() {
                    return Err("`average_s` and `part_time_s` are the same key of a counter: set only one".to_owned());
                }
                let kind = SensorKind::Counter {
                    quantum_j: keys.quantum_j.unwrap_or(0.001),
                    bits: keys.bits.unwrap_or(64),
                    part_time_s: keys.part_time_s.or(keys.average_s),
                    lost_per_read_s: keys.lost_per_read_s.unwrap_or(0.0),
                };
                (kind, Self::counter())
            }
            KindName::Power => {
                let foreign = [
                    ("quantum_j", keys.quantum_j.is_some()),
                    ("bits", keys.bits.is_some()),
                    ("part_time_s", keys.part_time_s.is_some()),
                    ("lost_per_read_s", keys.lost_per_read_s.is_some()),
                ];
                reject_keys_of("counter", &foreign)?;
                let kind = SensorKind::Power {
                    average_s: keys.average_s.unwrap_or(0.025),
                    delay_s: keys.delay_s.unwrap_or(0.0),
                    quantum_w: keys.quantum_w.unwrap_or(0.001),
                };
                (kind, Self::power())
            }
        };
        Ok(Self {
            kind,
            update_s: keys.update_s.unwrap_or(default.update_s),
            gain: keys.gain.unwrap_or(default.gain),
            phase_s: keys.phase_s.unwrap_or(default.phase_s),
            device: keys.device,
            discloses_averaging: keys.discloses_averaging.unwrap_or(false),
        })
    }
}

impl From<SensorSpec> for Keys {
    fn from(spec: SensorSpec) -> Self {
        let mut keys = Self {
            kind: KindName::Counter,
            update_s: Some(spec.update_s),
            gain: Some(spec.gain),
            phase_s: Some(spec.phase_s),
            device: spec.device,
            discloses_averaging: spec.discloses_averaging.then_some(true),
            lost_per_read_s: None,
            quantum_j: None,
            bits: None,
            part_time_s: None,
            average_s: None,
            delay_s: None,
            quantum_w: None,
        };
        match spec.kind {
            SensorKind::Counter { quantum_j, bits, part_time_s, lost_per_read_s } => {
                keys.lost_per_read_s = (lost_per_read_s > 0.0).then_some(lost_per_read_s);
                keys.quantum_j = Some(quantum_j);
                keys.bits = Some(bits);
                keys.part_time_s = part_time_s;
            }
            SensorKind::Power { average_s, delay_s, quantum_w } => {
                keys.kind = KindName::Power;
                keys.average_s = Some(average_s);
                keys.delay_s = Some(delay_s);
                keys.quantum_w = Some(quantum_w);
            }
        }
        keys
    }
}

impl Serialize for Phase {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::At(seconds) => serializer.serialize_f64(*seconds),
            Self::Random => serializer.serialize_str("random"),
        }
    }
}

impl<'de> Deserialize<'de> for Phase {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PhaseVisitor;

        impl Visitor<'_> for PhaseVisitor {
            type Value = Phase;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("seconds or \"random\"")
            }

            fn visit_u64<E: Error>(self, seconds: u64) -> Result<Phase, E> {
                Ok(Phase::At(seconds as f64))
            }

            fn visit_f64<E: Error>(self, seconds: f64) -> Result<Phase, E> {
                Ok(Phase::At(seconds))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Phase, E> {
                if text == "random" {
                    Ok(Phase::Random)
                } else {
                    Err(E::invalid_value(serde::de::Unexpected::Str(text), &self))
                }
            }
        }

        deserializer.deserialize_any(PhaseVisitor)
    }
}

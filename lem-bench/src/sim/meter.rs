//! The machine's sensors as a meter.
//!
//! One domain a device; its channels are its sensors in the order of the scenario, its temperature, and its throttle
//! reasons. Reading costs no virtual time. It tells no update period, and how long a value averages only of a sensor
//! whose scenario says so: who reads it must find out, as with a real driver.

use std::sync::Arc;

use super::device::Device;
use super::faults::FaultPlan;
use super::machine::{Purpose, Shared};
use super::sensor::{Sensor, Shown};
use crate::meter::{Channel, Meter, Quantity, ReadError, Value};
use crate::model::{Domain, DomainId, DomainKind, Origin};

/// The bit that says that a device's clocks are held down because it is too hot
/// (`nvmlClocksThrottleReasonHwThermalSlowdown`).
const THERMAL_SLOWDOWN: u64 = 0x40;

/// Nanoseconds between two updates of a temperature.
const TEMPERATURE_UPDATE: i64 = 1_000_000_000;

enum What {
    Sensor(Sensor),
    Temperature { ambient_c: f64 },
    Throttle,
}

struct Probe {
    device: usize,
    what: What,
}

/// A reader of a machine's sensors.
pub(super) struct SimMeter {
    shared: Arc<Shared>,
    domains: Vec<Domain>,
    channels: Vec<Channel>,
    probes: Vec<Probe>,
    faults: Vec<FaultPlan>,
}

impl SimMeter {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        let (mut domains, mut channels, mut probes, mut faults) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let scenario = &shared.scenario;
        for (index, device) in scenario.devices.iter().enumerate() {
            let id = DomainId::new(device.id.as_str());
            domains.push(Domain {
                id: id.clone(),
                kind: kind_of(&device.id),
                parent: None,
                label: format!("simulated {}", device.id),
            });
            faults.push(FaultPlan::new(&scenario.faults, &device.id, shared.now()));
            let mut add = |quantity, averaging: Option<f64>, what| {
                let averaging = averaging.map(std::time::Duration::from_secs_f64);
                channels.push(Channel { averaging, ..Channel::new(id.clone(), quantity) });
                probes.push(Probe { device: index, what });
            };
            for (number, spec) in (0..).zip(&scenario.sensors) {
                if spec.device.as_ref().is_some_and(|only| *only != device.id) {
                    continue;
                }
                let key = shared.session_key().of(Purpose::SensorPhase).with(number).with(index as u64);
                let sensor = Sensor::new(spec, key);
                let quantity =
                    sensor.counter().map_or(Quantity::Power, |(unit_j, modulus)| Quantity::Energy { unit_j, modulus });
                add(quantity, spec.told.then(|| spec.averages_s()), What::Sensor(sensor));
            }
            if scenario.temperature && device.temperature {
                add(Quantity::Temperature, None, What::Temperature { ambient_c: device.ambient_c });
            }
            add(Quantity::ThrottleReasons, None, What::Throttle);
        }
        Self { shared, domains, channels, probes, faults }
    }
}

impl Meter for SimMeter {
    fn name(&self) -> &'static str {
        "sim"
    }

    fn origin(&self) -> Origin {
        Origin::Simulated
    }

    fn domains(&self) -> &[Domain] {
        &self.domains
    }

    fn channels(&self) -> &[Channel] {
        &self.channels
    }

    fn read(&mut self, channel: usize) -> Result<Value, ReadError> {
        let unknown = || ReadError::Failed(format!("no channel {channel}"));
        let probe = self.probes.get_mut(channel).ok_or_else(unknown)?;
        let faults = &self.faults[probe.device];
        let now = self.shared.now();
        faults.readable(now)?;
        let mut devices = self.shared.devices();
        let device: &mut Device = devices.get_mut(probe.device).ok_or_else(unknown)?;
        device.advance(now);
        Ok(match &mut probe.what {
            What::Sensor(sensor) => {
                let at = faults.shown_at(now);
                match sensor.show(device.history(), at, faults.last_reset(at)) {
                    Shown::Count(count) => Value::Count(count),
                    Shown::Watts(watts) => Value::Level(watts),
                }
            }
            What::Temperature { ambient_c } => {
                let tick = now.div_euclid(TEMPERATURE_UPDATE) * TEMPERATURE_UPDATE;
                Value::Level((*ambient_c + device.history().above(tick)).round())
            }
            What::Throttle => Value::Bits(if device.throttled() { THERMAL_SLOWDOWN } else { 0 }),
        })
    }

    fn facts(&self) -> Vec<(String, String)> {
        let scenario = &self.shared.scenario;
        vec![
            ("simulated scenario".to_owned(), scenario.name.clone()),
            ("simulated seed".to_owned(), scenario.seed.to_string()),
        ]
    }
}

/// The kind of hardware that an id of the usual form names; a GPU where it names nothing known.
fn kind_of(id: &str) -> DomainKind {
    match id.split_once(':') {
        Some(("cpu", rest)) if rest.starts_with("package") => DomainKind::Package,
        Some(("cpu", rest)) if rest.starts_with("dram") => DomainKind::Dram,
        Some(("board", _)) => DomainKind::Board,
        _ => DomainKind::Gpu,
    }
}

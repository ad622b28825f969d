//! The simulated meter, which reads the machine's sensors.
//!
//! Each device is a domain. Its channels are the sensors in the order of the scenario, the temperature, and the throttle
//! reasons. Reads take no virtual time. As with a real driver, update periods are not reported and must be probed;
//! averaging times are reported only for sensors that disclose them (`discloses_averaging`).

use std::sync::Arc;

use super::device::Device;
use super::sensor::{FaultPlan, Reading, Sensor};
use super::state::{MachineState, Purpose};
use crate::meter::{Channel, Meter, Quantity, ReadError, Value};
use crate::model::{Domain, DomainId, DomainKind, Origin};

/// The throttle reason for a device that is too hot (`nvmlClocksThrottleReasonHwThermalSlowdown`).
const THERMAL_SLOWDOWN: u64 = 0x40;

/// Nanoseconds between two updates of a temperature.
const TEMPERATURE_UPDATE: i64 = 1_000_000_000;

enum ChannelKind {
    Sensor(Sensor),
    Temperature { ambient_c: f64 },
    Throttle,
}

struct ChannelSource {
    device: usize,
    kind: ChannelKind,
}

/// A meter that reads a machine's sensors.
pub(super) struct SimMeter {
    shared: Arc<MachineState>,
    domains: Vec<Domain>,
    channels: Vec<Channel>,
    sources: Vec<ChannelSource>,
    faults: Vec<FaultPlan>,
}

impl SimMeter {
    pub fn new(shared: Arc<MachineState>) -> Self {
        let (mut domains, mut channels, mut sources, mut faults) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
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
            let mut add = |quantity, averaging: Option<f64>, kind| {
                let averaging = averaging.map(std::time::Duration::from_secs_f64);
                channels.push(Channel { averaging, ..Channel::new(id.clone(), quantity) });
                sources.push(ChannelSource { device: index, kind });
            };
            for (number, spec) in (0..).zip(&scenario.sensors) {
                if spec.device.as_ref().is_some_and(|only| *only != device.id) {
                    continue;
                }
                let key = shared.session_key().for_purpose(Purpose::SensorPhase).with(number).with(index as u64);
                let sensor = Sensor::new(spec, key);
                let quantity =
                    sensor.counter().map_or(Quantity::Power, |(unit_j, modulus)| Quantity::Energy { unit_j, modulus });
                add(quantity, spec.discloses_averaging.then(|| spec.averages_s()), ChannelKind::Sensor(sensor));
            }
            if scenario.temperature && device.temperature {
                add(Quantity::Temperature, None, ChannelKind::Temperature { ambient_c: device.ambient_c });
            }
            add(Quantity::ThrottleReasons, None, ChannelKind::Throttle);
        }
        Self { shared, domains, channels, sources, faults }
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
        let probe = self.sources.get_mut(channel).ok_or_else(unknown)?;
        let faults = &self.faults[probe.device];
        let now = self.shared.now();
        faults.check_readable(now)?;
        let mut devices = self.shared.devices();
        let device: &mut Device = devices.get_mut(probe.device).ok_or_else(unknown)?;
        device.advance(now);
        Ok(match &mut probe.kind {
            ChannelKind::Sensor(sensor) => {
                let displayed = faults.displayed_moment(now);
                match sensor.read(device.history(), displayed, faults.last_reset(displayed)) {
                    Reading::Count(count) => Value::Count(count),
                    Reading::Watts(watts) => Value::Level(watts),
                }
            }
            ChannelKind::Temperature { ambient_c } => {
                let tick = now.div_euclid(TEMPERATURE_UPDATE) * TEMPERATURE_UPDATE;
                Value::Level((*ambient_c + device.history().above(tick).total()).round())
            }
            ChannelKind::Throttle => Value::Bits(if device.throttled() { THERMAL_SLOWDOWN } else { 0 }),
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

/// Returns the kind of domain for an id such as `cpu:package-0`; a GPU for unknown ids.
fn kind_of(id: &str) -> DomainKind {
    match id.split_once(':') {
        Some(("cpu", rest)) if rest.starts_with("package") => DomainKind::Package,
        Some(("cpu", rest)) if rest.starts_with("dram") => DomainKind::Dram,
        Some(("board", _)) => DomainKind::Board,
        _ => DomainKind::Gpu,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::sim::tests::{at, machine, read_at, run};
    use crate::units::Stamp;

    fn count(value: Result<Value, ReadError>) -> u64 {
        match value {
            Ok(Value::Count(count)) => count,
            other => panic!("not a count: {other:?}"),
        }
    }

    #[test]
    fn default_meter_has_one_ideal_counter() {
        let machine = machine("{}");
        let mut meter = machine.meter();
        assert_eq!((meter.name(), meter.origin()), ("sim", Origin::Simulated));
        assert_eq!(meter.domains().len(), 1);
        assert_eq!(meter.domains()[0].kind, DomainKind::Gpu);
        let quantities: Vec<Quantity> = meter.channels().iter().map(|channel| channel.quantity).collect();
        assert_eq!(
            quantities,
            [Quantity::Energy { unit_j: 0.001, modulus: None }, Quantity::Temperature, Quantity::ThrottleReasons,]
        );
        assert!(meter.channels().iter().all(|channel| channel.update_period.is_none() && channel.averaging.is_none()));
        let clock = machine.clock();
        // 75 W with an update every 0.1 s: the reading is at most 7.5 J behind.
        let shown = count(read_at(&clock, &mut meter, 0, 20.0)) as f64 * 0.001;
        assert!(shown <= 1500.0 && shown > 1492.4, "{shown}");
        assert_eq!(meter.read(1), Ok(Value::Level(36.0)));
        assert_eq!(meter.read(2), Ok(Value::Bits(0)));
        assert!(matches!(meter.read(3), Err(ReadError::Failed(_))));
    }

    #[test]
    fn sensor_without_device_applies_to_all() {
        let machine = machine(
            r#"{"devices": [{}, {"id": "cpu:package-0", "temperature": false}],
            "sensors": [{"kind": "counter"}, {"kind": "power", "device": "cpu:package-0"}], "seed": 3}"#,
        );
        let meter = machine.meter();
        let channels: Vec<(&str, Quantity)> =
            meter.channels().iter().map(|channel| (channel.domain.as_str(), channel.quantity)).collect();
        let energy = Quantity::Energy { unit_j: 0.001, modulus: None };
        assert_eq!(
            channels,
            [
                ("gpu:0", energy),
                ("gpu:0", Quantity::Temperature),
                ("gpu:0", Quantity::ThrottleReasons),
                ("cpu:package-0", energy),
                ("cpu:package-0", Quantity::Power),
                ("cpu:package-0", Quantity::ThrottleReasons),
            ]
        );
        assert_eq!(meter.domains()[1].kind, DomainKind::Package);
        let cold = crate::sim::tests::machine(r#"{"temperature": false, "sensors": []}"#);
        assert_eq!(cold.meter().channels().len(), 1);
    }

    #[test]
    fn temperature_changes_in_degrees_each_second() {
        let machine = machine(r#"{"device": {"tau_s": 5}, "workload": {"output_tokens": 1250}}"#);
        let mut workload = machine.workload();
        let mut meter = machine.meter();
        let gpu = DomainId::new("gpu:0");
        run(&machine, &mut workload, 1);
        let clock = machine.clock();
        let expected = machine.true_temperature(&gpu, at(10.0)).unwrap();
        assert!(expected > 47.0);
        for seconds in [10.5, 10.999] {
            assert_eq!(read_at(&clock, &mut meter, 1, seconds), Ok(Value::Level(expected.round())));
        }
    }

    #[test]
    fn reads_fail_during_faults() {
        let machine = machine(
            r#"{"faults": [{"at_s": 12, "kind": "read_error", "for_s": 0.5}, {"at_s": 60, "kind": "device_lost"}]}"#,
        );
        let (clock, mut meter) = (machine.clock(), machine.meter());
        assert!(read_at(&clock, &mut meter, 0, 11.9).is_ok());
        for channel in 0..3 {
            assert!(matches!(read_at(&clock, &mut meter, channel, 12.2), Err(ReadError::Failed(_))));
        }
        assert!(read_at(&clock, &mut meter, 0, 12.5).is_ok());
        assert!(matches!(read_at(&clock, &mut meter, 0, 60.0), Err(ReadError::Lost(_))));
        assert!(matches!(read_at(&clock, &mut meter, 1, 600.0), Err(ReadError::Lost(_))));
        // Energy is used although no read succeeds.
        assert!((machine.truth(Stamp(0), at(600.0)).get() - 45_000.0).abs() < 1e-6);
    }

    #[test]
    fn counters_wrap_reset_and_freeze() {
        let sensor = r#"{"kind": "counter", "phase_s": 0, "bits": 16, "quantum_j": 0.01}"#;
        let gauge = r#"{"kind": "power", "phase_s": 0, "average_s": 0.1, "quantum_w": 0}"#;
        let machine = machine(&format!(
            r#"{{"device": {{"idle_w": 100}}, "sensors": [{sensor}, {gauge}], "background": [{{"from_s": 51, "w": 60}}],
            "faults": [{{"at_s": 40.05, "kind": "counter_reset"}}, {{"at_s": 50, "kind": "stuck", "for_s": 3}}]}}"#
        ));
        let (clock, mut meter) = (machine.clock(), machine.meter());
        assert_eq!(meter.channels()[0].quantity, Quantity::Energy { unit_j: 0.01, modulus: Some(65_536) });
        let mut shown = |channel, seconds| read_at(&clock, &mut meter, channel, seconds);
        assert_eq!(count(shown(0, 6.5)), 65_000);
        assert_eq!(count(shown(0, 6.6)), 66_000 - 65_536);
        assert_eq!(count(shown(0, 40.04)), 400_000 % 65_536);
        assert_eq!(count(shown(0, 40.06)), 0);
        assert_eq!(count(shown(0, 40.1)), 500);
        assert_eq!(count(shown(0, 49.95)), (98_500) % 65_536);
        assert_eq!(count(shown(0, 52.9)), (99_500) % 65_536);
        assert_eq!(shown(1, 52.95), Ok(Value::Level(100.0)));
        // Caught up: 12.95 s at 100 W since the reset, and 2 s at 60 W more.
        assert_eq!(count(shown(0, 53.0)), (129_500 + 12_000) % 65_536);
        let Ok(Value::Level(watts)) = shown(1, 53.1) else { panic!("no power") };
        assert!((watts - 160.0).abs() < 1e-9, "{watts}");
    }

    #[test]
    fn counter_shows_energy_at_last_tick() {
        let machine = machine(
            r#"{"device": {"leakage_w_per_c": 0.5, "power_noise": 0.05},
            "sensors": [{"kind": "counter", "phase_s": 0.025, "gain": 1.03}]}"#,
        );
        let mut workload = machine.workload();
        run(&machine, &mut workload, 20);
        let mut meter = machine.meter();
        let now = machine.clock().now();
        let tick = (now.seconds() - 0.025).div_euclid(0.1) * 0.1 + 0.025;
        let truth = machine.truth(Stamp(0), at(tick)).get();
        let shown = count(meter.read(0)) as f64 * 0.001;
        assert!(truth * 1.03 - shown < 0.0011 && shown <= truth * 1.03 + 1e-6, "{truth} {shown}");
    }
}

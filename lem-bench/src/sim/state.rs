//! The state that a machine, its meter and its workloads share, and the seeds of its randomness.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::device::Device;
use super::noise::{Key, mean_one};
use super::scenario::{BackgroundSpec, Scenario};
use crate::clock::{Clock, VirtualClock};
use crate::units::Stamp;

/// The seeds of a machine's randomness, in addition to the scenario's seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Seeds {
    /// The number of the session. Sessions with different numbers differ.
    pub run: u64,
    /// A hash of the id of the bench that runs on the machine.
    pub bench: u64,
}

/// The purposes of random numbers, in one list so that they are distinct.
#[derive(Clone, Copy)]
pub(super) enum Purpose {
    Session = 1,
    Bench,
    Launch,
    LaunchEffect,
    Cycles,
    Power,
    SensorPhase,
}

impl Key {
    /// Derives the key for one purpose.
    pub fn for_purpose(self, purpose: Purpose) -> Self {
        self.with(purpose as u64)
    }
}

/// The state that a machine, its meter and its workloads share.
pub(super) struct MachineState {
    pub scenario: Scenario,
    pub clock: VirtualClock,
    pub seeds: Seeds,
    devices: Mutex<Vec<Device>>,
}

impl MachineState {
    /// Creates the state of a machine at time zero. The scenario must have been checked.
    pub fn new(scenario: &Scenario, seeds: Seeds) -> Self {
        let noise =
            session_key(scenario, seeds).for_purpose(Purpose::Bench).with(seeds.bench).for_purpose(Purpose::Power);
        let devices = scenario
            .devices
            .iter()
            .enumerate()
            .map(|(index, spec)| {
                let affects = |window: &&BackgroundSpec| match &window.device {
                    Some(id) => *id == spec.id,
                    None => index == 0,
                };
                let background: Vec<&BackgroundSpec> = scenario.background.iter().filter(affects).collect();
                Device::new(spec, &background, noise.with(index as u64))
            })
            .collect();
        Self { scenario: scenario.clone(), clock: VirtualClock::new(), seeds, devices: Mutex::new(devices) }
    }

    /// Returns the present in signed nanoseconds.
    pub fn now(&self) -> i64 {
        signed_nanos(self.clock.now())
    }

    /// Returns the devices as of their last advance. The clock must not be advanced while the guard is held.
    pub fn devices(&self) -> MutexGuard<'_, Vec<Device>> {
        self.devices.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the devices, advanced to the present.
    pub fn devices_now(&self) -> MutexGuard<'_, Vec<Device>> {
        let now = self.now();
        let mut devices = self.devices();
        for device in devices.iter_mut() {
            device.advance(now);
        }
        devices
    }

    /// Returns the key of all random numbers of this session.
    pub fn session_key(&self) -> Key {
        session_key(&self.scenario, self.seeds)
    }

    /// Returns the key of all random numbers of this bench in this session.
    pub fn bench_key(&self) -> Key {
        self.session_key().for_purpose(Purpose::Bench).with(self.seeds.bench)
    }

    /// Returns the constant factor of a launch on the power of prefill and decode: the session's factor, which all its
    /// launches share, times the launch's own.
    pub fn launch_effect(&self, session_cv: f64, launch_cv: f64, launch: Key) -> f64 {
        let session = self.session_key().for_purpose(Purpose::Session).normal(0);
        mean_one(session_cv, session) * mean_one(launch_cv, launch.for_purpose(Purpose::LaunchEffect).normal(0))
    }
}

fn session_key(scenario: &Scenario, seeds: Seeds) -> Key {
    Key::new(scenario.seed).with(seeds.run)
}

/// Converts a time stamp to signed nanoseconds.
pub(super) fn signed_nanos(stamp: Stamp) -> i64 {
    i64::try_from(stamp.nanos()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::time::Duration;

    use super::*;
    use crate::clock::DueWork;
    use crate::meter::Meter;
    use crate::sim::tests::{run, scenario};
    use crate::sim::{Machine, Shape};
    use crate::units::Joules;

    fn noisy() -> Scenario {
        scenario(
            r#"{"device": {"leakage_w_per_c": 0.5, "power_noise": 0.02},
            "workload": {"input_tokens": {"lognormal": [5, 0.5]}, "output_tokens": {"lognormal": [4, 0.6]},
                "request_cv": 0.02, "request_ar1": 0.3, "cycle_cv": 0.01, "session_cv": 0.01, "launch_cv": 0.01},
            "sensors": [{"kind": "counter", "part_time_s": 0.025}, {"kind": "power"}]}"#,
        )
    }

    fn energy(scenario: &Scenario, seeds: Seeds) -> Joules {
        let machine = Machine::new(scenario, seeds).unwrap();
        let mut workload = machine.workload();
        workload.set_cycle(0);
        run(&machine, &mut workload, 50).1
    }

    #[test]
    fn seeds_determine_energy() {
        let base = Seeds { run: 4, bench: 7 };
        let reseeded = Scenario { seed: 2, ..noisy() };
        let energies = [
            energy(&noisy(), base),
            energy(&noisy(), Seeds { run: 5, ..base }),
            energy(&noisy(), Seeds { bench: 8, ..base }),
            energy(&reseeded, base),
        ];
        assert_eq!(energies[0], energy(&noisy(), base));
        let distinct: HashSet<u64> = energies.iter().map(|energy| energy.get().to_bits()).collect();
        assert_eq!(distinct.len(), 4);
    }

    /// Reads every channel at irregular times.
    struct FrequentReader {
        meter: Box<dyn Meter>,
        next: Stamp,
    }

    impl DueWork for FrequentReader {
        fn next_due(&self) -> Option<Stamp> {
            Some(self.next)
        }

        fn run_due(&mut self, now: Stamp) {
            for channel in 0..self.meter.channels().len() {
                self.meter.read(channel).unwrap();
            }
            self.next = now + Duration::from_micros(1_237);
        }
    }

    #[test]
    fn reading_changes_nothing() {
        let seeds = Seeds { run: 1, bench: 1 };
        let quiet = energy(&noisy(), seeds);
        let machine = Machine::new(&noisy(), seeds).unwrap();
        machine.clock().attach(Box::new(FrequentReader { meter: machine.meter(), next: Stamp(1) }));
        let mut workload = machine.workload();
        workload.set_cycle(0);
        let (_, watched) = run(&machine, &mut workload, 50);
        assert_eq!(watched, quiet);
        // A reader that reads once gets the same value as one that reads continuously.
        let mut late = machine.meter();
        let mut seen = machine.meter();
        machine.clock().detach_all();
        let before = late.read(0).unwrap();
        assert_eq!(before, seen.read(0).unwrap());
    }

    #[test]
    fn resumed_run_has_same_cycles() {
        // Without leakage, earlier cycles have no effect.
        let mut scenario = noisy();
        scenario.devices[0].leakage_w_per_c = 0.0;
        let seeds = Seeds { run: 3, bench: 9 };
        let cycle = |cycles: std::ops::RangeInclusive<u64>| {
            let machine = Machine::new(&scenario, seeds).unwrap();
            let mut workload = machine.workload();
            run(&machine, &mut workload, 7);
            let mut last = (0, Joules(0.0));
            for n in cycles {
                workload.set_cycle(n);
                last = run(&machine, &mut workload, 30);
            }
            last
        };
        let (tokens, whole) = cycle(0..=5);
        let (tokens_again, resumed) = cycle(5..=5);
        assert_eq!(tokens, tokens_again);
        assert!((whole.get() / resumed.get() - 1.0).abs() < 1e-9, "{whole} {resumed}");
        let (_, other) = cycle(4..=4);
        assert!((other.get() / resumed.get() - 1.0).abs() > 1e-6);
    }

    #[test]
    fn launches_share_only_session_effect() {
        let mut scenario = scenario(r#"{"workload": {"session_cv": 0.1, "launch_cv": 0.0}}"#);
        let machine = Machine::new(&scenario, Seeds::default()).unwrap();
        let decode_w = |scenario: &Scenario, launch| {
            let mut workload = machine.launch(scenario, launch).unwrap();
            let request = workload.next_request(Shape::Drawn);
            let mut watts = 0.0;
            workload.run(request, &mut |_| watts = machine.true_power(machine.clock().now()).get());
            watts
        };
        let session = decode_w(&scenario, 0) / 300.0;
        assert!((session - 1.0).abs() > 1e-4);
        assert_eq!(decode_w(&scenario, 1) / 300.0, session);
        scenario.devices[0].decode_w = 309.0;
        assert!((decode_w(&scenario, 1) / 309.0 - session).abs() < 1e-12);
        scenario.workload.launch_cv = 0.05;
        let launches: HashSet<u64> = (0..10).map(|launch| decode_w(&scenario, launch).to_bits()).collect();
        assert_eq!(launches.len(), 10);
        scenario.devices[0].id = "gpu:other".to_owned();
        assert!(machine.launch(&scenario, 0).unwrap_err().to_string().contains("different ids"));
    }

    #[test]
    fn random_effects_have_given_cv() {
        let text = r#"{"workload": {"cycle_cv": 0.03, "session_cv": 0.04}}"#;
        let scenario = scenario(text);
        let mut watts = Vec::new();
        for run_number in 0..400 {
            let machine = Machine::new(&scenario, Seeds { run: run_number, bench: 0 }).unwrap();
            let mut workload = machine.workload();
            workload.set_cycle(run_number);
            let request = workload.next_request(Shape::Drawn);
            workload.run(request, &mut |_| {});
            let middle = Stamp(machine.clock().now().nanos() / 2);
            watts.push(machine.true_power(middle).get());
        }
        let n = watts.len() as f64;
        let mean = watts.iter().sum::<f64>() / n;
        let cv = (watts.iter().map(|w| (w - mean).powi(2)).sum::<f64>() / n).sqrt() / mean;
        // Both together 5 %; the standard error of a cv of 400 is cv / sqrt(800).
        assert!((mean / 300.0 - 1.0).abs() < 4.0 * 0.05 / n.sqrt(), "{mean}");
        assert!((cv - 0.05).abs() < 4.0 * 0.05 / (2.0 * n).sqrt(), "{cv}");
    }
}

//! The machine itself: its devices on one virtual clock, and what is true of them.
//!
//! Hands out the views of it (meter, workload, clock), which share its state. Must not know what they are used for.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::device::Device;
use super::meter::SimMeter;
use super::noise::{Key, mean_one};
use super::scenario::{BackgroundSpec, Scenario, ScenarioError};
use super::workload::Workload;
use crate::clock::{Clock, VirtualClock};
use crate::meter::Meter;
use crate::model::DomainId;
use crate::units::{Joules, Stamp, Watts};

/// What a machine's randomness depends on, besides its scenario's seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Seeds {
    /// The number of the session; two sessions that are to differ need different numbers.
    pub run: u64,
    /// A hash of the id of the bench that runs on the machine.
    pub bench: u64,
}

/// What a family of random numbers is for; members of one list, so that no two are the same.
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
    /// The family of this key for one purpose.
    pub(super) fn of(self, purpose: Purpose) -> Self {
        self.with(purpose as u64)
    }
}

/// The state that the views of a machine share.
pub(super) struct Shared {
    pub(super) scenario: Scenario,
    pub(super) clock: VirtualClock,
    seeds: Seeds,
    devices: Mutex<Vec<Device>>,
}

impl Shared {
    /// The present, in signed nanoseconds.
    pub(super) fn now(&self) -> i64 {
        signed(self.clock.now())
    }

    /// The devices as they were last looked at; nobody may wait for the clock while holding them.
    pub(super) fn devices(&self) -> MutexGuard<'_, Vec<Device>> {
        self.devices.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The devices, advanced to the present.
    pub(super) fn devices_now(&self) -> MutexGuard<'_, Vec<Device>> {
        let now = self.now();
        let mut devices = self.devices();
        for device in devices.iter_mut() {
            device.advance(now);
        }
        devices
    }

    /// The key of everything that is random about this session.
    pub(super) fn session_key(&self) -> Key {
        session_key(&self.scenario, self.seeds)
    }

    /// The key of everything that is random about this bench in this session.
    pub(super) fn bench_key(&self) -> Key {
        self.session_key().of(Purpose::Bench).with(self.seeds.bench)
    }
}

fn session_key(scenario: &Scenario, seeds: Seeds) -> Key {
    Key::new(scenario.seed).with(seeds.run)
}

fn signed(stamp: Stamp) -> i64 {
    i64::try_from(stamp.nanos()).unwrap_or(i64::MAX)
}

/// A simulated machine. Clones are the same machine.
///
/// A meter that is attached to the machine's own clock as due work keeps both alive until
/// [`VirtualClock::detach_all`] is called.
#[derive(Clone)]
pub struct Machine {
    shared: Arc<Shared>,
}

impl std::fmt::Debug for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Shared { scenario, clock, seeds, devices: _ } = &*self.shared;
        f.debug_struct("Machine")
            .field("scenario", &scenario.name)
            .field("seeds", seeds)
            .field("clock", clock)
            .finish_non_exhaustive()
    }
}

impl Machine {
    /// A machine at time zero that has rested for ever, without a model.
    ///
    /// # Errors
    /// When the scenario does not describe a machine that can be simulated ([`Scenario::check`]).
    pub fn new(scenario: &Scenario, seeds: Seeds) -> Result<Self, ScenarioError> {
        scenario.check()?;
        let noise = session_key(scenario, seeds).of(Purpose::Bench).with(seeds.bench).of(Purpose::Power);
        let devices = scenario
            .devices
            .iter()
            .enumerate()
            .map(|(index, spec)| {
                let strikes = |window: &&BackgroundSpec| match &window.device {
                    Some(id) => *id == spec.id,
                    None => index == 0,
                };
                let background: Vec<&BackgroundSpec> = scenario.background.iter().filter(strikes).collect();
                Device::new(spec, &background, noise.with(index as u64))
            })
            .collect();
        let shared =
            Shared { scenario: scenario.clone(), clock: VirtualClock::new(), seeds, devices: Mutex::new(devices) };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// The machine's clock, at zero when the machine is new. Work and sleep on it move the machine.
    pub fn clock(&self) -> VirtualClock {
        self.shared.clock.clone()
    }

    /// A new reader of the machine's sensors. It must be read in order of time, as the clock makes sure.
    pub fn meter(&self) -> Box<dyn Meter> {
        Box::new(SimMeter::new(Arc::clone(&self.shared)))
    }

    /// The scenario's own workload, as its first launch on this machine.
    pub fn workload(&self) -> Workload {
        Workload::new(Arc::clone(&self.shared), &self.shared.scenario, 0)
    }

    /// Launch number `launch` of the workload of another scenario on this machine, such as the other side of a
    /// comparison. Its lengths, times and powers (loaded idle, prefill, decode) are those of `scenario`; heat, sensors,
    /// noise and the session's random effect are this machine's. Two launches differ in their launch effect and
    /// in all their draws.
    ///
    /// # Errors
    /// When the scenario cannot be simulated, or its devices have other ids than this machine's.
    pub fn launch(&self, scenario: &Scenario, launch: u64) -> Result<Workload, ScenarioError> {
        scenario.check()?;
        let ours = self.shared.scenario.devices.iter().map(|device| &device.id);
        if !ours.eq(scenario.devices.iter().map(|device| &device.id)) {
            return Err(ScenarioError::Invalid {
                file: None,
                line: None,
                key: "devices".to_owned(),
                why: "have other ids than those of the machine on which this is to run: give both the same".to_owned(),
            });
        }
        Ok(Workload::new(Arc::clone(&self.shared), scenario, launch))
    }

    /// The true energy of all devices from `start` to `stop`: the integral of true power. What lies after the present
    /// counts nothing.
    pub fn truth(&self, start: Stamp, stop: Stamp) -> Joules {
        let (from, to) = (signed(start), signed(stop).min(self.shared.now()));
        Joules(self.shared.devices_now().iter().map(|device| device.history().energy(from, to)).sum())
    }

    /// The true energy of one device from `start` to `stop`; `None` if no device has this id.
    pub fn truth_of(&self, device: &DomainId, start: Stamp, stop: Stamp) -> Option<Joules> {
        let (from, to) = (signed(start), signed(stop).min(self.shared.now()));
        self.look(device, |device| Joules(device.history().energy(from, to)))
    }

    /// The true power of all devices at `at`, or now if that is earlier.
    pub fn true_power(&self, at: Stamp) -> Watts {
        let at = signed(at).min(self.shared.now());
        Watts(self.shared.devices_now().iter().map(|device| device.history().power(at)).sum())
    }

    /// The true temperature of one device in °C at `at`, or now if that is earlier; `None` if no device has this id.
    pub fn true_temperature(&self, device: &DomainId, at: Stamp) -> Option<f64> {
        let at = signed(at).min(self.shared.now());
        let spec = self.shared.scenario.devices.iter().find(|spec| spec.id == device.as_str())?;
        self.look(device, |device| spec.ambient_c + device.history().above(at))
    }

    fn look<T>(&self, device: &DomainId, what: impl FnOnce(&Device) -> T) -> Option<T> {
        let index = self.shared.scenario.devices.iter().position(|spec| spec.id == device.as_str())?;
        self.shared.devices_now().get(index).map(what)
    }
}

impl Shared {
    /// The factor on the power of prefill and decode that a launch keeps: the session's, shared by all launches of a
    /// session, times its own.
    pub(super) fn launch_effect(&self, session_cv: f64, launch_cv: f64, launch: Key) -> f64 {
        let session = self.session_key().of(Purpose::Session).normal(0);
        mean_one(session_cv, session) * mean_one(launch_cv, launch.of(Purpose::LaunchEffect).normal(0))
    }
}

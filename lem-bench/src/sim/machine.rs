//! The simulated machine: creates its clock, meter and workloads, and returns its true energy, power and temperature.

use std::sync::Arc;

use super::device::{Device, Load};
use super::meter::SimMeter;
use super::scenario::{Scenario, ScenarioError};
use super::state::{MachineState, Seeds, signed_nanos};
use super::workload::Workload;
use crate::clock::VirtualClock;
use crate::meter::Meter;
use crate::model::DomainId;
use crate::units::{Joules, Stamp, Watts};

/// A simulated machine. Clones are the same machine.
///
/// A meter that is attached to the machine's own clock as due work keeps both alive until
/// [`VirtualClock::detach_all`] is called.
#[derive(Clone)]
pub struct Machine {
    shared: Arc<MachineState>,
}

impl std::fmt::Debug for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Machine")
            .field("scenario", &self.shared.scenario.name)
            .field("seeds", &self.shared.seeds)
            .field("clock", &self.shared.clock)
            .finish_non_exhaustive()
    }
}

impl Machine {
    /// Creates a machine at time zero that was at rest before, without a model.
    ///
    /// # Errors
    /// The scenario cannot be simulated ([`Scenario::check`]).
    pub fn new(scenario: &Scenario, seeds: Seeds) -> Result<Self, ScenarioError> {
        scenario.check()?;
        Ok(Self { shared: Arc::new(MachineState::new(scenario, seeds)) })
    }

    /// Returns the machine's clock, which is at zero when the machine is new. Work and sleep on it advance the machine.
    pub fn clock(&self) -> VirtualClock {
        self.shared.clock.clone()
    }

    /// Creates a meter that reads the machine's sensors. Reads must be in order of time, which the clock guarantees.
    pub fn meter(&self) -> Box<dyn Meter> {
        Box::new(SimMeter::new(Arc::clone(&self.shared)))
    }

    /// Sets the power of all devices together from now on, for a workload other than the scenario's.
    pub fn set_power(&self, watts: Watts) {
        let now = self.shared.now();
        let mut devices = self.shared.devices();
        let share = watts.get() / devices.len() as f64;
        for device in devices.iter_mut() {
            device.set_load(now, Load { watts: share, active: true });
        }
    }

    /// Creates the first launch of the scenario's own workload.
    pub fn workload(&self) -> Workload {
        Workload::new(Arc::clone(&self.shared), &self.shared.scenario, 0)
    }

    /// Creates launch number `launch` of the workload of another scenario on this machine, such as the other side of a
    /// comparison. Lengths, times and powers (loaded idle, prefill, decode) come from `scenario`; heat, sensors, noise and
    /// the session's random effect from this machine. Launches differ in their launch effect and in all random draws.
    ///
    /// # Errors
    /// The scenario cannot be simulated, or its devices have other ids than this machine's.
    pub fn launch(&self, scenario: &Scenario, launch: u64) -> Result<Workload, ScenarioError> {
        scenario.check()?;
        let own_ids = self.shared.scenario.devices.iter().map(|device| &device.id);
        if !own_ids.eq(scenario.devices.iter().map(|device| &device.id)) {
            return Err(ScenarioError::Invalid {
                file: None,
                line: None,
                key: "devices".to_owned(),
                why: "have different ids from those of the machine: use the same ids in both scenarios".to_owned(),
            });
        }
        Ok(Workload::new(Arc::clone(&self.shared), scenario, launch))
    }

    /// Returns the true energy of all devices from `start` to `stop`: the integral of the true power. Time after the
    /// present counts as zero.
    pub fn truth(&self, start: Stamp, stop: Stamp) -> Joules {
        let (from, to) = (signed_nanos(start), signed_nanos(stop).min(self.shared.now()));
        Joules(self.shared.devices_now().iter().map(|device| device.history().energy(from, to)).sum())
    }

    /// Returns the true energy of one device from `start` to `stop`; `None` if no device has this id.
    pub fn truth_of(&self, device: &DomainId, start: Stamp, stop: Stamp) -> Option<Joules> {
        let (from, to) = (signed_nanos(start), signed_nanos(stop).min(self.shared.now()));
        self.with_device(device, |device| Joules(device.history().energy(from, to)))
    }

    /// Returns the true power of all devices at `at`, or now if that is earlier.
    pub fn true_power(&self, at: Stamp) -> Watts {
        let at = signed_nanos(at).min(self.shared.now());
        Watts(self.shared.devices_now().iter().map(|device| device.history().power(at)).sum())
    }

    /// Returns the true temperature of one device in °C at `at`, or now if that is earlier; `None` if no device has this
    /// id.
    pub fn true_temperature(&self, device: &DomainId, at: Stamp) -> Option<f64> {
        let at = signed_nanos(at).min(self.shared.now());
        let spec = self.shared.scenario.devices.iter().find(|spec| spec.id == device.as_str())?;
        self.with_device(device, |device| spec.ambient_c + device.history().above(at).total())
    }

    /// Discards the history before `before`, whose energies, powers and temperatures can then no longer be queried. Keeps it
    /// where the scenario has faults, which may need it.
    pub fn forget_before(&self, before: Stamp) {
        if self.shared.scenario.faults.is_empty() {
            self.shared.devices().iter_mut().for_each(|device| device.forget_before(signed_nanos(before)));
        }
    }

    fn with_device<T>(&self, device: &DomainId, query: impl FnOnce(&Device) -> T) -> Option<T> {
        let index = self.shared.scenario.devices.iter().position(|spec| spec.id == device.as_str())?;
        self.shared.devices_now().get(index).map(query)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::meter::Value;
    use crate::sim::noise::Key;
    use crate::sim::tests::{at, machine, run, scenario};
    use crate::sim::{Shape, Step};

    #[test]
    fn constant_power_gives_power_times_time() {
        let machine = machine(r#"{"device": {"idle_w": 80}}"#);
        machine.clock().advance_to(at(100.0));
        assert!((machine.truth(at(10.0), at(35.5)).get() / (80.0 * 25.5) - 1.0).abs() < 1e-12);
        assert_eq!(machine.true_power(at(50.0)).get(), 80.0);
        assert_eq!(machine.truth(at(5.0), at(5.0)), Joules(0.0));
    }

    #[test]
    fn future_energy_is_zero() {
        let machine = machine("{}");
        machine.clock().advance_to(at(2.0));
        assert_eq!(machine.truth(at(1.0), at(9.0)), machine.truth(at(1.0), at(2.0)));
        assert_eq!(machine.truth(at(5.0), at(9.0)), Joules(0.0));
    }

    #[test]
    fn request_phases_have_exact_times() {
        let machine = machine(
            r#"{"device": {"idle_w": 50, "loaded_idle_w": 100, "prefill_w": 600, "decode_w": 350},
            "workload": {"input_tokens": 1000, "output_tokens": 50, "overhead_s": 0.02}}"#,
        );
        let clock = machine.clock();
        clock.advance_to(at(1.0));
        let mut workload = machine.workload();
        workload.load_model();
        assert_eq!(machine.true_power(clock.now()).get(), 100.0);
        clock.advance_to(at(2.0));
        let request = workload.next_request(Shape::Drawn);
        let mut seen = Vec::new();
        workload.run(request, &mut |step| seen.push((step, clock.now(), machine.true_power(clock.now()).get())));
        assert_eq!(seen.len(), 51);
        assert_eq!(seen[0], (Step::Prefilled, at(2.04), 350.0));
        assert_eq!(seen[1], (Step::Token, at(2.048), 350.0));
        assert_eq!(seen[50], (Step::Token, at(2.44), 350.0));
        assert_eq!(machine.true_power(at(2.03)).get(), 600.0);
        assert_eq!(machine.true_power(clock.now()).get(), 100.0);
        let energy = machine.truth(Stamp(0), clock.now()).get();
        assert!((energy - (50.0 + 100.0 + 2.0 + 12.0 + 140.0)).abs() < 1e-9, "{energy}");
    }

    #[test]
    fn leaking_device_warms_up_exponentially() {
        let machine = machine(
            r#"{"device": {"idle_w": 75, "decode_w": 350, "leakage_w_per_c": 0.5, "c_per_w": 0.08, "tau_s": 40},
            "workload": {"output_tokens": 10000, "prefill_s_per_token": 0, "overhead_s": 0}}"#,
        );
        let mut workload = machine.workload();
        let request = workload.next_request(Shape::Drawn);
        workload.run(request, &mut |_| {});
        let (rest, steady) = (0.08 * 75.0 / 0.96, 0.08 * 350.0 / 0.96);
        let gpu = DomainId::new("gpu:0");
        for t in [0.0, 0.5, 17.0, 79.9] {
            let decay = (-0.96 * t / 40.0f64).exp();
            let temperature = machine.true_temperature(&gpu, at(t)).unwrap();
            assert!((temperature - (30.0 + steady + (rest - steady) * decay)).abs() < 1e-9, "{t}: {temperature}");
            let leaked = 0.5 * (steady * t + (rest - steady) * 40.0 / 0.96 * (1.0 - decay));
            let energy = machine.truth(Stamp(0), at(t)).get();
            assert!((energy - (350.0 * t + leaked)).abs() <= 1e-9 * energy.max(1e-9), "{t}: {energy}");
        }
    }

    #[test]
    fn devices_add_up_and_are_separate() {
        let machine = machine(
            r#"{"devices": [{"idle_w": 10, "decode_w": 100}, {"id": "gpu:b", "idle_w": 20, "decode_w": 200}],
            "background": [{"from_s": 1, "to_s": 3, "w": 7}, {"from_s": 1, "to_s": 2, "w": 50, "device": "gpu:b"}]}"#,
        );
        machine.clock().advance_to(at(10.0));
        let (first, second) = (DomainId::new("gpu:0"), DomainId::new("gpu:b"));
        assert_eq!(machine.truth_of(&first, at(0.0), at(10.0)), Some(Joules(114.0)));
        assert_eq!(machine.truth_of(&second, at(0.0), at(10.0)), Some(Joules(250.0)));
        assert_eq!(machine.truth_of(&DomainId::new("gpu:9"), at(0.0), at(10.0)), None);
        assert_eq!(machine.truth(at(0.0), at(10.0)), Joules(364.0));
        assert_eq!(machine.true_power(at(1.5)).get(), 87.0);
    }

    #[test]
    fn energies_of_adjacent_windows_add_up() {
        let machine = machine(
            r#"{"devices": [{"leakage_w_per_c": 0.5, "power_noise": 0.05, "throttle_c": 50},
                {"id": "gpu:1", "leakage_w_per_c": 3}],
            "workload": {"input_tokens": {"lognormal": [5, 0.5]}, "output_tokens": {"lognormal": [4, 0.6]}},
            "background": [{"from_s": 20, "to_s": 30, "w": 100}]}"#,
        );
        let mut workload = machine.workload();
        run(&machine, &mut workload, 200);
        let end = machine.clock().now().nanos();
        let key = Key::new(99);
        for trial in 0..5_000 {
            // Windows of every size from a nanosecond up.
            let start = (key.uniform(3 * trial) * end as f64) as u64;
            let span = |n: u64| ((end as f64).ln() * key.uniform(3 * trial + n)).exp() as u64;
            let a = Stamp(start);
            let b = Stamp((start + span(1)).min(end));
            let c = Stamp((b.nanos() + span(2)).min(end));
            let (ab, bc, ac) = (machine.truth(a, b).get(), machine.truth(b, c).get(), machine.truth(a, c).get());
            assert!(ab >= 0.0 && bc >= 0.0);
            assert!((ab + bc - ac).abs() <= 1e-9 * ac, "{a:?} {b:?} {c:?}: {ab} + {bc} != {ac}");
        }
    }

    #[test]
    fn energy_is_integral_of_power() {
        let machine = machine(
            r#"{"device": {"leakage_w_per_c": 2, "power_noise": 0.1, "tau_s": 3, "throttle_c": 60, "c_per_w": 0.12},
            "background": [{"from_s": 1.2345, "to_s": 2.5, "w": 90}]}"#,
        );
        let mut workload = machine.workload();
        workload.set_cycle(1);
        run(&machine, &mut workload, 12);
        let gpu = DomainId::new("gpu:0");
        let (step, end) = (10_000u64, 6_000_000_000u64);
        let (mut energy, mut temperature) = (0.0, machine.true_temperature(&gpu, Stamp(0)).unwrap());
        for start in (0..end).step_by(step as usize) {
            let watts = machine.true_power(Stamp(start + step / 2)).get();
            let seconds = step as f64 * 1e-9;
            energy += watts * seconds;
            temperature += (30.0 + 0.12 * watts - temperature) / 3.0 * seconds;
        }
        let truth = machine.truth(Stamp(0), Stamp(end)).get();
        assert!((energy / truth - 1.0).abs() < 2e-6, "{energy} {truth}");
        let final_temperature = machine.true_temperature(&gpu, Stamp(end)).unwrap();
        assert!(
            (temperature - final_temperature).abs() < 1e-3 && final_temperature > 55.0,
            "{temperature} {final_temperature}"
        );
    }

    #[test]
    fn two_stages_and_step_integrate() {
        let machine = machine(
            r#"{"device": {"leakage_w_per_c": 1, "power_noise": 0.1, "tau_s": 1, "slow_c_per_w": 0.05, "slow_tau_s": 6,
                "step_at_c": 52, "step_w": 40}, "background": [{"from_s": 1.2345, "to_s": 2.5, "w": 90}]}"#,
        );
        let mut workload = machine.workload();
        workload.set_cycle(1);
        run(&machine, &mut workload, 12);
        let gpu = DomainId::new("gpu:0");
        let (step, end) = (10_000u64, 6_000_000_000u64);
        // At rest both stages are proportional to their degrees per watt.
        let above = machine.true_temperature(&gpu, Stamp(0)).unwrap() - 30.0;
        let (mut fast, mut slow) = (above * 0.08 / 0.13, above * 0.05 / 0.13);
        let (mut energy, mut hot) = (0.0, 0u32);
        for start in (0..end).step_by(step as usize) {
            let watts = machine.true_power(Stamp(start + step / 2)).get();
            let seconds = step as f64 * 1e-9;
            energy += watts * seconds;
            fast += (0.08 * watts - fast) / 1.0 * seconds;
            slow += (0.05 * watts - slow) / 6.0 * seconds;
            hot += u32::from(fast + slow > 22.0);
        }
        let truth = machine.truth(Stamp(0), Stamp(end)).get();
        assert!((energy / truth - 1.0).abs() < 2e-6, "{energy} {truth}");
        let temperature = machine.true_temperature(&gpu, Stamp(end)).unwrap();
        assert!((30.0 + fast + slow - temperature).abs() < 1e-3, "{fast} {slow} {temperature}");
        assert!((100_000..550_000).contains(&hot), "the step applies during part of the time: {hot}");
    }

    #[test]
    fn machine_and_views_are_send() {
        fn movable<T: Send>() {}
        fn shared<T: Send + Sync>() {}
        shared::<crate::sim::Machine>();
        movable::<crate::sim::Workload>();
        movable::<Box<dyn crate::meter::Meter>>();
    }

    #[test]
    fn throttling_slows_cools_and_sets_flag() {
        let machine = machine(
            r#"{"device": {"decode_w": 400, "throttle_c": 50, "throttle_factor": 0.5},
            "workload": {"output_tokens": 1000}}"#,
        );
        let mut workload = machine.workload();
        let mut meter = machine.meter();
        let clock = machine.clock();
        let mut gaps = Vec::new();
        for _ in 0..10 {
            let request = workload.next_request(Shape::Drawn);
            let mut last = clock.now();
            workload.run(request, &mut |_| {
                gaps.push((clock.now().since(last).as_secs_f64(), meter.read(2).unwrap()));
                last = clock.now();
            });
        }
        let slow = gaps.iter().filter(|(gap, _)| (*gap - 0.016).abs() < 1e-9).count();
        let fast = gaps.iter().filter(|(gap, _)| (*gap - 0.008).abs() < 1e-9).count();
        assert!(slow > 1000 && fast > 1000 && slow + fast == 10_000, "{slow} {fast}");
        let flagged = gaps.iter().filter(|(_, bits)| *bits == Value::Bits(0x40)).count();
        assert!(flagged.abs_diff(slow) < 30, "{flagged} {slow}");
        let temperature = machine.true_temperature(&DomainId::new("gpu:0"), clock.now()).unwrap();
        assert!((47.9..50.1).contains(&temperature), "{temperature}");
    }

    #[test]
    fn slowest_device_sets_speed() {
        let text = r#"{"devices": [{}, {"id": "gpu:1", "idle_w": 300, "throttle_c": 40, "throttle_factor": 0.8}]}"#;
        let machine = Machine::new(&scenario(text), Seeds::default()).unwrap();
        let mut workload = machine.workload();
        let start = machine.clock().now();
        run(&machine, &mut workload, 1);
        let seconds = machine.clock().now().since(start).as_secs_f64();
        assert!((seconds - (0.001 + 128.0 * 2e-5 + 64.0 * 8e-3) / 0.8).abs() < 1e-8, "{seconds}");
    }
}

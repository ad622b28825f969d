//! Running requests on the machine: phases in virtual time, one token after the other.
//!
//! A request goes through its overhead (at loaded idle), its prompt and its tokens; the clock stands at the moment of
//! each step when its caller hears of it. Must not know who asks for requests, or why.

use std::sync::Arc;

use super::device::Load;
use super::machine::{Purpose, Shared};
use super::requests::{Requests, Shape, VirtualRequest};
use super::scenario::{Scenario, WorkloadSpec};
use crate::units::Stamp;

/// What a running request has just done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The prompt is read.
    Prefilled,
    /// A token has appeared.
    Token,
}

/// The watts of one device's phases, at ambient temperature and without random effects.
#[derive(Debug, Clone, Copy)]
struct Powers {
    loaded_idle: f64,
    prefill: f64,
    decode: f64,
}

#[derive(Debug, Clone, Copy)]
enum PhaseName {
    LoadedIdle,
    Prefill,
    Decode,
}

/// One launch of a workload on a simulated machine.
pub struct Workload {
    shared: Arc<Shared>,
    spec: WorkloadSpec,
    powers: Vec<Powers>,
    requests: Requests,
    launch_effect: f64,
    cycle_effect: f64,
    can_throttle: bool,
}

impl std::fmt::Debug for Workload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Workload").field("spec", &self.spec).field("powers", &self.powers).finish_non_exhaustive()
    }
}

impl Workload {
    pub(super) fn new(shared: Arc<Shared>, scenario: &Scenario, launch: u64) -> Self {
        let key = shared.bench_key().of(Purpose::Launch).with(launch);
        let spec = scenario.workload.clone();
        let powers = scenario
            .devices
            .iter()
            .map(|device| Powers {
                loaded_idle: device.loaded_idle(),
                prefill: device.prefill_w,
                decode: device.decode_w,
            })
            .collect();
        let launch_effect = shared.launch_effect(spec.session_cv, spec.launch_cv, key);
        let can_throttle = shared.devices().iter().any(super::device::Device::can_throttle);
        let requests = Requests::new(spec.clone(), key.of(Purpose::Cycles));
        Self { shared, spec, powers, requests, launch_effect, cycle_effect: 1.0, can_throttle }
    }

    /// Makes the model resident, in no time: the devices go from idle to loaded idle.
    pub fn load_model(&mut self) {
        self.enter(PhaseName::LoadedIdle);
    }

    /// Begins cycle `n`: from now on its draws and its random effect on power apply. Before the first cycle the effect
    /// is 1. The noise of the power is drawn from the cycle's own numbers too, counted from this moment.
    pub fn set_cycle(&mut self, n: u64) {
        self.cycle_effect = self.requests.set_cycle(n);
        let now = self.shared.now();
        let noise = self.requests.cycle_key().of(Purpose::Power);
        for (device, index) in self.shared.devices().iter_mut().zip(0..) {
            device.set_noise(now, noise.with(index));
        }
    }

    /// The next request of the present cycle (of the warm-up, before the first). Its time noise and the warm-up are
    /// settled here, in the order of the calls.
    pub fn next_request(&mut self, shape: Shape) -> VirtualRequest {
        self.requests.next(shape)
    }

    /// Runs a request: virtual time passes, and `on_step` is called with the clock standing at the moment of each
    /// step. Afterwards the devices are at loaded idle. A step's time is settled when it begins: it is longer if a
    /// device throttles at that moment (with several, the slowest counts).
    pub fn run(&mut self, request: VirtualRequest, on_step: &mut dyn FnMut(Step)) {
        let mut at = self.shared.now() as f64;
        self.enter(PhaseName::LoadedIdle);
        self.pass(&mut at, self.spec.overhead_s * request.slowness);
        self.enter(PhaseName::Prefill);
        self.pass(&mut at, request.input_tokens as f64 * self.spec.prefill_s_per_token * request.slowness);
        self.enter(PhaseName::Decode);
        on_step(Step::Prefilled);
        let token_s = self.spec.decode_s_per_token * request.slowness;
        for _ in 0..request.output_tokens {
            self.pass(&mut at, token_s);
            on_step(Step::Token);
        }
        self.enter(PhaseName::LoadedIdle);
    }

    /// Puts every device under the load of a phase.
    fn enter(&mut self, phase: PhaseName) {
        let effect = self.launch_effect * self.cycle_effect;
        let now = self.shared.now();
        for (device, powers) in self.shared.devices().iter_mut().zip(&self.powers) {
            let load = match phase {
                PhaseName::LoadedIdle => Load::resting(powers.loaded_idle),
                PhaseName::Prefill => Load { watts: powers.prefill * effect, active: true },
                PhaseName::Decode => Load { watts: powers.decode * effect, active: true },
            };
            device.set_load(now, load);
        }
    }

    /// Lets `seconds` of work pass. `at` carries fractions of nanoseconds from step to step, so that many short steps
    /// take as long as one long one.
    fn pass(&self, at: &mut f64, seconds: f64) {
        let speed = if self.can_throttle {
            self.shared.devices_now().iter().map(super::device::Device::speed).fold(1.0, f64::min)
        } else {
            1.0
        };
        *at += seconds / speed * 1e9;
        self.shared.clock.advance_to(Stamp(at.round() as u64));
        // A listener may have let time pass.
        let now = self.shared.now() as f64;
        if now > *at + 1.0 {
            *at = now;
        }
    }
}

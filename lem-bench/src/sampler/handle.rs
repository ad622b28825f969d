//! The sampler's interface: runs the sampler on its own thread, or inline on a virtual clock.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::dense_reads::SamplerConfig;
use super::edge::IdleSide;
use super::gauge::gauge_evidence;
use super::live_power::{LivePower, LivePowerReading, LiveStatus};
use super::state::{EdgeEvent, SamplerState};
use crate::clock::{Clock, DueWork, VirtualClock, thread_cpu_time};
use crate::meter::Meter;
use crate::model::{DomainEnergy, DomainId, GaugeEvidence, IdleBlock, MeterProbe, SensorEvent, Trace};
use crate::units::Stamp;

/// Capacity of the queue: more events than a body posts during a read of the meter. It is allocated at the start, so that
/// posting does not allocate.
const QUEUE_CAPACITY: usize = 1024;

/// Events for the sampler's thread. The queue has its own lock, which is held only to add an event, so that the measured
/// thread never waits for a read of the meter.
#[derive(Default)]
struct EdgeQueue {
    pending: Mutex<PendingEdges>,
    changed: Condvar,
}

struct PendingEdges {
    events: Vec<EdgeEvent>,
    stop: bool,
}

impl Default for PendingEdges {
    fn default() -> Self {
        Self { events: Vec::with_capacity(QUEUE_CAPACITY), stop: false }
    }
}

enum Drive {
    Thread { queue: Arc<EdgeQueue>, thread: Option<JoinHandle<()>> },
    Inline,
}

/// Reads a meter in the background and returns energies and readings of past time spans.
pub struct Sampler {
    state: Arc<Mutex<SamplerState>>,
    clock: Arc<dyn Clock>,
    drive: Drive,
    config: SamplerConfig,
    status: Arc<LiveStatus>,
    power: Arc<LivePower>,
}

impl std::fmt::Debug for Sampler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sampler").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Sampler {
    /// Starts a sampler on its own thread.
    ///
    /// # Errors
    /// If the thread cannot be started.
    pub fn start(
        meter: Box<dyn Meter>,
        clock: Arc<dyn Clock>,
        probe: &MeterProbe,
        config: SamplerConfig,
    ) -> std::io::Result<Self> {
        let queue = Arc::new(EdgeQueue::default());
        let mut sampler = Self::new(meter, clock, probe, config);
        let thread = {
            let (state, clock, queue) = (Arc::clone(&sampler.state), Arc::clone(&sampler.clock), Arc::clone(&queue));
            std::thread::Builder::new()
                .name("lem-bench sampler".to_owned())
                .spawn(move || run_thread(&state, &*clock, &queue))?
        };
        sampler.drive = Drive::Thread { queue, thread: Some(thread) };
        Ok(sampler)
    }

    /// Attaches a sampler to a virtual clock, which drives it inline.
    pub fn attach(meter: Box<dyn Meter>, clock: &VirtualClock, probe: &MeterProbe, config: SamplerConfig) -> Self {
        let sampler = Self::new(meter, Arc::new(clock.clone()), probe, config);
        clock.attach(Box::new(Inline(Arc::clone(&sampler.state))));
        sampler
    }

    fn new(meter: Box<dyn Meter>, clock: Arc<dyn Clock>, probe: &MeterProbe, config: SamplerConfig) -> Self {
        let state = SamplerState::new(meter, Arc::clone(&clock), probe, config);
        let (status, power) = (Arc::clone(&state.status), Arc::clone(&state.power));
        Self { state: Arc::new(Mutex::new(state)), clock, drive: Drive::Inline, config, status, power }
    }

    /// Announces an edge at or after `at`, so that the counters are read densely around it.
    pub fn expect_edge(&self, at: Stamp) {
        self.post(EdgeEvent::Expected(at, IdleSide::Neither));
    }

    /// Announces that work begins at or after `at` on a machine that is idle until then.
    pub fn expect_start(&self, at: Stamp) {
        self.post(EdgeEvent::Expected(at, IdleSide::Before));
    }

    /// Marks an edge at `at`, which is now or a moment ago. Never waits for a read and does not allocate.
    pub fn edge(&self, at: Stamp) {
        self.edge_at_idle(at, IdleSide::Neither);
    }

    /// As [`Sampler::edge`], for an edge on one side of which the machine is idle.
    pub fn edge_at_idle(&self, at: Stamp, idle: IdleSide) {
        self.post(EdgeEvent::Occurred(at, idle));
    }

    fn post(&self, event: EdgeEvent) {
        match &self.drive {
            Drive::Thread { queue, .. } => {
                let mut pending = lock(&queue.pending);
                // A full queue keeps the edges that occurred; the expected ones are over by now.
                if pending.events.len() == pending.events.capacity() {
                    pending.events.retain(|event| matches!(event, EdgeEvent::Occurred(..)));
                }
                pending.events.push(event);
                drop(pending);
                queue.changed.notify_one();
            }
            Drive::Inline => lock(&self.state).handle_edge(event),
        }
    }

    /// Waits until the reads after `edge` that its energy needs are there, for at most a second: on a machine whose cores
    /// are all busy, the sampler may be delayed by more than a ramp-out. Must not be called inside a window.
    pub fn wait_until_sampled(&self, edge: Stamp) {
        if self.clock.is_virtual() {
            return;
        }
        let give_up = self.clock.now() + Duration::from_secs(1);
        while !lock(&self.state).has_passed(edge) && self.clock.now() < give_up {
            self.clock.sleep(Duration::from_millis(1));
        }
    }

    /// Returns the latest tick of the counter with the longest period. With the period, it gives the moments of later
    /// ticks.
    pub fn last_tick(&self) -> Option<Stamp> {
        lock(&self.state).readings().last_tick()
    }

    /// Returns how often the sampler reads.
    pub fn config(&self) -> SamplerConfig {
        self.config
    }

    /// Returns the number of domains whose device is lost. Never waits for a read.
    pub fn lost_domain_count(&self) -> usize {
        self.status.lost_domains()
    }

    /// Returns the domains whose device is lost, each with the reason.
    pub fn lost(&self) -> Vec<(DomainId, String)> {
        lock(&self.state).lost().to_vec()
    }

    /// Returns the energy of each of `domains` from `start` to `stop`. Both must have been marked as edges, at least a tick
    /// ago. A domain without readings is left out.
    ///
    /// If a counter is stuck, adds an event, once per window: calling this again for the same or an overlapping window
    /// does not add another.
    pub fn energy(&self, start: Stamp, stop: Stamp, domains: &[DomainId]) -> Vec<DomainEnergy> {
        lock(&self.state).readings().energy(start, stop, domains)
    }

    /// Returns the mean power of each of `domains` over a span in which the machine is idle.
    pub fn idle_block(&self, start: Stamp, stop: Stamp, domains: &[DomainId]) -> IdleBlock {
        let time = stop.since(start);
        let power = self.energy(start, stop, domains);
        IdleBlock { start, stop, power: power.into_iter().map(|e| (e.domain, e.joules / time)).collect() }
    }

    /// Returns the highest of the latest temperatures, in °C. Never waits for a read.
    pub fn hottest(&self) -> Option<f64> {
        self.status.hottest()
    }

    /// Returns the latest power of these domains, for display. It may outlive the sampler and then keeps its last value.
    pub fn live_power(&self, domains: &[DomainId]) -> LivePowerReading {
        LivePowerReading::new(&self.power, domains)
    }

    /// Returns the temperature of each domain at two moments, in °C.
    pub fn temperatures_between(&self, start: Stamp, stop: Stamp) -> Vec<(DomainId, f64, f64)> {
        let (first, last) = (self.temperatures_at(start), self.temperatures_at(stop));
        first.into_iter().zip(last).map(|((domain, from), (_, to))| (domain, from, to)).collect()
    }

    /// Returns the temperature of each domain that has one at a past moment, in °C.
    pub fn temperatures_at(&self, at: Stamp) -> Vec<(DomainId, f64)> {
        lock(&self.state).readings().temperatures_at(at)
    }

    /// Returns the readings from `start` to `stop` for plots.
    pub fn traces(&self, start: Stamp, stop: Stamp) -> Vec<Trace> {
        lock(&self.state).traces(start, stop)
    }

    /// Returns what the gauges of each domain read during these windows.
    pub fn gauge_evidence(&self, windows: &[(Stamp, Stamp)]) -> Vec<GaugeEvidence> {
        gauge_evidence(&lock(&self.state).readings().gauges, windows)
    }

    /// Removes and returns the faults of the sensors so far.
    pub fn take_events(&self) -> Vec<SensorEvent> {
        lock(&self.state).readings().take_events()
    }

    /// Removes the samples before `before`.
    pub fn discard_before(&self, before: Stamp) {
        lock(&self.state).discard_before(before);
    }

    /// Returns the CPU time of the sampler's thread so far; `None` if it is driven inline.
    pub fn cpu_time(&self) -> Option<Duration> {
        lock(&self.state).cpu
    }

    /// Returns the sampler's clock.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }
}

impl Drop for Sampler {
    fn drop(&mut self) {
        if let Drive::Thread { queue, thread } = &mut self.drive {
            lock(&queue.pending).stop = true;
            queue.changed.notify_one();
            if let Some(thread) = thread.take() {
                // The sampler's thread has already printed a panic; `drop` cannot return it.
                drop(thread.join());
            }
        }
    }
}

/// Runs the sampler's thread: sleeps until a read is due or an event arrives.
fn run_thread(state: &Mutex<SamplerState>, clock: &dyn Clock, queue: &EdgeQueue) {
    // Swapped with the queue's vector, so that both keep their capacity.
    let mut events = Vec::with_capacity(QUEUE_CAPACITY);
    loop {
        let due = lock(state).next_due();
        let mut pending = lock(&queue.pending);
        if pending.events.is_empty() && !pending.stop {
            let wait = due.since(clock.now());
            if !wait.is_zero() {
                pending = queue.changed.wait_timeout(pending, wait).unwrap_or_else(PoisonError::into_inner).0;
            }
        }
        if pending.stop {
            return;
        }
        std::mem::swap(&mut events, &mut pending.events);
        drop(pending);
        let mut state = lock(state);
        for event in events.drain(..) {
            state.handle_edge(event);
        }
        state.poll_due(clock.now());
        state.cpu = thread_cpu_time();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The sampler as work that a virtual clock runs when it is due.
struct Inline(Arc<Mutex<SamplerState>>);

impl DueWork for Inline {
    fn next_due(&self) -> Option<Stamp> {
        Some(lock(&self.0).next_due())
    }

    fn run_due(&mut self, now: Stamp) {
        lock(&self.0).poll_due(now);
    }
}

//! The sampler as others hold it: a thread on the machine's clock, inline work on a virtual one.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::core::{EdgeEvent, LiveStatus, SamplerConfig, SamplerState};
use super::edge::IdleSide;
use super::power_now::{LivePower, LivePowerReading};
use super::watched::watched;
use crate::clock::{Clock, DueWork, VirtualClock, thread_cpu_time};
use crate::meter::Meter;
use crate::model::{DomainEnergy, DomainId, GaugeEvidence, IdleBlock, MeterProbe, SensorEvent, Trace};
use crate::units::Stamp;

/// Notices on their way to the sampler's thread. A lock of its own, held for a push at most, so that whoever is
/// measured never waits for a read of the meter.
#[derive(Default)]
struct EdgeMailbox {
    letters: Mutex<EdgeQueue>,
    arrived: Condvar,
}

struct EdgeQueue {
    notices: Vec<EdgeEvent>,
    stop: bool,
}

/// Notices that wait while the meter is being read: more of them than a body can post in the time of any read that is
/// worth waiting for. The mailbox is made this large at the beginning, so that posting allocates nothing.
const WAITING: usize = 1024;

impl Default for EdgeQueue {
    fn default() -> Self {
        Self { notices: Vec::with_capacity(WAITING), stop: false }
    }
}

enum Drive {
    Thread { mailbox: Arc<EdgeMailbox>, thread: Option<JoinHandle<()>> },
    Inline,
}

/// Reads a meter in the background and answers for stretches of time in the past.
pub struct Sampler {
    core: Arc<Mutex<SamplerState>>,
    clock: Arc<dyn Clock>,
    drive: Drive,
    config: SamplerConfig,
    gist: Arc<LiveStatus>,
    board: Arc<LivePower>,
}

impl std::fmt::Debug for Sampler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sampler").field("config", &self.config).finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Sampler {
    /// A sampler with a thread of its own, on the machine's clock.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn start(
        meter: Box<dyn Meter>,
        clock: Arc<dyn Clock>,
        probe: &MeterProbe,
        config: SamplerConfig,
    ) -> std::io::Result<Self> {
        let core = SamplerState::new(meter, Arc::clone(&clock), probe, config);
        let (gist, board) = (Arc::clone(&core.gist), Arc::clone(&core.board));
        let core = Arc::new(Mutex::new(core));
        let mailbox = Arc::new(EdgeMailbox::default());
        let thread = {
            let (core, clock, mailbox) = (Arc::clone(&core), Arc::clone(&clock), Arc::clone(&mailbox));
            std::thread::Builder::new()
                .name("lem-bench sampler".to_owned())
                .spawn(move || serve(&core, &*clock, &mailbox))?
        };
        Ok(Self { core, clock, drive: Drive::Thread { mailbox, thread: Some(thread) }, config, gist, board })
    }

    /// A sampler that the virtual clock drives inline.
    pub fn attach(meter: Box<dyn Meter>, clock: &VirtualClock, probe: &MeterProbe, config: SamplerConfig) -> Self {
        let shared: Arc<dyn Clock> = Arc::new(clock.clone());
        let core = SamplerState::new(meter, Arc::clone(&shared), probe, config);
        let (gist, board) = (Arc::clone(&core.gist), Arc::clone(&core.board));
        let core = Arc::new(Mutex::new(core));
        clock.attach(Box::new(Inline(Arc::clone(&core))));
        Self { core, clock: shared, drive: Drive::Inline, config, gist, board }
    }

    /// Says that an edge comes at or after `at`, so that the counters are watched around it.
    pub fn expect_edge(&self, at: Stamp) {
        self.post(EdgeEvent::Expect(at, IdleSide::Neither));
    }

    /// Says that work begins at or after `at` on a machine that rests until then.
    pub fn expect_start(&self, at: Stamp) {
        self.post(EdgeEvent::Expect(at, IdleSide::Before));
    }

    /// Says that an edge was at `at`, which is now or a moment ago. Never waits for a read, and allocates nothing.
    pub fn edge(&self, at: Stamp) {
        self.edge_of(at, IdleSide::Neither);
    }

    /// Says that an edge was at `at`, on one side of which the machine rests. As [`Sampler::edge`] otherwise.
    pub fn edge_of(&self, at: Stamp, rest: IdleSide) {
        self.post(EdgeEvent::Edge(at, rest));
    }

    fn post(&self, notice: EdgeEvent) {
        match &self.drive {
            Drive::Thread { mailbox, .. } => {
                let mut letters = lock(&mailbox.letters);
                // A full mailbox keeps its edges; what was only expected has passed long since.
                if letters.notices.len() == letters.notices.capacity() {
                    letters.notices.retain(|waiting| matches!(waiting, EdgeEvent::Edge(..)));
                }
                letters.notices.push(notice);
                drop(letters);
                mailbox.arrived.notify_one();
            }
            Drive::Inline => lock(&self.core).handle_edge(notice),
        }
    }

    /// Returns when everything was read after `edge`, or after a second in which that did not happen: a machine whose
    /// cores are all busy may keep the sampler waiting for longer than a ramp-out. Not for use inside a window.
    pub fn wait_until_sampled(&self, edge: Stamp) {
        if self.clock.is_virtual() {
            return;
        }
        let give_up = self.clock.now() + Duration::from_secs(1);
        while !lock(&self.core).readings().have_passed(edge) && self.clock.now() < give_up {
            self.clock.sleep(Duration::from_millis(1));
        }
    }

    /// The last tick seen of the counter that ticks most slowly: about when it ticks again follows from its period.
    pub fn last_tick(&self) -> Option<Stamp> {
        lock(&self.core).readings().last_tick()
    }

    /// How often it reads.
    pub fn config(&self) -> SamplerConfig {
        self.config
    }

    /// How many domains have lost their device. Never waits for a read.
    pub fn losses(&self) -> usize {
        self.gist.losses()
    }

    /// The domains that have lost their device, each with the reason.
    pub fn lost(&self) -> Vec<(DomainId, String)> {
        lock(&self.core).lost().to_vec()
    }

    /// The energy of each of `domains` from `start` to `stop`, both of which were announced as edges and lie at least
    /// a tick in the past. A domain about which nothing was read is left out.
    pub fn energy(&self, start: Stamp, stop: Stamp, domains: &[DomainId]) -> Vec<DomainEnergy> {
        lock(&self.core).readings().energy(start, stop, domains)
    }

    /// The mean power of each of `domains` over a stretch of rest.
    pub fn idle_block(&self, start: Stamp, stop: Stamp, domains: &[DomainId]) -> IdleBlock {
        let time = stop.since(start);
        let power = self.energy(start, stop, domains);
        IdleBlock { start, stop, power: power.into_iter().map(|e| (e.domain, e.joules / time)).collect() }
    }

    /// The highest of the last temperatures read, in °C. Never waits for a read.
    pub fn hottest(&self) -> Option<f64> {
        self.gist.hottest()
    }

    /// The power of these domains together, for people who watch. It outlives the sampler, and then stands still.
    pub fn power_now(&self, domains: &[DomainId]) -> LivePowerReading {
        LivePowerReading::new(&self.board, domains)
    }

    /// Temperature of each domain at two moments, in °C.
    pub fn temperatures_between(&self, start: Stamp, stop: Stamp) -> Vec<(DomainId, f64, f64)> {
        let (first, last) = (self.temperatures_at(start), self.temperatures_at(stop));
        first.into_iter().zip(last).map(|((domain, from), (_, to))| (domain, from, to)).collect()
    }

    /// The temperature of each domain that has one at a moment of the past, in °C.
    pub fn temperatures_at(&self, at: Stamp) -> Vec<(DomainId, f64)> {
        lock(&self.core).readings().temperatures_at(at)
    }

    /// What was read from `start` to `stop`, for the picture.
    pub fn traces(&self, start: Stamp, stop: Stamp) -> Vec<Trace> {
        lock(&self.core).traces(start, stop)
    }

    /// What the gauges of each domain told in these windows.
    pub fn watched(&self, windows: &[(Stamp, Stamp)]) -> Vec<GaugeEvidence> {
        watched(&lock(&self.core).readings().gauges, windows)
    }

    /// Takes out what the sensors did that they should not.
    pub fn take_events(&self) -> Vec<SensorEvent> {
        lock(&self.core).readings().take_events()
    }

    /// Forgets what was read before `before`.
    pub fn forget(&self, before: Stamp) {
        lock(&self.core).forget(before);
    }

    /// CPU time that the sampler's thread has used so far; `None` inline.
    pub fn cpu_time(&self) -> Option<Duration> {
        lock(&self.core).cpu
    }

    /// The clock of its stamps.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }
}

impl Drop for Sampler {
    fn drop(&mut self) {
        if let Drive::Thread { mailbox, thread } = &mut self.drive {
            lock(&mailbox.letters).stop = true;
            mailbox.arrived.notify_one();
            if let Some(thread) = thread.take() {
                // A panic in the sampler was already printed by its own thread; there is nobody to hand it on to.
                drop(thread.join());
            }
        }
    }
}

/// The sampler's thread: sleeps until something is due or a notice arrives.
fn serve(core: &Mutex<SamplerState>, clock: &dyn Clock, mailbox: &EdgeMailbox) {
    // Swapped with the mailbox's own, so that neither is ever without its room.
    let mut notices = Vec::with_capacity(WAITING);
    loop {
        let due = lock(core).next_due();
        let mut letters = lock(&mailbox.letters);
        if letters.notices.is_empty() && !letters.stop {
            let wait = due.since(clock.now());
            if !wait.is_zero() {
                letters = mailbox.arrived.wait_timeout(letters, wait).unwrap_or_else(PoisonError::into_inner).0;
            }
        }
        if letters.stop {
            return;
        }
        std::mem::swap(&mut notices, &mut letters.notices);
        drop(letters);
        let mut core = lock(core);
        for notice in notices.drain(..) {
            core.handle_edge(notice);
        }
        core.poll_due(clock.now());
        core.cpu = thread_cpu_time();
    }
}

/// The sampler as due work of a virtual clock.
struct Inline(Arc<Mutex<SamplerState>>);

impl DueWork for Inline {
    fn next_due(&self) -> Option<Stamp> {
        Some(lock(&self.0).next_due())
    }

    fn run_due(&mut self, now: Stamp) {
        lock(&self.0).poll_due(now);
    }
}

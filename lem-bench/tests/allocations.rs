//! Recording does not allocate inside a window: tokens, phases, prompts and finished requests use memory that was
//! reserved before. Edges are sent to the sampler without allocation, also while it reads its meter.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use lem_bench::__private::bench::{Driver, EdgeCalls, Fixtures, InputChoice, Iteration, Run, Step, Usage};
use lem_bench::__private::clock::{Clock, RealClock};
use lem_bench::__private::sampler::{IdleSide, ProbeEffort, Sampler, SamplerConfig, probe};
use lem_bench::bench::{Bencher, Tokens};
use lem_bench::meter::{Channel, Meter, Quantity, ReadError, Value};
use lem_bench::meter::{Domain, DomainId, DomainKind, Origin};

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: every call is forwarded unchanged to the system's allocator; the counter is a thread-local integer without a
// destructor, so that its use does not allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: as above.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Runs a warm-up of `WARM_UP` requests, then a window of `REQUESTS`, and counts the allocations in the window.
struct Window {
    steps: u32,
    tokens: u64,
    before: u64,
    after: u64,
}

const WARM_UP: u32 = 4;
const REQUESTS: u32 = 200;

impl Driver for Window {
    fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(RealClock)
    }

    fn seed(&self) -> u64 {
        3
    }

    fn next(&mut self, _in_flight: usize, _edges: &mut dyn EdgeCalls) -> Step {
        self.steps += 1;
        if self.steps == WARM_UP + 1 {
            self.before = ALLOCATIONS.get();
        }
        if self.steps > WARM_UP + REQUESTS {
            self.after = ALLOCATIONS.get();
            return Step::Stop;
        }
        Step::Run(Run::new(InputChoice::Next, 1))
    }

    fn done(&mut self, iteration: Iteration<'_>) {
        self.tokens += iteration.tally.output_tokens;
    }
}

#[test]
fn requests_do_not_allocate() {
    let mut window = Window { steps: 0, tokens: 0, before: 0, after: 0 };
    let mut usage = Usage::default();
    Bencher::new(&mut window, &mut usage, Fixtures::default()).iter_requests([1_usize, 2, 3], |n, request| {
        request.input_tokens(*n);
        {
            let _prefill = request.phase("prefill");
            request.tokens(1);
            request.metric("prompt", *n);
        }
        // More marks than the initial buffer holds, so that it grows during the warm-up.
        for step in 0..6000 {
            request.sequence(step % 2).tokens(1);
        }
        Ok::<_, std::fmt::Error>(Tokens { input: 0, output: 0 })
    });
    assert_eq!(window.tokens, u64::from(WARM_UP + REQUESTS) * 6001);
    assert_eq!(window.after - window.before, 0, "allocations in {REQUESTS} requests");
}

/// A counter that takes 20 ms to read.
struct Slow(Vec<Domain>, Vec<Channel>, u64);

impl Meter for Slow {
    fn name(&self) -> &'static str {
        "slow"
    }

    fn origin(&self) -> Origin {
        Origin::Simulated
    }

    fn domains(&self) -> &[Domain] {
        &self.0
    }

    fn channels(&self) -> &[Channel] {
        &self.1
    }

    fn read(&mut self, _channel: usize) -> Result<Value, ReadError> {
        std::thread::sleep(Duration::from_millis(20));
        self.2 += 1;
        Ok(Value::Count(self.2))
    }
}

#[test]
fn edges_do_not_allocate() {
    let id = DomainId::new("gpu:0");
    let domains = vec![Domain::new(id.clone(), DomainKind::Gpu, "slow")];
    let channels = vec![Channel::new(id, Quantity::Energy { unit_j: 1.0, modulus: None })];
    let mut meter = Slow(domains, channels, 0);
    let clock = Arc::new(RealClock);
    let effort = ProbeEffort { min: Duration::from_millis(100), max: Duration::from_millis(200) };
    let probed = probe(&mut meter, &*clock, effort);
    let config = SamplerConfig::for_meter(&probed);
    let sampler = Sampler::start(Box::new(meter), Arc::clone(&clock) as Arc<dyn Clock>, &probed, config).unwrap();
    let before = ALLOCATIONS.get();
    for round in 0..40 {
        // Bursts of edges that exceed what the sampler can process during a read.
        for _ in 0..if round % 2 == 0 { 1 } else { 20 } {
            sampler.expect_edge(clock.now());
            sampler.edge(clock.now());
            sampler.edge_at_idle(clock.now(), IdleSide::After);
        }
        let _ = (sampler.hottest(), sampler.lost_domain_count());
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(ALLOCATIONS.get() - before, 0);
}

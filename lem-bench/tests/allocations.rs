//! Recording allocates nothing inside a window: marking tokens, phases and prompts, and handing a request over, use
//! memory that was reserved before.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::Arc;

use lem_bench::bench::{Bencher, Choice, Driver, Fixtures, Iteration, Step, Tokens};
use lem_bench::clock::{Clock, RealClock};

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: every call is handed on unchanged to the system's allocator, which upholds the contract; the counter is a
// thread-local integer without a destructor, so that touching it allocates nothing.
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

/// Runs a warm-up of a few requests, then a window of many, and counts what is allocated in the window.
struct Window {
    asked: u32,
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

    fn next(&mut self, _synchronize: &mut dyn FnMut()) -> Step {
        self.asked += 1;
        if self.asked == WARM_UP + 1 {
            self.before = ALLOCATIONS.get();
        }
        if self.asked > WARM_UP + REQUESTS {
            self.after = ALLOCATIONS.get();
            return Step::Stop;
        }
        Step::Run { choice: Choice::Next, repeat: 1 }
    }

    fn done(&mut self, iteration: Iteration<'_>) {
        self.tokens += iteration.tally.output_tokens;
    }
}

#[test]
fn a_window_of_requests_allocates_nothing() {
    let mut window = Window { asked: 0, tokens: 0, before: 0, after: 0 };
    Bencher::new(&mut window, Fixtures::default()).iter_requests([1_usize, 2, 3], |n, request| {
        request.input_tokens(*n);
        {
            let _prefill = request.phase("prefill");
            request.tokens(1);
        }
        // More marks than fit at first, so that the buffer had to grow in the warm-up.
        for step in 0..6000 {
            request.sequence(step % 2).tokens(1);
        }
        Ok::<_, std::fmt::Error>(Tokens { input: 0, output: 0 })
    });
    assert_eq!(window.tokens, u64::from(WARM_UP + REQUESTS) * 6001);
    assert_eq!(window.after - window.before, 0, "allocations in {REQUESTS} requests");
}

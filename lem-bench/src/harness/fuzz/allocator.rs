//! Counts the memory that a thread holds, for tests with a memory bound.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

struct CountingAllocator;

thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

fn add(bytes: isize) {
    let held = HELD.get() + bytes;
    HELD.set(held);
    PEAK.set(PEAK.get().max(held));
}

// SAFETY: every call is passed on unchanged to the system's allocator, which upholds the contract. The counters are
// thread-local integers without destructors, so accessing them does not allocate.
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        add(layout.size().cast_signed());
        // SAFETY: as above.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        add(layout.size().cast_signed());
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        add(-(layout.size().cast_signed()));
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // Both blocks exist while the content is moved.
        add(size.cast_signed());
        add(-(layout.size().cast_signed()));
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

/// Runs `action` and returns its result, and the most bytes that this thread held during it, beyond those before it.
pub(super) fn peak<T>(action: impl FnOnce() -> T) -> (T, usize) {
    let before = HELD.get();
    PEAK.set(before);
    let result = action();
    (result, (PEAK.get() - before).max(0) as usize)
}

#[test]
fn counts_allocated_memory() {
    let ((), bytes) = peak(|| drop((vec![0_u8; 100_000], vec![0_u8; 50_000])));
    assert!((150_000..200_000).contains(&bytes), "{bytes}");
    let ((), bytes) = peak(|| drop(vec![0_u8; 10]));
    assert!(bytes < 1000, "{bytes}");
}

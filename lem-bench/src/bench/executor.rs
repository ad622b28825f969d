//! Async runtimes that can run the closures of a bench.

use std::sync::Arc;

use crate::clock::VirtualClock;

/// Runs futures: an async runtime. The feature `tokio` implements it for tokio's `Runtime` and `Handle`; for others, call
/// their `block_on`:
///
/// ```
/// use lem_bench::bench::AsyncExecutor;
/// # mod pollster { pub fn block_on<F: std::future::Future>(_: F) -> F::Output { panic!() } }
///
/// struct Pollster;
///
/// impl AsyncExecutor for Pollster {
///     fn block_on<T>(&self, future: impl std::future::Future<Output = T>) -> T {
///         pollster::block_on(future)
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an async runtime that lem-bench knows",
    note = "for tokio, enable the feature `tokio` of lem-bench; for others, implement `AsyncExecutor`"
)]
pub trait AsyncExecutor {
    /// Runs a future to its end on this thread.
    fn block_on<T>(&self, future: impl Future<Output = T>) -> T;
}

impl<E: AsyncExecutor> AsyncExecutor for &E {
    fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        (**self).block_on(future)
    }
}

impl<E: AsyncExecutor> AsyncExecutor for Arc<E> {
    fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        (**self).block_on(future)
    }
}

#[cfg(feature = "tokio")]
impl AsyncExecutor for tokio::runtime::Runtime {
    fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.block_on(future)
    }
}

#[cfg(feature = "tokio")]
impl AsyncExecutor for tokio::runtime::Handle {
    fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.block_on(future)
    }
}

impl AsyncExecutor for VirtualClock {
    fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.block_on(future)
    }
}

//! What all builders of a bench share: the driver, and how the call of `iter…` went.

use super::driver::Driver;
use super::error::BodyResult;

/// How a body used its bencher.
#[derive(Debug, Default)]
pub struct Usage {
    /// How often an `iter…` method was called. Only 1 is correct.
    pub calls: u32,
    /// Why the bench failed, if it did.
    pub failure: Option<String>,
}

/// Where a builder runs its closures.
pub(super) struct Target<'b> {
    pub driver: &'b mut dyn Driver,
    pub usage: &'b mut Usage,
}

impl std::fmt::Debug for Target<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Target").field("usage", &self.usage).finish_non_exhaustive()
    }
}

impl Target<'_> {
    pub fn reborrow(&mut self) -> Target<'_> {
        Target { driver: &mut *self.driver, usage: &mut *self.usage }
    }

    /// Counts a call of `iter…`. Returns whether it may run: only the first call may, and only with inputs.
    pub fn may_run(&mut self, inputs: usize) -> bool {
        self.usage.calls += 1;
        self.usage.calls == 1 && inputs > 0
    }
}

/// Keeps the error of a `synchronize` closure, if it is the first failure.
pub(super) fn keep_failure(usage: &mut Usage, result: impl BodyResult) {
    if let Err(error) = result.into_result() {
        usage.failure.get_or_insert_with(|| format!("the device could not be synchronized: {error}"));
    }
}

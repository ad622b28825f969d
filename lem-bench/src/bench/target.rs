//! What all builders of a bench share: the driver, and how the call of `iter…` went.

use super::driver::Driver;
use super::metrics::{MetricMark, MetricNames};

/// How a body used its bencher.
#[derive(Debug, Default)]
pub struct Usage {
    /// How often an `iter…` method was called. Only 1 is correct.
    pub calls: u32,
    /// Why the bench failed, if it did.
    pub failure: Option<String>,
    metric_names: MetricNames,
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

impl<'b> Target<'b> {
    pub fn reborrow(&mut self) -> Target<'_> {
        Target { driver: &mut *self.driver, usage: &mut *self.usage }
    }

    /// Returns it with a shorter lifetime, such as that of a closure.
    pub fn shorten<'s>(self) -> Target<'s>
    where
        'b: 's,
    {
        Target { driver: self.driver, usage: self.usage }
    }

    /// Counts a call of `iter…`. Returns whether it may run: only the first call may, and only with inputs.
    pub fn may_run(&mut self, inputs: usize) -> bool {
        self.usage.calls += 1;
        self.usage.calls == 1 && inputs > 0
    }
}

impl Usage {
    /// Takes the name of a gauge. A faulty one fails the bench.
    pub(super) fn add_gauge(&mut self, name: &str) {
        let result = self.metric_names.add_gauge(name);
        self.keep(result);
    }

    /// Takes the metrics of a request. A faulty name fails the bench. Returns whether the bench may continue.
    pub(super) fn may_continue_after(&mut self, marks: &[MetricMark]) -> bool {
        for mark in marks {
            let result = self.metric_names.add_mark(mark);
            self.keep(result);
        }
        self.failure.is_none()
    }

    /// Fails the bench with an error, if it is the first.
    pub(super) fn keep(&mut self, result: Result<(), String>) {
        if let Err(failure) = result {
            self.failure.get_or_insert(failure);
        }
    }
}

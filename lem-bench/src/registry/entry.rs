//! What the attribute leaves in the binary for one bench.
//!
//! Must not know cases: an entry is a constant, made before anything runs.

use std::time::Duration;

use super::{Attributes, AxisSpec, Ignored, SourceLocation};
use crate::bench::{Bencher, CaseValues, Error};

/// Makes the axes of a bench, in the order of its parameters.
pub type AxesFn = fn() -> Vec<AxisSpec>;

/// Says whether a bench has this case.
pub type FilterFn = fn(&CaseValues) -> bool;

/// Runs the body of a bench for one case.
pub type RunFn = fn(&mut Bencher<'_>, &CaseValues) -> Result<(), Error>;

/// One function under `#[energy_bench]`.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The function's name, or the attribute's `name`.
    pub name: &'static str,
    /// The attribute's `group`.
    pub group: Option<&'static str>,
    /// The module that the function is in.
    pub module: &'static str,
    /// Where the attribute stands.
    pub place: SourceLocation,
    /// First line of the function's documentation.
    pub description: Option<&'static str>,
    /// What the attribute asks of the measurement.
    pub attributes: Attributes,
    /// Makes the axes.
    pub axes: AxesFn,
    /// Leaves cases out.
    pub filter: Option<FilterFn>,
    /// Runs the function.
    pub run: RunFn,
}

inventory::collect!(Entry);

impl Entry {
    /// A bench without axes that asks for nothing, at the place this is called from.
    #[must_use = "an entry is found only where it is submitted"]
    #[track_caller]
    pub const fn new(name: &'static str, module: &'static str, run: RunFn) -> Self {
        Self {
            name,
            group: None,
            module,
            place: SourceLocation::here(),
            description: None,
            attributes: Attributes {
                cycles: None,
                windows: None,
                gap: None,
                tags: &[],
                ignore: None,
                isolate: false,
                processes: None,
            },
            axes: Vec::new,
            filter: None,
            run,
        }
    }

    /// Puts the bench in a group.
    #[must_use = "the entry is returned, not changed in place"]
    pub const fn group(mut self, group: &'static str) -> Self {
        self.group = Some(group);
        self
    }

    /// Describes the bench, in one line.
    #[must_use = "the entry is returned, not changed in place"]
    pub const fn description(mut self, description: &'static str) -> Self {
        self.description = Some(description);
        self
    }

    /// Runs the bench over these axes.
    #[must_use = "the entry is returned, not changed in place"]
    pub const fn axes(mut self, axes: AxesFn) -> Self {
        self.axes = axes;
        self
    }

    /// Leaves out the cases for which this is false.
    #[must_use = "the entry is returned, not changed in place"]
    pub const fn filter(mut self, filter: FilterFn) -> Self {
        self.filter = Some(filter);
        self
    }

    /// Asks for a number of cycles.
    #[must_use = "the entry is returned, not changed in place"]
    pub const fn cycles(mut self, cycles: u32) -> Self {
        self.attributes.cycles = Some(cycles);
        self
    }

    /// Asks for a number of windows in a cycle.
    #[must_use = "the entry is returned, not changed in place"]
    pub const fn windows(mut self, windows: u32) -> Self {
        self.attributes.windows = Some(windows);
        self
    }

    /// Asks for a rest between two cycles, in nanoseconds.
    #[must_use = "the entry is returned, not changed in place"]
    pub const fn gap_nanos(mut self, nanos: u64) -> Self {
        self.attributes.gap = Some(Duration::from_nanos(nanos));
        self
    }

    /// Tags the bench.
    #[must_use = "the entry is returned, not changed in place"]
    pub const fn tags(mut self, tags: &'static [&'static str]) -> Self {
        self.attributes.tags = tags;
        self
    }

    /// Leaves the bench out unless it is asked for.
    #[must_use = "the entry is returned, not changed in place"]
    pub const fn ignore(mut self) -> Self {
        self.attributes.ignore = Some(Ignored { reason: None });
        self
    }

    /// Leaves the bench out unless it is asked for, and says why.
    #[must_use = "the entry is returned, not changed in place"]
    pub const fn ignore_because(mut self, reason: &'static str) -> Self {
        self.attributes.ignore = Some(Ignored { reason: Some(reason) });
        self
    }

    /// Measures the bench by several processes side by side.
    #[must_use = "the entry is returned, not changed in place"]
    pub const fn processes(mut self, n: u32) -> Self {
        self.attributes.processes = Some(n);
        self
    }

    /// Measures the bench in a process of its own.
    #[must_use = "the entry is returned, not changed in place"]
    pub const fn isolate(mut self) -> Self {
        self.attributes.isolate = true;
        self
    }
}

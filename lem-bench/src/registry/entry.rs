//! The constant that the attribute registers for a bench.

use std::time::Duration;

use super::{Attributes, AxisSpec, Ignored, SourceLocation};
use crate::bench::{Bencher, CaseValues, Error};

/// Returns the axes of a bench, in the order of its parameters.
pub type AxesFn = fn() -> Vec<AxisSpec>;

/// Returns whether a bench has this case.
pub type FilterFn = fn(&CaseValues) -> bool;

/// Runs the body of a bench for one case.
pub type RunFn = fn(&mut Bencher<'_>, &CaseValues) -> Result<(), Error>;

/// A function with `#[energy_bench]`.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Name of the function, or `name` of the attribute.
    pub name: &'static str,
    /// `group` of the attribute.
    pub group: Option<&'static str>,
    /// Module of the function.
    pub module: &'static str,
    /// Location of the attribute.
    pub place: SourceLocation,
    /// First line of the documentation of the function.
    pub description: Option<&'static str>,
    /// Measurement settings of the attribute.
    pub attributes: Attributes,
    /// Returns the axes.
    pub axes: AxesFn,
    /// Filter of the cases.
    pub filter: Option<FilterFn>,
    /// Runs the function.
    pub run: RunFn,
}

inventory::collect!(Entry);

impl Entry {
    /// Creates an entry without axes and settings. Its location is that of the caller.
    #[must_use = "an entry has no effect until it is submitted"]
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

    /// Sets the group.
    #[must_use = "returns the changed entry"]
    pub const fn group(mut self, group: &'static str) -> Self {
        self.group = Some(group);
        self
    }

    /// Sets the description, one line.
    #[must_use = "returns the changed entry"]
    pub const fn description(mut self, description: &'static str) -> Self {
        self.description = Some(description);
        self
    }

    /// Sets the axes.
    #[must_use = "returns the changed entry"]
    pub const fn axes(mut self, axes: AxesFn) -> Self {
        self.axes = axes;
        self
    }

    /// Excludes the cases for which `filter` returns false.
    #[must_use = "returns the changed entry"]
    pub const fn filter(mut self, filter: FilterFn) -> Self {
        self.filter = Some(filter);
        self
    }

    /// Sets the number of cycles.
    #[must_use = "returns the changed entry"]
    pub const fn cycles(mut self, cycles: u32) -> Self {
        self.attributes.cycles = Some(cycles);
        self
    }

    /// Sets the number of windows per cycle.
    #[must_use = "returns the changed entry"]
    pub const fn windows(mut self, windows: u32) -> Self {
        self.attributes.windows = Some(windows);
        self
    }

    /// Sets the rest between cycles, in nanoseconds.
    #[must_use = "returns the changed entry"]
    pub const fn gap_nanos(mut self, nanos: u64) -> Self {
        self.attributes.gap = Some(Duration::from_nanos(nanos));
        self
    }

    /// Sets the tags.
    #[must_use = "returns the changed entry"]
    pub const fn tags(mut self, tags: &'static [&'static str]) -> Self {
        self.attributes.tags = tags;
        self
    }

    /// Runs the bench only with `--ignored` or `--include-ignored`.
    #[must_use = "returns the changed entry"]
    pub const fn ignore(mut self) -> Self {
        self.attributes.ignore = Some(Ignored { reason: None });
        self
    }

    /// As [`ignore`](Self::ignore), with a reason.
    #[must_use = "returns the changed entry"]
    pub const fn ignore_because(mut self, reason: &'static str) -> Self {
        self.attributes.ignore = Some(Ignored { reason: Some(reason) });
        self
    }

    /// Runs the bench in `n` parallel processes.
    #[must_use = "returns the changed entry"]
    pub const fn processes(mut self, n: u32) -> Self {
        self.attributes.processes = Some(n);
        self
    }

    /// Runs the bench in its own process.
    #[must_use = "returns the changed entry"]
    pub const fn isolate(mut self) -> Self {
        self.attributes.isolate = true;
        self
    }
}

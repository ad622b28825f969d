//! Definitions of benches, before they are expanded to cases; and the entries that the macro registers.

use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use crate::bench::{AxisValue, Bencher, BodyResult, CaseValues, Error};

/// Measurement settings of a bench. `None` means that flags and defaults decide.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attributes {
    /// Number of cycles; at least 2.
    pub cycles: Option<u32>,
    /// Number of windows in a cycle; at least 1.
    pub windows: Option<u32>,
    /// Rest between cycles.
    pub gap: Option<Duration>,
    /// Tags.
    pub tags: &'static [&'static str],
    /// Set if the bench runs only with `--ignored` or `--include-ignored`.
    pub ignore: Option<Ignored>,
    /// Whether the bench always runs in its own process.
    pub isolate: bool,
    /// Number of processes that run the bench in parallel; at least 2.
    pub processes: Option<u32>,
    /// Whether the body may call `iter…` more than once. It is then run once before it is measured.
    pub may_repeat_iter: bool,
}

/// Marks a bench that runs only with `--ignored` or `--include-ignored`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ignored {
    /// The reason given in the attribute.
    pub reason: Option<&'static str>,
}

/// The source location of a bench. Displayed as `benches/llama.rs:12`, ordered by file, line and column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct SourceLocation {
    /// The path that the compiler got; under cargo, relative to the workspace root.
    pub file: &'static str,
    /// The line, starting at 1.
    pub line: u32,
    /// The column, starting at 1.
    pub column: u32,
}

impl SourceLocation {
    /// Returns the location of the caller.
    #[track_caller]
    pub const fn here() -> Self {
        let caller = Location::caller();
        Self { file: caller.file(), line: caller.line(), column: caller.column() }
    }
}

impl fmt::Display for SourceLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// A parameter axis of a bench, with type-erased values.
#[derive(Clone, Debug)]
pub struct AxisSpec {
    name: &'static str,
    type_name: &'static str,
    values: Vec<AxisValue>,
    parse: fn(&str) -> Result<AxisValue, String>,
}

impl AxisSpec {
    /// Creates an axis. `parse` parses a value from the command line, or returns an error message.
    pub fn new(
        name: &'static str,
        type_name: &'static str,
        values: Vec<AxisValue>,
        parse: fn(&str) -> Result<AxisValue, String>,
    ) -> Self {
        Self { name, type_name, values, parse }
    }

    /// Returns the name, which is that of the parameter.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Returns the type of the values, for messages.
    pub fn type_name(&self) -> &'static str {
        self.type_name
    }

    /// Returns the values, in order.
    pub fn values(&self) -> &[AxisValue] {
        &self.values
    }

    /// Parses a value of this axis.
    ///
    /// # Errors
    /// Returns a message that says which values are valid.
    pub fn parse(&self, text: &str) -> Result<AxisValue, String> {
        (self.parse)(text)
    }

    /// Replaces the values.
    pub(super) fn set_values(&mut self, values: Vec<AxisValue>) {
        self.values = values;
    }
}

/// Runs the body of a bench for one case. Can be called from any thread.
pub type RunBody = Arc<dyn Fn(&mut Bencher<'_>, &CaseValues) -> Result<(), Error> + Send + Sync>;

/// Returns whether a bench has this case.
pub type FilterBody = Arc<dyn Fn(&CaseValues) -> bool + Send + Sync>;

/// A bench, before its expansion to cases.
#[derive(Clone)]
#[non_exhaustive]
pub struct BenchDefinition {
    /// Name.
    pub name: String,
    /// Group.
    pub group: Option<String>,
    /// Module of the function; `None` if the bench was added with [`BenchDefinition::from_fn`].
    pub module: Option<&'static str>,
    /// Module path in the id, such as `llama::fused`; `None` at the root of the bench target.
    pub path: Option<&'static str>,
    /// Source location.
    pub place: SourceLocation,
    /// Description, one line.
    pub description: Option<String>,
    /// Measurement settings.
    pub attributes: Attributes,
    /// Axes, in the order of the parameters.
    pub axes: Vec<AxisSpec>,
    /// Filter of the cases.
    pub filter: Option<FilterBody>,
    /// Body.
    pub run: RunBody,
}

impl BenchDefinition {
    /// Creates a bench from a closure. Its location is that of the caller.
    ///
    /// ```
    /// use lem_bench::__private::registry::BenchDefinition;
    ///
    /// let bench = BenchDefinition::from_fn("decode", |_b| {});
    /// assert_eq!(bench.name, "decode");
    /// assert!(bench.place.line > 0);
    /// ```
    #[track_caller]
    pub fn from_fn<F, R>(name: impl Into<String>, body: F) -> Self
    where
        F: Fn(&mut Bencher<'_>) -> R + Send + Sync + 'static,
        R: BodyResult,
    {
        Self {
            name: name.into(),
            group: None,
            module: None,
            path: None,
            place: SourceLocation::here(),
            description: None,
            attributes: Attributes::default(),
            axes: Vec::new(),
            filter: None,
            run: Arc::new(move |bencher, _| body(bencher).into_result()),
        }
    }
}

impl fmt::Debug for BenchDefinition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BenchDefinition")
            .field("name", &self.name)
            .field("group", &self.group)
            .field("place", &self.place)
            .field("attributes", &self.attributes)
            .field("axes", &self.axes)
            .finish_non_exhaustive()
    }
}

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
    /// Whether the function is in the crate of the executable, and not in a library.
    pub in_executable: bool,
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
            in_executable: false,
            place: SourceLocation::here(),
            description: None,
            attributes: Attributes {
                cycles: None,
                windows: None,
                gap: None,
                tags: &[],
                ignore: None,
                isolate: false,
                may_repeat_iter: false,
                processes: None,
            },
            axes: Vec::new,
            filter: None,
            run,
        }
    }

    /// Sets whether the function is in the crate of the executable.
    #[must_use = "returns the changed entry"]
    pub const fn in_executable(mut self, in_executable: bool) -> Self {
        self.in_executable = in_executable;
        self
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

    /// Runs the body once before it is measured, since it may call `iter…` more than once.
    #[must_use = "returns the changed entry"]
    pub const fn may_repeat_iter(mut self) -> Self {
        self.attributes.may_repeat_iter = true;
        self
    }

    /// Runs the bench in its own process.
    #[must_use = "returns the changed entry"]
    pub const fn isolate(mut self) -> Self {
        self.attributes.isolate = true;
        self
    }
}

/// Evaluates the expressions of the axes in the attribute.
impl From<&Entry> for BenchDefinition {
    fn from(entry: &Entry) -> Self {
        // The name of the executable's own crate is left out.
        let below_root = entry.module.split_once("::").map(|(_, path)| path);
        Self {
            name: entry.name.to_owned(),
            group: entry.group.map(str::to_owned),
            module: Some(entry.module),
            path: if entry.in_executable { below_root } else { Some(entry.module) },
            place: entry.place,
            description: entry.description.map(str::to_owned),
            attributes: entry.attributes,
            axes: (entry.axes)(),
            filter: entry.filter.map(|filter| Arc::new(filter) as FilterBody),
            run: Arc::new(entry.run),
        }
    }
}

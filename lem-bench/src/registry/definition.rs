//! Definitions of benches, before they are expanded to cases.

use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use super::Entry;
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
    /// use lem_bench::registry::BenchDefinition;
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
            place: SourceLocation::here(),
            description: None,
            attributes: Attributes::default(),
            axes: Vec::new(),
            filter: None,
            run: Arc::new(move |bencher, _| body(bencher).into_result()),
        }
    }
}

/// Evaluates the expressions of the axes in the attribute.
impl From<&Entry> for BenchDefinition {
    fn from(entry: &Entry) -> Self {
        Self {
            name: entry.name.to_owned(),
            group: entry.group.map(str::to_owned),
            module: Some(entry.module),
            place: entry.place,
            description: entry.description.map(str::to_owned),
            attributes: entry.attributes,
            axes: (entry.axes)(),
            filter: entry.filter.map(|filter| Arc::new(filter) as FilterBody),
            run: Arc::new(entry.run),
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

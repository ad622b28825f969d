//! A bench that is known to this process, from the attribute or by hand.
//!
//! Must not know the other benches.

use std::fmt;
use std::sync::Arc;

use super::{Attributes, AxisSpec, Entry, SourceLocation};
use crate::bench::{Bencher, BodyResult, CaseValues, Error};

/// Runs the body of a bench for one case, from any thread.
pub type RunBody = Arc<dyn Fn(&mut Bencher<'_>, &CaseValues) -> Result<(), Error> + Send + Sync>;

/// Says whether a bench has this case.
pub type FilterBody = Arc<dyn Fn(&CaseValues) -> bool + Send + Sync>;

/// A bench, before it is expanded into cases.
#[derive(Clone)]
pub struct BenchDefinition {
    /// What the bench is called.
    pub name: String,
    /// The group it is in.
    pub group: Option<String>,
    /// The module it is defined in; `None` if it was added by hand.
    pub module: Option<&'static str>,
    /// Where it is defined.
    pub place: SourceLocation,
    /// What it measures, in one line.
    pub description: Option<String>,
    /// What it asks of its measurement.
    pub attributes: Attributes,
    /// Its axes, in the order of its parameters.
    pub axes: Vec<AxisSpec>,
    /// Leaves cases out.
    pub filter: Option<FilterBody>,
    /// Runs its body.
    pub run: RunBody,
}

impl BenchDefinition {
    /// A bench that is a closure, defined where this is called.
    ///
    /// ```
    /// use lem_bench::registry::Registered;
    ///
    /// let bench = Registered::by_hand("decode", |_b| {});
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

/// Evaluates the bench's axes: the expressions in its attribute run here.
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
        f.debug_struct("Registered")
            .field("name", &self.name)
            .field("group", &self.group)
            .field("place", &self.place)
            .field("attributes", &self.attributes)
            .field("axes", &self.axes)
            .finish_non_exhaustive()
    }
}

//! Registered benches and their cases: entries of the attribute, definitions without it, axes, ids, order and selection.

pub(crate) mod case;
pub(crate) mod collect;
mod definition;
mod entry;
pub(crate) mod error;

pub(crate) use case::Case;
pub(crate) use collect::{IgnoredMode, Registry, Selected, Selection};
pub use definition::{Attributes, AxisSpec, BenchDefinition, FilterBody, Ignored, RunBody, SourceLocation};
pub use entry::{AxesFn, Entry, FilterFn, RunFn};
pub(crate) use error::{BadValue, RegistryError};

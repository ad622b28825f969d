//! Registered benches and their cases: entries of the attribute, definitions without it, axes, ids, order and selection.

mod case;
mod collect;
mod definition;
mod entry;
mod error;

pub use case::Case;
pub use collect::{IgnoredMode, Selected, Selection};
pub use collect::{Registry, collect};
pub use definition::{Attributes, AxisSpec, BenchDefinition, FilterBody, Ignored, RunBody, SourceLocation};
pub use entry::{AxesFn, Entry, FilterFn, RunFn};
pub use error::{BadValue, RegistryError};

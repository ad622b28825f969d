//! Registered benches and their cases: entries of the attribute, definitions without it, axes, ids, order and selection.

mod case;
mod collect;
mod definition;

pub use case::Case;
pub use case::{BadValue, RegistryError};
pub use collect::{IgnoredMode, Registry, Selected, Selection, collect};
pub use definition::{Attributes, AxisSpec, BenchDefinition, Entry, RunBody, SourceLocation};

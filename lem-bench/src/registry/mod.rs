//! Registered benches and their cases: entries of the attribute, definitions without it, axes, ids, order and selection.

mod case;
mod collect;
mod definition;
mod error;

pub use case::Case;
pub use collect::{IgnoredMode, Registry, Selected, Selection, collect};
pub use definition::{Attributes, AxisSpec, BenchDefinition, Entry, RunBody, SourceLocation};
pub use error::{BadValue, RegistryError};

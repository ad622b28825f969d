//! Which benches there are, and the cases they expand to: entries from the attribute or by hand, axes, ids, a stable
//! order, filters, duplicates.
//!
//! Must not know how a case is run.

mod attributes;
mod axis_spec;
mod case;
mod collect;
mod entry;
mod error;
mod expand;
mod id;
mod place;
mod registered;
mod selection;

pub use attributes::{Attributes, Ignored};
pub use axis_spec::AxisSpec;
pub use case::Case;
pub use collect::{Registry, collect};
pub use entry::{AxesFn, Entry, FilterFn, RunFn};
pub use error::{BadValue, RegistryError};
pub use place::SourceLocation;
pub use registered::{BenchDefinition, FilterBody, RunBody};
pub use selection::{IgnoredMode, Selected, Selection};

//! Where in the source something stands.

use std::fmt;
use std::panic::Location;

/// Where in the source a bench is defined; shown as `benches/llama.rs:12`, ordered by file, line and column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceLocation {
    /// The file, as the compiler was given it (relative to the workspace root, under cargo).
    pub file: &'static str,
    /// The line, counted from 1.
    pub line: u32,
    /// The column, counted from 1.
    pub column: u32,
}

impl SourceLocation {
    /// The place this is called from.
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

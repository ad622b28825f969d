//! The table of formats in which a comparison can be had for programs and pull requests.
//!
//! Must not know what any of them looks like. Its page is made by `html`.

use super::{junit, markdown};
use crate::analysis::compare::Comparison;
use crate::report::export::{ExportError, pretty};

/// A format in which a comparison can be had.
#[derive(Debug, Clone, Copy)]
pub struct ComparisonFormat {
    /// Its name on the command line, that of the same format of a run.
    pub name: &'static str,
    /// Other names for it.
    pub aliases: &'static [&'static str],
    /// The name of its file.
    pub file: &'static str,
    /// Who reads it.
    pub about: &'static str,
    make: fn(&Comparison) -> Result<String, ExportError>,
}

/// The comparison as it is, which every run that is compared writes.
pub const COMPARISON_JSON: ComparisonFormat = ComparisonFormat {
    name: "json",
    aliases: &[],
    file: "comparison.json",
    about: "everything, by the schema of `cargo lem schema comparison`",
    make: |compared| pretty(compared),
};

/// All formats.
pub const COMPARISON_FORMATS: &[ComparisonFormat] = &[
    COMPARISON_JSON,
    ComparisonFormat {
        name: "markdown",
        aliases: &["md"],
        file: "comparison.md",
        about: "for a step summary or a comment on a pull request",
        make: |compared| Ok(markdown(compared)),
    },
    ComparisonFormat {
        name: "junit",
        aliases: &["xml"],
        file: "comparison.xml",
        about: "a test case a bench: regressed fails, what can't be told is skipped, what can't be compared is an error",
        make: |compared| Ok(junit::suite(compared)),
    },
];

impl ComparisonFormat {
    /// The format of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        COMPARISON_FORMATS.iter().find(|format| format.name == name || format.aliases.contains(&name))
    }

    /// The comparison in this format.
    ///
    /// # Errors
    /// [`ExportError::Json`] when it can't be put into JSON, a fault of this library.
    pub fn render(&self, compared: &Comparison) -> Result<String, ExportError> {
        (self.make)(compared)
    }
}

//! Errors of bench definitions and of axis values on the command line.

use super::SourceLocation;

/// An invalid bench definition or axis value. The message names the location and the remedy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// A bench has an empty name.
    #[error("the bench at {place} has an empty name: set a `name`")]
    NoName {
        /// Source location.
        place: SourceLocation,
    },
    /// Two benches have the same id.
    #[error("two benches have the id `{id}`, at {first} and at {second}: set a different `name` or `group`")]
    DuplicateId {
        /// The id.
        id: String,
        /// Location of the first bench.
        first: SourceLocation,
        /// Location of the second bench.
        second: SourceLocation,
    },
    /// Two values of an axis have the same label.
    #[error(
        "axis `{axis}` of bench `{bench}` ({place}) has two values with the label `{label}`: remove one, or change a label"
    )]
    DuplicateLabel {
        /// The bench.
        bench: String,
        /// The axis.
        axis: String,
        /// The label.
        label: String,
        /// Source location.
        place: SourceLocation,
    },
    /// An axis of a bench has no values.
    #[error("axis `{axis}` of bench `{bench}` ({place}) has no values, so the bench would never run: add a value")]
    NoValues {
        /// The bench.
        bench: String,
        /// Source location.
        place: SourceLocation,
        /// The axis.
        axis: String,
    },
    /// The command line contains no values for an axis.
    #[error("no values for axis `{axis}`: write `{axis}=VALUE,VALUE`")]
    EmptyOverride {
        /// The axis.
        axis: String,
    },
    /// The filter of a bench excludes all its cases.
    #[error("the filter of bench `{bench}` ({place}) excludes all its cases, so the bench would never run")]
    NothingKept {
        /// The bench.
        bench: String,
        /// Source location.
        place: SourceLocation,
    },
    /// No bench has the axis.
    #[error("no bench has an axis `{axis}`: {}", known_axes(known))]
    UnknownAxis {
        /// The axis.
        axis: String,
        /// All axes, sorted.
        known: Vec<String>,
    },
    /// A text is not a valid value of an axis.
    #[error(transparent)]
    BadValue(Box<BadValue>),
}

/// A text that is not a valid value of an axis.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a valid value of axis `{axis}` (`{type_name}`) of bench `{bench}` ({place}): {reason}")]
pub struct BadValue {
    /// The axis.
    pub axis: String,
    /// The text.
    pub text: String,
    /// Type of the values.
    pub type_name: &'static str,
    /// Which values are valid.
    pub reason: String,
    /// The bench.
    pub bench: String,
    /// Source location.
    pub place: SourceLocation,
}

fn known_axes(known: &[String]) -> String {
    if known.is_empty() {
        "the benches of this binary have no axes".to_owned()
    } else {
        format!("the axes are {}", known.join(", "))
    }
}

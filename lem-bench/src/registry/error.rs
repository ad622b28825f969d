//! What can be wrong with the benches of a binary, or with the axes asked for.
//!
//! Must not know how it is printed or which exit code it takes.

use std::fmt;

use super::SourceLocation;

/// What is wrong with the benches of this binary, or with the axes asked for. Each text says where and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RegistryError {
    /// A bench has an empty name.
    NoName {
        /// Where it is defined.
        place: SourceLocation,
    },
    /// Two benches have one id.
    DuplicateId {
        /// The id.
        id: String,
        /// Where the first is defined.
        first: SourceLocation,
        /// Where the second is defined.
        second: SourceLocation,
    },
    /// Two values of one axis have one label.
    DuplicateLabel {
        /// The bench.
        bench: String,
        /// The axis.
        axis: String,
        /// The label.
        label: String,
        /// Where the bench is defined.
        place: SourceLocation,
    },
    /// An axis has no values.
    NoValues {
        /// The bench; `None` if the axis was emptied on the command line.
        bench: Option<(String, SourceLocation)>,
        /// The axis.
        axis: String,
    },
    /// A bench's own filter leaves none of its own cases.
    NothingKept {
        /// The bench.
        bench: String,
        /// Where it is defined.
        place: SourceLocation,
    },
    /// No bench has the axis that values were given for.
    UnknownAxis {
        /// The axis asked for.
        axis: String,
        /// The axes there are, sorted.
        known: Vec<String>,
    },
    /// A text is no value of an axis.
    BadValue(Box<BadValue>),
}

/// A text that is no value of an axis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadValue {
    /// The axis.
    pub axis: String,
    /// The text.
    pub text: String,
    /// The type of the axis' values.
    pub type_name: &'static str,
    /// Why, or what would be a value.
    pub reason: String,
    /// The bench.
    pub bench: String,
    /// Where it is defined.
    pub place: SourceLocation,
}

impl fmt::Display for RegistryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoName { place } => write!(f, "the bench at {place} has an empty name: give it one"),
            Self::DuplicateId { id, first, second } => {
                write!(
                    f,
                    "two benches have the id `{id}`, at {first} and at {second}: set a `name` or a `group` for one"
                )
            }
            Self::DuplicateLabel { bench, axis, label, place } => write!(
                f,
                "axis `{axis}` of bench `{bench}` ({place}) has two values labelled `{label}`: \
                 leave one out, or tell their labels apart"
            ),
            Self::NoValues { bench: Some((bench, place)), axis } => {
                write!(
                    f,
                    "axis `{axis}` of bench `{bench}` ({place}) has no values, so it would never run: give it one"
                )
            }
            Self::NoValues { bench: None, axis } => {
                write!(f, "no values are given for axis `{axis}`: write `{axis}=VALUE,VALUE`")
            }
            Self::NothingKept { bench, place } => {
                write!(
                    f,
                    "the filter of bench `{bench}` ({place}) leaves none of its cases, so the bench would never run"
                )
            }
            Self::UnknownAxis { axis, known } if known.is_empty() => {
                write!(f, "no bench has an axis `{axis}`: the benches of this binary have no axes")
            }
            Self::UnknownAxis { axis, known } => {
                write!(f, "no bench has an axis `{axis}`: the axes are {}", known.join(", "))
            }
            Self::BadValue(bad) => {
                let BadValue { axis, text, type_name, reason, bench, place } = &**bad;
                write!(
                    f,
                    "`{text}` is no value for axis `{axis}` (`{type_name}`) of bench `{bench}` ({place}): {reason}"
                )
            }
        }
    }
}

impl std::error::Error for RegistryError {}

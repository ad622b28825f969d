//! Expansion of a bench to its cases, their ids, and the errors of a registry.

use std::fmt::{self, Write as _};

use super::{Attributes, BenchDefinition, RunBody, SourceLocation};
use crate::bench::{AxisValue, Bencher, CaseValues, Error};
use crate::model::is_invisible;

/// A bench with one value of each parameter.
#[derive(Clone)]
pub struct Case {
    /// Unique id, such as `llama/fused::decode/batch=4/dtype=bf16`. It contains no line breaks.
    pub id: String,
    /// Name of the bench.
    pub name: String,
    /// Group of the bench.
    pub group: Option<String>,
    /// Module of the function; `None` if the bench was added without the attribute.
    pub module: Option<&'static str>,
    /// Description, one line.
    pub description: Option<String>,
    /// Axis and unescaped label of each parameter, in the order of the parameters.
    pub params: Vec<(String, String)>,
    /// Measurement settings.
    pub attributes: Attributes,
    /// Source location.
    pub place: SourceLocation,
    values: CaseValues,
    run: RunBody,
}

impl Case {
    /// Runs the body with the values of this case.
    ///
    /// # Errors
    /// Returns the error of the body.
    pub fn run(&self, bencher: &mut Bencher<'_>) -> Result<(), Error> {
        (self.run)(bencher, &self.values)
    }
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Case").field("id", &self.id).field("place", &self.place).finish_non_exhaustive()
    }
}

/// Returns the cases of a bench. The last axis varies fastest.
///
/// # Errors
/// The bench has no name, an axis without values, or two values with the same label.
pub(super) fn expand(bench: &BenchDefinition) -> Result<Vec<Case>, RegistryError> {
    check_definition(bench)?;
    let values = combinations(bench).into_iter().map(CaseValues::new);
    let kept = values.filter(|values| bench.filter.as_ref().is_none_or(|filter| filter(values)));
    Ok(kept.map(|values| case(bench, values)).collect())
}

fn check_definition(bench: &BenchDefinition) -> Result<(), RegistryError> {
    if bench.name.is_empty() {
        return Err(RegistryError::NoName { place: bench.place });
    }
    for axis in &bench.axes {
        if axis.values().is_empty() {
            return Err(RegistryError::NoValues {
                bench: bench.name.clone(),
                place: bench.place,
                axis: axis.name().to_owned(),
            });
        }
        for (index, value) in axis.values().iter().enumerate() {
            if axis.values()[..index].iter().any(|earlier| earlier.label() == value.label()) {
                return Err(RegistryError::DuplicateLabel {
                    bench: bench.name.clone(),
                    axis: axis.name().to_owned(),
                    label: value.label().to_owned(),
                    place: bench.place,
                });
            }
        }
    }
    Ok(())
}

/// Returns all combinations of the values; a single empty combination without axes.
fn combinations(bench: &BenchDefinition) -> Vec<Vec<(String, AxisValue)>> {
    bench.axes.iter().fold(vec![Vec::new()], |combinations, axis| {
        combinations
            .iter()
            .flat_map(|combination| {
                axis.values().iter().map(move |value| {
                    let mut combination = combination.clone();
                    combination.push((axis.name().to_owned(), value.clone()));
                    combination
                })
            })
            .collect()
    })
}

fn case(bench: &BenchDefinition, values: CaseValues) -> Case {
    Case {
        id: id(bench.group.as_deref(), bench.path, &bench.name, values.params()),
        name: bench.name.clone(),
        group: bench.group.clone(),
        module: bench.module,
        description: bench.description.clone(),
        params: values.params().map(|(axis, label)| (axis.to_owned(), label.to_owned())).collect(),
        attributes: bench.attributes,
        place: bench.place,
        values,
        run: bench.run.clone(),
    }
}

/// Returns the id of a case: `group/path::name/axis=label/axis=label`.
///
/// A `/` in a group or name is kept, as in `llama/7b`; in a label it becomes `%2F`.
fn id<'a>(
    group: Option<&str>,
    path: Option<&str>,
    name: &str,
    params: impl Iterator<Item = (&'a str, &'a str)>,
) -> String {
    let mut id = String::new();
    if let Some(group) = group {
        escape(group, |c| c == '/', &mut id);
        id.push('/');
    }
    if let Some(path) = path {
        id.push_str(path);
        id.push_str("::");
    }
    escape(name, |c| c == '/', &mut id);
    for (axis, label) in params {
        id.push('/');
        id.push_str(axis);
        id.push('=');
        escape(label, |_| false, &mut id);
    }
    id
}

/// Appends `text`, and escapes line breaks, invisible characters, outer spaces and a leading `-` as `%XX` (UTF-8 bytes).
///
/// `%` is escaped too, so that different texts have different ids.
fn escape(text: &str, keep: fn(char) -> bool, id: &mut String) {
    let last = text.chars().count().saturating_sub(1);
    for (index, c) in text.chars().enumerate() {
        let plain = match c {
            '/' => keep(c),
            '%' => false,
            // `--exact` could not select a bench with the name `--list`.
            '-' => !id.is_empty(),
            ' ' => index != 0 && index != last,
            _ => !(c.is_control() || c.is_whitespace() || is_invisible(c)),
        };
        if plain {
            id.push(c);
        } else {
            for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                // Writing to a `String` cannot fail.
                let _ = write!(id, "%{byte:02X}");
            }
        }
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    fn id_of_label(label: &str) -> String {
        id(None, None, "b", [("x", label)].into_iter())
    }

    #[test]
    fn joins_group_name_and_parameters() {
        let params = [("batch", "4"), ("dtype", "bf16")];
        assert_eq!(id(None, None, "decode", params.into_iter()), "decode/batch=4/dtype=bf16");
        assert_eq!(id(Some("llama/7b"), None, "decode", params.into_iter()), "llama/7b/decode/batch=4/dtype=bf16");
        assert_eq!(id(None, None, "decode", std::iter::empty()), "decode");
        assert_eq!(id(None, Some("fused::f16"), "decode", params.into_iter()), "fused::f16::decode/batch=4/dtype=bf16");
        assert_eq!(id(Some("llama"), Some("fused"), "decode", std::iter::empty()), "llama/fused::decode");
    }

    #[test]
    fn escapes_labels() {
        assert_eq!(id_of_label("org/model"), "b/x=org%2Fmodel");
        assert_eq!(id_of_label("a\nb\t\u{1b}[0m\u{7f}"), "b/x=a%0Ab%09%1B[0m%7F");
        assert_eq!(id_of_label("a\u{2028}b\u{202e}c"), "b/x=a%E2%80%A8b%E2%80%AEc");
        assert_eq!(id_of_label("two words: benchmark"), "b/x=two words: benchmark");
        assert_eq!(id_of_label(" padded "), "b/x=%20padded%20");
        assert_eq!(id_of_label(" "), "b/x=%20");
        assert_eq!(id_of_label("größe=-1"), "b/x=größe=-1");
        assert_eq!(id_of_label(""), "b/x=");
    }

    #[test]
    fn escapes_leading_dash() {
        assert_eq!(id(None, None, "--list", std::iter::empty()), "%2D-list");
        assert_eq!(id(Some("-g"), None, "-n", std::iter::empty()), "%2Dg/-n");
    }

    #[test]
    fn escapes_without_collisions() {
        let labels = ["/", "%2F", "%252F", "\n", "%0A", " ", "%20", "", "%", "%%"];
        let ids: std::collections::BTreeSet<_> = labels.iter().map(|label| id_of_label(label)).collect();
        assert_eq!(ids.len(), labels.len());
    }
}

//! Parameter values: how they are labelled and parsed, and the values of one case. Also interns the names of units and
//! phases.

use std::any::{Any, type_name};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use serde::de::{self, Deserialize, Deserializer};

use super::Error;

/// A parameter type of a bench.
///
/// Implemented for integers, `f32`, `f64`, `bool`, `String` and `&'static str`. Other types can be parameters if they
/// implement `Debug`: the label is then the `Debug` text, and `--axis` does not accept their values.
///
/// ```
/// use lem_bench::Axis;
///
/// #[derive(Clone, Copy, Debug, PartialEq)]
/// enum Quantisation {
///     Q4,
///     Q8,
/// }
///
/// impl Axis for Quantisation {
///     fn label(&self) -> String {
///         format!("{self:?}").to_lowercase()
///     }
///
///     fn parse(text: &str) -> Result<Self, String> {
///         match text {
///             "q4" => Ok(Self::Q4),
///             "q8" => Ok(Self::Q8),
///             _ => Err("use q4 or q8".to_owned()),
///         }
///     }
/// }
///
/// assert_eq!(Quantisation::parse(&Quantisation::Q8.label()), Ok(Quantisation::Q8));
/// ```
pub trait Axis: Clone + Send + Sync + 'static {
    /// Returns the text of the value in ids, in tables and on the command line: `4` in `decode/batch=4`.
    ///
    /// Values of one axis must have different labels.
    fn label(&self) -> String;

    /// Parses a value from the command line (`--axis batch=4`). Accepts all texts that [`label`](Axis::label) returns.
    ///
    /// # Errors
    /// Returns a message that says which values are valid.
    fn parse(text: &str) -> Result<Self, String>;
}

macro_rules! integers {
    ($($type:ty),*) => {$(
        impl Axis for $type {
            fn label(&self) -> String {
                self.to_string()
            }

            fn parse(text: &str) -> Result<Self, String> {
                text.parse().map_err(|_| format!("use a whole number from {} to {}", <$type>::MIN, <$type>::MAX))
            }
        }
    )*};
}

integers!(u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize);

macro_rules! floats {
    ($($type:ty),*) => {$(
        impl Axis for $type {
            /// Returns the shortest text that parses to the same number. `Debug` uses an exponent where `Display` prints
            /// hundreds of digits.
            fn label(&self) -> String {
                format!("{self:?}")
            }

            fn parse(text: &str) -> Result<Self, String> {
                text.parse().map_err(|_| "use a number such as 0.7".to_owned())
            }
        }
    )*};
}

floats!(f32, f64);

impl Axis for bool {
    fn label(&self) -> String {
        self.to_string()
    }

    fn parse(text: &str) -> Result<Self, String> {
        text.parse().map_err(|_| "use true or false".to_owned())
    }
}

impl Axis for String {
    fn label(&self) -> String {
        self.clone()
    }

    fn parse(text: &str) -> Result<Self, String> {
        Ok(text.to_owned())
    }
}

impl Axis for &'static str {
    fn label(&self) -> String {
        (*self).to_owned()
    }

    /// Leaks the text. It is needed until the process exits, and the number of texts is that of command line arguments.
    fn parse(text: &str) -> Result<Self, String> {
        Ok(Box::leak(text.to_owned().into_boxed_str()))
    }
}

/// A type-erased value of an axis, with its label.
#[derive(Clone)]
pub struct AxisValue {
    label: String,
    value: Arc<dyn Any + Send + Sync>,
}

impl AxisValue {
    /// Creates a value with its label.
    pub fn new<T: Send + Sync + 'static>(label: impl Into<String>, value: T) -> Self {
        Self { label: label.into(), value: Arc::new(value) }
    }

    /// Returns the label.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Returns the value, if it has this type.
    pub fn get<T: 'static>(&self) -> Option<&T> {
        self.value.downcast_ref()
    }
}

impl fmt::Debug for AxisValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AxisValue").field(&self.label).finish()
    }
}

/// The values of one case, in the order of the bench's parameters.
#[derive(Clone, Debug, Default)]
pub struct CaseValues {
    values: Vec<(String, AxisValue)>,
}

impl CaseValues {
    /// Creates the values of a case, each with the name of its axis.
    pub fn new(values: Vec<(String, AxisValue)>) -> Self {
        Self { values }
    }

    /// Returns the value of the parameter at `index`, counted from 0 after the bencher.
    ///
    /// # Errors
    /// There is no such parameter, or it has another type.
    pub fn get<T: 'static>(&self, index: usize) -> Result<&T, Error> {
        let (axis, value) = self
            .values
            .get(index)
            .ok_or_else(|| Error::msg(format!("this case has {} values, not {}", self.values.len(), index + 1)))?;
        value.get().ok_or_else(|| {
            Error::msg(format!("the value `{}` of axis `{axis}` is not a `{}`", value.label(), type_name::<T>()))
        })
    }

    /// Returns axis name and label of each value, in the order of the bench's parameters.
    pub fn params(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values.iter().map(|(axis, value)| (axis.as_str(), value.label()))
    }
}

// Interned names.

/// Maximum number of interned names: limits the leaked memory if a body generates names.
const MAX_NAMES: usize = 4096;

/// A type alias, because serde treats a plain `&str` field as borrowed from the input.
pub(super) type Name = &'static str;

static KNOWN_NAMES: Mutex<BTreeSet<Name>> = Mutex::new(BTreeSet::new());

/// Returns the name as a `&'static str`, one for each distinct text.
fn intern<E: de::Error>(text: &str) -> Result<Name, E> {
    let mut known = KNOWN_NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(name) = known.get(text) {
        return Ok(name);
    }
    if known.len() == MAX_NAMES {
        return Err(E::custom(format_args!("more than {MAX_NAMES} names of units and phases")));
    }
    let name: Name = Box::leak(text.to_owned().into_boxed_str());
    known.insert(name);
    Ok(name)
}

pub(super) fn intern_name<'de, D: Deserializer<'de>>(from: D) -> Result<Name, D::Error> {
    intern(&Cow::<str>::deserialize(from)?)
}

pub(super) fn intern_counts<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<(Name, u64)>, D::Error> {
    Vec::<(Cow<'_, str>, u64)>::deserialize(from)?.iter().map(|(name, n)| Ok((intern(name)?, *n))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Debug;

    fn assert_round_trip<T: Axis + PartialEq + Debug>(value: T, label: &str) {
        assert_eq!(value.label(), label);
        assert_eq!(T::parse(label), Ok(value));
    }

    #[test]
    fn parses_own_labels() {
        assert_round_trip(4_usize, "4");
        assert_round_trip(-1_i8, "-1");
        assert_round_trip(u128::MAX, "340282366920938463463374607431768211455");
        assert_round_trip(0.1_f32, "0.1");
        assert_round_trip(1.0_f64, "1.0");
        assert_round_trip(1e300_f64, "1e300");
        assert_round_trip(-0.0_f64, "-0.0");
        assert_round_trip(true, "true");
        assert_round_trip("a b".to_owned(), "a b");
        assert_round_trip("bf16", "bf16");
    }

    #[test]
    fn rejects_invalid_values() {
        assert_eq!(u8::parse("256").unwrap_err(), "use a whole number from 0 to 255");
        assert_eq!(f64::parse("hot").unwrap_err(), "use a number such as 0.7");
        assert_eq!(bool::parse("yes").unwrap_err(), "use true or false");
    }

    #[test]
    fn checks_type_of_value() {
        let case = CaseValues::new(vec![
            ("batch".to_owned(), AxisValue::new("4", 4_usize)),
            ("dtype".to_owned(), AxisValue::new("bf16", "bf16")),
        ]);
        assert_eq!(case.get::<usize>(0).unwrap(), &4);
        assert_eq!(case.get::<&'static str>(1).unwrap(), &"bf16");
        assert_eq!(case.get::<u8>(0).unwrap_err().to_string(), "the value `4` of axis `batch` is not a `u8`");
        assert_eq!(case.get::<u8>(2).unwrap_err().to_string(), "this case has 2 values, not 3");
        assert_eq!(case.params().collect::<Vec<_>>(), [("batch", "4"), ("dtype", "bf16")]);
    }
}

//! Converts the values of a case to arguments, and selects label and parser of a parameter type: those of `Axis`, else the
//! label of `Debug`, else a compile error.
//!
//! The expansion calls `(&&&Kind::<T>::NEW).__lem_bench_codec()` with the traits below in scope. Method resolution removes
//! one reference at a time, and so prefers `Axis` over `Debug` without specialization.

use std::any::type_name;
use std::fmt::Debug;
use std::marker::PhantomData;

use crate::bench::{Axis, AxisValue, BodyResult, CaseValues, Error};
use crate::registry::AxisSpec;

/// Placeholder of a parameter type for method resolution.
pub struct Kind<T>(PhantomData<fn() -> T>);

impl<T> Kind<T> {
    /// The placeholder value.
    pub const NEW: Self = Self(PhantomData);
}

/// Label and parser of a type.
pub struct Codec<T> {
    label: fn(&T) -> String,
    parse: fn(&str) -> Result<AxisValue, String>,
}

/// Result for a type without a label.
pub struct Unlabelled<T>(PhantomData<fn() -> T>);

/// First choice: `Axis`.
pub trait ViaAxis<T> {
    /// Returns the codec of an [`Axis`].
    fn __lem_bench_codec(&self) -> Codec<T>;
}

impl<T: Axis> ViaAxis<T> for &&Kind<T> {
    fn __lem_bench_codec(&self) -> Codec<T> {
        Codec { label: T::label, parse: |text| T::parse(text).map(|value| AxisValue::new(value.label(), value)) }
    }
}

/// Second choice: a label from `Debug`, without a parser.
pub trait ViaDebug<T> {
    /// Returns the codec of a `Debug` type.
    fn __lem_bench_codec(&self) -> Codec<T>;
}

impl<T: Debug + Send + Sync + 'static> ViaDebug<T> for &Kind<T> {
    fn __lem_bench_codec(&self) -> Codec<T> {
        Codec {
            label: |value| format!("{value:?}"),
            parse: |_| {
                Err(format!(
                    "values of `{}` cannot be set on the command line: implement `lem_bench::Axis` for it",
                    type_name::<T>()
                ))
            },
        }
    }
}

/// Last choice: a compile error.
pub trait ViaNothing<T> {
    /// Returns a value that does not implement [`IntoCodec`].
    fn __lem_bench_codec(&self) -> Unlabelled<T>;
}

impl<T> ViaNothing<T> for Kind<T> {
    fn __lem_bench_codec(&self) -> Unlabelled<T> {
        Unlabelled(PhantomData)
    }
}

/// Implemented by [`Codec`] only; its diagnostic reports types without a label.
#[diagnostic::on_unimplemented(
    message = "`{T}` cannot be a parameter of a bench: its values have no label",
    label = "needs `Debug + Send + Sync + 'static`, or `lem_bench::Axis`",
    note = "add `#[derive(Clone, Debug)]`, or implement `lem_bench::Axis` to choose the label and allow `--axis`"
)]
pub trait IntoCodec<T> {
    /// Returns the codec.
    fn into_codec(self) -> Codec<T>;
}

impl<T> IntoCodec<T> for Codec<T> {
    fn into_codec(self) -> Self {
        self
    }
}

/// Creates an axis from its name and values.
pub fn axis<T, I>(name: &'static str, codec: impl IntoCodec<T>, values: I) -> AxisSpec
where
    T: Send + Sync + 'static,
    I: IntoIterator,
    I::Item: IntoArg<T>,
{
    let codec = codec.into_codec();
    let values = values
        .into_iter()
        .map(|value| {
            let value = value.into_value();
            AxisValue::new((codec.label)(&value), value)
        })
        .collect();
    AxisSpec::new(name, type_name::<T>(), values, codec.parse)
}

/// A value in `args` or `grid`: of the parameter type, a reference to it (`args = SIZES` with `const SIZES: &[usize]`),
/// or a `&str` for a `String`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a value for a parameter of type `{T}`",
    label = "gives `{Self}`, but the parameter is `{T}`"
)]
pub trait IntoArg<T> {
    /// Converts to the parameter type.
    fn into_value(self) -> T;
}

impl<T> IntoArg<T> for T {
    fn into_value(self) -> T {
        self
    }
}

impl<T: Clone> IntoArg<T> for &T {
    fn into_value(self) -> T {
        self.clone()
    }
}

impl IntoArg<String> for &str {
    fn into_value(self) -> String {
        self.to_owned()
    }
}

/// A type that a bench can take by reference.
#[diagnostic::on_unimplemented(
    message = "a bench cannot take a `&{Self}`",
    label = "use a reference to `str`, a slice, or a sized type"
)]
pub trait ByRef {
    /// Type of the stored value.
    type Stored: Send + Sync + 'static;

    /// Returns the argument.
    fn from_stored(stored: &Self::Stored) -> &Self;
}

impl<T: Send + Sync + 'static> ByRef for T {
    type Stored = T;

    fn from_stored(stored: &T) -> &T {
        stored
    }
}

impl ByRef for str {
    type Stored = &'static str;

    fn from_stored(stored: &&'static str) -> &'static str {
        stored
    }
}

impl<T: Sync + 'static> ByRef for [T] {
    type Stored = &'static [T];

    fn from_stored(stored: &&'static [T]) -> &'static [T] {
        stored
    }
}

/// Returns the argument of a by-value parameter.
///
/// # Panics
/// The case has no such value. This is a bug in the macro.
pub fn by_value<T: Clone + 'static>(case: &CaseValues, index: usize) -> T {
    value::<T>(case, index).clone()
}

/// Returns the argument of a by-reference parameter.
///
/// # Panics
/// See [`by_value`].
pub fn by_ref<T: ByRef + ?Sized>(case: &CaseValues, index: usize) -> &T {
    T::from_stored(value(case, index))
}

fn value<T: 'static>(case: &CaseValues, index: usize) -> &T {
    case.get(index).unwrap_or_else(|error| panic!("bug in `#[energy_bench]`: {error}"))
}

/// The converted return value of a bench function.
pub type BenchReturn = Result<(), Error>;

/// Converts the return value of a bench function.
///
/// # Errors
/// Returns the error of the bench.
pub fn finish(returned: impl BodyResult) -> BenchReturn {
    returned.into_result()
}

//! Conversion of case values to function arguments, and of the return value.

use crate::bench::{BodyResult, CaseValues, Error};

/// A value in `args` or `grid`: of the parameter type, a reference to it (`args = SIZES` with `const SIZES: &[usize]`), or a
/// `&str` for a `String`.
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
    message = "a bench can't take a `&{Self}`",
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

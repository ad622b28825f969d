//! How the values of a case become the arguments of a bench function, and what comes back.
//!
//! Must not know how values are labelled.

use crate::bench::{BodyResult, CaseValues, Error};

/// A value in `args` or `grid`, as given: of the parameter's type, a reference to one (`args = SIZES` with
/// `const SIZES: &[usize]`), or a text for a `String`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a value for a parameter of type `{T}`",
    label = "gives `{Self}`, but the parameter is `{T}`"
)]
pub trait IntoArg<T> {
    /// The value in the parameter's type.
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

/// A type that a bench may take by reference, and what is kept for it.
#[diagnostic::on_unimplemented(
    message = "a bench can't take a `&{Self}`",
    label = "use a `&` of `str`, of a slice, or of a type that has a size"
)]
pub trait ByRef {
    /// What the axis holds.
    type Stored: Send + Sync + 'static;

    /// The argument, out of what the axis holds.
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

/// The argument of a parameter that is taken by value.
///
/// # Panics
/// The case has no such value; only a mistake in the macro can bring that about, which writes both sides.
pub fn by_value<T: Clone + 'static>(case: &CaseValues, index: usize) -> T {
    value::<T>(case, index).clone()
}

/// The argument of a parameter that is taken by reference.
///
/// # Panics
/// As [`by_value`].
pub fn by_ref<T: ByRef + ?Sized>(case: &CaseValues, index: usize) -> &T {
    T::from_stored(value(case, index))
}

fn value<T: 'static>(case: &CaseValues, index: usize) -> &T {
    case.get(index).unwrap_or_else(|error| panic!("a mistake in `#[energy_bench]`: {error}"))
}

/// What a bench function returned, in the form it is recorded in.
pub type BenchReturn = Result<(), Error>;

/// What the bench function returned, in the form it is recorded in.
///
/// # Errors
/// The error that the bench returned.
pub fn finish(returned: impl BodyResult) -> BenchReturn {
    returned.into_result()
}

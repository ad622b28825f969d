//! What a bench function may return.
//!
//! Must not know what happens to a failed bench.

use std::fmt::Display;

use super::Error;

/// What a bench function returns: nothing, or `Result<(), E>` of an error that can be shown.
///
/// An error's text is taken by `{:#}`: with its causes, for errors that show them so. [`Error`] always does.
#[diagnostic::on_unimplemented(
    message = "a bench can't return `{Self}`",
    label = "a bench returns `()` or `Result<(), E>` where `E: Display`",
    note = "the work that was done is told to the bencher (`b.iter(..)`, `request.tokens(..)`), not returned",
    note = "`Result<(), lem_bench::Error>` takes every error by `?`"
)]
pub trait BodyResult {
    /// The outcome, with the error in the form it is recorded in.
    ///
    /// # Errors
    /// The error that the bench returned.
    fn into_result(self) -> Result<(), Error>;
}

impl BodyResult for () {
    fn into_result(self) -> Result<(), Error> {
        Ok(())
    }
}

impl<E: Display> BodyResult for Result<(), E> {
    fn into_result(self) -> Result<(), Error> {
        self.map_err(|error| Error::msg(format!("{error:#}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt;

    #[test]
    fn an_error_with_an_alternate_form_keeps_its_causes() {
        struct Chained;
        impl Display for Chained {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(if f.alternate() { "open: no such file" } else { "open" })
            }
        }
        assert_eq!(Err::<(), _>(Chained).into_result().unwrap_err().to_string(), "open: no such file");
    }

    #[test]
    fn nothing_and_ok_are_no_error() {
        assert!(().into_result().is_ok());
        assert!(Ok::<(), String>(()).into_result().is_ok());
    }
}

//! The result of a bench body, and the error type that a body can return.

use std::error::Error as StdError;
use std::fmt::{self, Display};

/// An error of a bench body, with its causes.
///
/// `?` converts every [`std::error::Error`], and [`Error::msg`] creates one from a text. `Display` prints the chain on one
/// line, outermost first: `could not open the model: config.json: No such file or directory (os error 2)`.
///
/// It does not implement [`std::error::Error`] itself, because the conversion from every error would then conflict with the
/// conversion from itself.
///
/// ```
/// fn layers(text: &str) -> Result<u32, lem_bench::Error> {
///     if text.is_empty() {
///         return Err(lem_bench::Error::msg("the model has no layers"));
///     }
///     Ok(text.parse::<u32>()?)
/// }
///
/// assert_eq!(layers("22").unwrap(), 22);
/// assert_eq!(layers("").unwrap_err().to_string(), "the model has no layers");
/// assert_eq!(
///     layers("many").unwrap_err().context("config.json").to_string(),
///     "config.json: invalid digit found in string",
/// );
/// ```
pub struct Error {
    /// Outermost last.
    contexts: Vec<String>,
    root: Root,
}

enum Root {
    Text(String),
    Error(Box<dyn StdError + Send + Sync>),
}

impl Error {
    /// Creates an error from a text.
    pub fn msg(text: impl Into<String>) -> Self {
        Self { contexts: Vec::new(), root: Root::Text(text.into()) }
    }

    /// Adds a description of the failed operation in front of the error.
    #[must_use = "returns the error with its context"]
    pub fn context(mut self, text: impl Into<String>) -> Self {
        self.contexts.push(text.into());
        self
    }

    /// Returns the texts of the chain, outermost first.
    ///
    /// A cause is omitted if the text of its error already ends with it.
    pub fn chain(&self) -> Vec<String> {
        let mut texts: Vec<String> = self.contexts.iter().rev().cloned().collect();
        match &self.root {
            Root::Text(text) => texts.push(text.clone()),
            Root::Error(error) => {
                texts.push(error.to_string());
                let mut cause = error.source();
                while let Some(error) = cause {
                    let text = error.to_string();
                    if !texts.last().is_some_and(|last| last.ends_with(&text)) {
                        texts.push(text);
                    }
                    cause = error.source();
                }
            }
        }
        texts
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.chain().join(": "))
    }
}

/// Prints the same text as [`Display`](fmt::Display), because `unwrap` and `main` print `Debug`.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<E: StdError + Send + Sync + 'static> From<E> for Error {
    fn from(error: E) -> Self {
        Self { contexts: Vec::new(), root: Root::Error(Box::new(error)) }
    }
}

/// The return type of a bench function: `()`, or `Result<(), E>` with a displayable error.
///
/// The error is formatted with `{:#}`, which includes the causes for [`Error`] and for error types such as `anyhow::Error`.
#[diagnostic::on_unimplemented(
    message = "a bench cannot return `{Self}`",
    label = "a bench returns `()` or `Result<(), E>` where `E: Display`",
    note = "report work through the bencher (`b.iter(..)`, `request.tokens(..)`) instead of returning it",
    note = "`Result<(), lem_bench::Error>` accepts every error through `?`"
)]
pub trait BodyResult {
    /// Converts the return value.
    ///
    /// # Errors
    /// Returns the error of the bench.
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

    #[derive(Debug)]
    struct Layer {
        text: &'static str,
        source: Option<Box<Layer>>,
    }

    impl fmt::Display for Layer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.text)
        }
    }

    impl StdError for Layer {
        fn source(&self) -> Option<&(dyn StdError + 'static)> {
            self.source.as_deref().map(|layer| layer as _)
        }
    }

    fn layers(texts: &[&'static str]) -> Option<Box<Layer>> {
        let (first, rest) = texts.split_first()?;
        Some(Box::new(Layer { text: first, source: layers(rest) }))
    }

    #[test]
    fn displays_chain_on_one_line() {
        let error = Error::from(*layers(&["open", "read", "no such file"]).unwrap());
        assert_eq!(error.to_string(), "open: read: no such file");
        assert_eq!(format!("{error:?}"), "open: read: no such file");
        assert_eq!(error.context("model").context("bench").to_string(), "bench: model: open: read: no such file");
    }

    #[test]
    fn omits_repeated_cause() {
        let error = Error::from(*layers(&["open: no such file", "no such file", "os error 2"]).unwrap());
        assert_eq!(error.chain(), ["open: no such file", "os error 2"]);
    }

    #[test]
    fn is_send_and_sync() {
        fn crosses<T: Send + Sync + 'static>() {}
        crosses::<Error>();
    }

    #[test]
    fn keeps_causes_of_alternate_format() {
        struct Chained;
        impl Display for Chained {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(if f.alternate() { "open: no such file" } else { "open" })
            }
        }
        assert_eq!(Err::<(), _>(Chained).into_result().unwrap_err().to_string(), "open: no such file");
    }

    #[test]
    fn accepts_unit_and_ok() {
        assert!(().into_result().is_ok());
        assert!(Ok::<(), String>(()).into_result().is_ok());
    }
}

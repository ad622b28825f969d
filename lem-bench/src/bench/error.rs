//! The error a bench body can return: any error with its causes, or a plain text.
//!
//! Must not know what happens to a failed bench.

use std::error::Error as StdError;
use std::fmt;

/// An error of a bench body, kept with its causes.
///
/// Every [`std::error::Error`] turns into one by `?`; a text does by [`Error::msg`]. Shown, it is the whole chain on
/// one line, outermost first: `could not open the model: config.json: No such file or directory (os error 2)`.
///
/// It does not implement [`std::error::Error`] itself: the conversion from every error would then overlap with the
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
    /// Outermost last, as [`Error::context`] adds them.
    contexts: Vec<String>,
    root: Root,
}

enum Root {
    Text(String),
    Error(Box<dyn StdError + Send + Sync>),
}

impl Error {
    /// An error that is a text.
    pub fn msg(text: impl Into<String>) -> Self {
        Self { contexts: Vec::new(), root: Root::Text(text.into()) }
    }

    /// The same error, with what was being done in front of it.
    #[must_use = "the error is returned with its context, not changed in place"]
    pub fn context(mut self, text: impl Into<String>) -> Self {
        self.contexts.push(text.into());
        self
    }

    /// The texts of the chain, outermost first.
    ///
    /// Many errors already end in the text of their cause; such a cause is left out, so that nothing is said twice.
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

/// The same text as [`Display`](fmt::Display): `unwrap` and `main` show it to people.
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
    fn the_whole_chain_is_shown_on_one_line() {
        let error = Error::from(*layers(&["open", "read", "no such file"]).unwrap());
        assert_eq!(error.to_string(), "open: read: no such file");
        assert_eq!(format!("{error:?}"), "open: read: no such file");
        assert_eq!(error.context("model").context("bench").to_string(), "bench: model: open: read: no such file");
    }

    #[test]
    fn a_cause_that_its_error_already_shows_is_not_repeated() {
        let error = Error::from(*layers(&["open: no such file", "no such file", "os error 2"]).unwrap());
        assert_eq!(error.chain(), ["open: no such file", "os error 2"]);
    }

    #[test]
    fn an_error_crosses_threads() {
        fn crosses<T: Send + Sync + 'static>() {}
        crosses::<Error>();
    }
}

//! The type of an export format, and why an export can fail.

use crate::analysis::Summary;

/// A file format for results.
#[derive(Debug)]
pub struct FileFormat<T: 'static> {
    /// Its name on the command line.
    pub name: &'static str,
    /// Other names that the command line accepts.
    pub aliases: &'static [&'static str],
    /// The name of its file.
    pub file: &'static str,
    /// What it contains and which programs read it.
    pub about: &'static str,
    pub(in crate::report) content: Content<T>,
}

/// How many results a file can hold, and the function that formats them.
#[derive(Debug)]
pub(in crate::report) enum Content<T: 'static> {
    /// One result: the format has no place for the name of another.
    One(fn(&T) -> Result<String, ExportError>),
    /// Any number of results.
    Many(fn(&[T]) -> Result<String, ExportError>),
}

/// A format for the summaries of runs.
pub type Format = FileFormat<Summary>;

impl<T> FileFormat<T> {
    /// Returns the format with this name or alias.
    pub(in crate::report) fn find(formats: &'static [Self], name: &str) -> Option<&'static Self> {
        formats.iter().find(|format| format.name == name || format.aliases.contains(&name))
    }

    /// Formats results.
    pub(in crate::report) fn format(&self, results: &[T]) -> Result<String, ExportError> {
        match (&self.content, results) {
            (Content::Many(format), results) => format(results),
            (Content::One(format), [result]) => format(result),
            (Content::One(_), results) => Err(ExportError::OneRun { format: self.name, runs: results.len() }),
        }
    }
}

/// Why results cannot be exported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// A file of this format holds one run only.
    #[error("a file of format `{format}` holds one run, but {runs} runs were given")]
    OneRun {
        /// The format's name.
        format: &'static str,
        /// The number of runs that were given.
        runs: usize,
    },
    /// The results cannot be serialized. This is a bug in this library.
    #[error("cannot serialize the results to JSON: {source}")]
    Json {
        /// The error of the serializer.
        source: serde_json::Error,
    },
}

/// Serializes a value to JSON without white space, and a line feed.
pub(in crate::report) fn to_json_line(value: &impl serde::Serialize) -> Result<String, ExportError> {
    let mut text = serde_json::to_string(value).map_err(|source| ExportError::Json { source })?;
    text.push('\n');
    Ok(text)
}

/// Serializes a value to indented JSON.
pub(in crate::report) fn to_pretty_json(value: &impl serde::Serialize) -> Result<String, ExportError> {
    let mut text = serde_json::to_string_pretty(value).map_err(|source| ExportError::Json { source })?;
    text.push('\n');
    Ok(text)
}

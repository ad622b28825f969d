//! The errors of scenario files, with file, line and key.

use std::path::{Path, PathBuf};

/// Why a scenario cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScenarioError {
    /// The file could not be read.
    #[error("scenario {} cannot be read: {why}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// The system's error.
        why: String,
    },
    /// The text is not a scenario: it is not JSON, has an unknown key, or a value has the wrong type.
    #[error("{}, line {line}, column {column}: {why}", source_name(file.as_deref()))]
    Malformed {
        /// The file, if the text came from one.
        file: Option<PathBuf>,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What is wrong there, with the key.
        why: String,
    },
    /// The value of a key cannot be simulated.
    #[error(
        "{}{}: `{key}` {why}",
        source_name(file.as_deref()),
        line.map_or_else(String::new, |line| format!(", line {line}"))
    )]
    Invalid {
        /// The file, if the scenario came from one.
        file: Option<PathBuf>,
        /// The line of the key, if the key occurs only once in the text.
        line: Option<usize>,
        /// The path of the key, such as `devices[1].tau_s`.
        key: String,
        /// What is wrong, and what would be valid.
        why: String,
    },
}

fn source_name(file: Option<&Path>) -> String {
    file.map_or_else(|| "scenario".to_owned(), |file| format!("scenario {}", file.display()))
}

impl ScenarioError {
    /// Converts a JSON error.
    pub(super) fn malformed(error: &serde_json::Error) -> Self {
        let (line, column) = (error.line(), error.column());
        let text = error.to_string();
        let why = text.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&text).to_owned();
        Self::Malformed { file: None, line, column, why }
    }

    /// Adds the file that the text was read from.
    pub(super) fn in_file(mut self, path: &Path) -> Self {
        if let Self::Malformed { file, .. } | Self::Invalid { file, .. } = &mut self {
            *file = Some(path.to_owned());
        }
        self
    }

    /// Adds the line of the key, if `text` contains the key only once.
    pub(super) fn located_in(mut self, text: &str) -> Self {
        if let Self::Invalid { line, key, .. } = &mut self {
            let name = key.rsplit('.').next().unwrap_or(key).split('[').next().unwrap_or(key);
            let quoted = format!("\"{name}\"");
            let mut lines = text.lines().enumerate().filter(|(_, line)| line.contains(&quoted));
            if let (Some((index, _)), None) = (lines.next(), lines.next()) {
                *line = Some(index + 1);
            }
        }
        self
    }
}

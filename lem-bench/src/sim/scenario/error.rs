//! What is wrong with a scenario, in words that name the file, the line and the key.

use std::path::{Path, PathBuf};

/// Why a scenario cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ScenarioError {
    /// The file could not be read.
    Unreadable {
        /// The file asked for.
        file: PathBuf,
        /// What the system said.
        why: String,
    },
    /// The text is not a scenario: not JSON, an unknown key, or a value of the wrong type.
    Malformed {
        /// The file, where the text came from one.
        file: Option<PathBuf>,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What is wrong there; names the key.
        why: String,
    },
    /// A key has a value with which nothing can be simulated.
    Invalid {
        /// The file, where the scenario came from one.
        file: Option<PathBuf>,
        /// The line of the key, where it is found in the text for certain.
        line: Option<usize>,
        /// The path of the key, such as `devices[1].tau_s`.
        key: String,
        /// What is wrong, and what would be right.
        why: String,
    },
}

impl ScenarioError {
    pub(super) fn malformed(error: &serde_json::Error) -> Self {
        let (line, column) = (error.line(), error.column());
        let text = error.to_string();
        let why = text.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&text).to_owned();
        Self::Malformed { file: None, line, column, why }
    }

    /// The same error, of a text that was read from `path`.
    pub(super) fn in_file(mut self, path: &Path) -> Self {
        if let Self::Malformed { file, .. } | Self::Invalid { file, .. } = &mut self {
            *file = Some(path.to_owned());
        }
        self
    }

    /// The same error, with the line of its key where `text` has that key once.
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

impl std::fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("scenario")?;
        if let Self::Unreadable { file, .. }
        | Self::Malformed { file: Some(file), .. }
        | Self::Invalid { file: Some(file), .. } = self
        {
            write!(f, " {}", file.display())?;
        }
        match self {
            Self::Unreadable { why, .. } => write!(f, " cannot be read: {why}"),
            Self::Malformed { line, column, why, .. } => write!(f, ", line {line}, column {column}: {why}"),
            Self::Invalid { line: Some(line), key, why, .. } => write!(f, ", line {line}: `{key}` {why}"),
            Self::Invalid { line: None, key, why, .. } => write!(f, ": `{key}` {why}"),
        }
    }
}

impl std::error::Error for ScenarioError {}

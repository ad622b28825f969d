//! How a harness binary ends: exit statuses with their codes, and the error that ends it early.

use std::process::ExitCode;

use crate::store::StoreError;

/// How a harness binary ends. Ordered by severity: where several apply, the greatest is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) enum ExitStatus {
    /// 0: done.
    #[default]
    Done,
    /// 3: a bench regressed, and a gate was requested.
    Regressed,
    /// 4: a measurement is invalid, no meter satisfies `--meter`, or another run is measuring and `--no-wait` is set.
    Invalid,
    /// 101: a bench failed.
    BenchFailed,
    /// 130: interrupted; everything measured before is saved.
    Interrupted,
    /// 5: no bench matches the filter, or none is registered.
    NoMatch,
    /// 2: a mistake in the command line, the environment or `lem-bench.toml`.
    Usage,
    /// 1: the system refused: results can't be written, the lock can't be taken, a thread can't be started.
    Machine,
}

impl ExitStatus {
    /// All statuses.
    pub const ALL: [Self; 8] = [
        Self::Done,
        Self::Regressed,
        Self::Invalid,
        Self::BenchFailed,
        Self::Interrupted,
        Self::NoMatch,
        Self::Usage,
        Self::Machine,
    ];

    /// Returns the exit code of the process.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Machine => 1,
            Self::Usage => 2,
            Self::Regressed => 3,
            Self::Invalid => 4,
            Self::NoMatch => 5,
            Self::BenchFailed => 101,
            Self::Interrupted => 130,
        }
    }
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status.code())
    }
}

/// Why a harness binary ends early. The message names the problem and the remedy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(super) enum HarnessError {
    /// A mistake in the command line, the environment, `lem-bench.toml` or the benches.
    Usage { message: String },
    /// No bench or no result matches.
    NoMatch { message: String },
    /// A measurement is not possible or not valid.
    Invalid { message: String },
    /// The system refused something.
    Machine { message: String },
    /// Processes that were started for the run ended with this status.
    Processes { status: ExitStatus, message: String },
}

impl HarnessError {
    pub fn usage(message: impl Into<String>) -> Self {
        Self::Usage { message: message.into() }
    }

    pub fn no_match(message: impl Into<String>) -> Self {
        Self::NoMatch { message: message.into() }
    }

    pub fn invalid(message: impl Into<String>) -> Self {
        Self::Invalid { message: message.into() }
    }

    pub fn machine(message: impl Into<String>) -> Self {
        Self::Machine { message: message.into() }
    }

    /// Returns the status that the process ends with.
    pub fn status(&self) -> ExitStatus {
        match self {
            Self::Usage { .. } => ExitStatus::Usage,
            Self::NoMatch { .. } => ExitStatus::NoMatch,
            Self::Invalid { .. } => ExitStatus::Invalid,
            Self::Machine { .. } => ExitStatus::Machine,
            Self::Processes { status, .. } => *status,
        }
    }

    /// Returns the same error with `text` appended to its message.
    pub fn append(mut self, text: &str) -> Self {
        let (Self::Usage { message }
        | Self::NoMatch { message }
        | Self::Invalid { message }
        | Self::Machine { message }
        | Self::Processes { message, .. }) = &mut self;
        message.push_str(text);
        self
    }
}

impl From<StoreError> for HarnessError {
    fn from(error: StoreError) -> Self {
        let remedy = error.remedy().map(|remedy| format!("; {remedy}")).unwrap_or_default();
        Self::machine(format!("{error}{remedy}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_severe_status_wins() {
        use ExitStatus::{BenchFailed, Done, Invalid, Regressed};

        let worst = |statuses: &[ExitStatus]| statuses.iter().max().map(|status| status.code());
        assert_eq!(worst(&[Done, BenchFailed, Invalid]), Some(101));
        assert_eq!(worst(&[Regressed, Invalid]), Some(4));
        assert_eq!(worst(&[Done, Regressed]), Some(3));
    }

    #[test]
    fn appended_text_keeps_the_status() {
        let error = HarnessError::usage("no such run").append("; see above");
        assert_eq!((error.status(), error.to_string().as_str()), (ExitStatus::Usage, "no such run; see above"));
    }
}

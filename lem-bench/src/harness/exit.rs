//! How a harness binary ends: each exit code, what it means, and which one wins.
//!
//! Must not know what happened, nor exit by itself.

use std::process::ExitCode;

/// The end of a harness binary. Ordered: of several that hold, the greatest is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) enum ExitStatus {
    /// 0: done.
    #[default]
    Done,
    /// 3: a bench regressed, and a gate was asked for.
    Regressed,
    /// 4: a measurement is invalid, there is no meter that satisfies `--meter`, or another run measures and `--no-wait`
    /// was said.
    Invalid,
    /// 101: a bench failed.
    BenchFailed,
    /// 130: it was interrupted; what was measured until then is kept.
    Interrupted,
    /// 5: nothing matched the filter, or nothing was registered.
    NoMatch,
    /// 2: the command line, the environment or `lem-bench.toml` asks for something that can't be.
    Usage,
    /// 1: the machine did not let us: results can't be written, the lock can't be used, a thread can't be started.
    Machine,
}

impl ExitStatus {
    /// All ends there are.
    pub(super) const ALL: [Self; 8] = [
        Self::Done,
        Self::Regressed,
        Self::Invalid,
        Self::BenchFailed,
        Self::Interrupted,
        Self::NoMatch,
        Self::Usage,
        Self::Machine,
    ];

    /// The code that the process ends with.
    pub(super) fn code(self) -> u8 {
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
    fn from(exit: ExitStatus) -> Self {
        Self::from(exit.code())
    }
}

/// Why a harness binary stopped before it was done, and what a person can do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HarnessError {
    pub(super) exit: ExitStatus,
    pub(super) message: String,
}

impl HarnessError {
    pub(super) fn usage(message: impl Into<String>) -> Self {
        Self { exit: ExitStatus::Usage, message: message.into() }
    }

    pub(super) fn machine(message: impl Into<String>) -> Self {
        Self { exit: ExitStatus::Machine, message: message.into() }
    }

    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self { exit: ExitStatus::Invalid, message: message.into() }
    }

    pub(super) fn no_match(message: impl Into<String>) -> Self {
        Self { exit: ExitStatus::NoMatch, message: message.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_bench_is_told_before_an_invalid_measurement_and_that_before_a_regression() {
        assert_eq!(
            [ExitStatus::Done, ExitStatus::BenchFailed, ExitStatus::Invalid].into_iter().max().map(ExitStatus::code),
            Some(101)
        );
        assert_eq!([ExitStatus::Regressed, ExitStatus::Invalid].into_iter().max().map(ExitStatus::code), Some(4));
        assert_eq!([ExitStatus::Done, ExitStatus::Regressed].into_iter().max().map(ExitStatus::code), Some(3));
    }
}

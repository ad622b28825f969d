//! What a call is about: list, test or measure.
//!
//! Must not do any of it.

use super::config::Config;

/// What a call is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// The benches are listed.
    List,
    /// Each body runs once.
    Test,
    /// The benches are measured.
    Bench,
}

/// Whether a binary measures when nobody says `--bench`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DefaultMode {
    /// It is one of cargo's bench targets: cargo says `--bench` when it should measure.
    BenchTarget,
    /// It is started by hand, by `mpirun`, by `srun`, which say nothing.
    ByHand,
}

impl Mode {
    /// The mode of a call.
    pub(super) fn of(config: &Config, habit: DefaultMode) -> Self {
        if config.list {
            Self::List
        } else if config.test {
            Self::Test
        } else if config.bench || config.dry_run || habit == DefaultMode::ByHand {
            Self::Bench
        } else {
            Self::Test
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_says_bench_and_nobody_else_does() {
        let of = |list, test, bench, habit| Mode::of(&Config { list, test, bench, ..Config::default() }, habit);
        use DefaultMode::{BenchTarget, ByHand};
        assert_eq!(of(false, false, false, BenchTarget), Mode::Test);
        assert_eq!(of(false, false, false, ByHand), Mode::Bench);
        for habit in [BenchTarget, ByHand] {
            assert_eq!(of(false, false, true, habit), Mode::Bench);
            assert_eq!(of(false, true, true, habit), Mode::Test);
            assert_eq!(of(true, true, true, habit), Mode::List);
        }
    }
}

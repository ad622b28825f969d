//! The configuration of one call in types, after all layers are merged.

use std::path::PathBuf;
use std::time::Duration;

use crate::analysis::Options;
use crate::analysis::compare::{CompareOptions, GateRules};
use crate::meter::{MeterChoice, OpenOptions};
use crate::model::Order;
use crate::plan::Shard;
use crate::protocol::{Overrides, Profile};
use crate::registry::{IgnoredMode, Selection};
use crate::store::DEFAULT_SAMPLE_MIB;

/// What a call does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// List the benches.
    List,
    /// Run each body once.
    Test,
    /// Measure the benches.
    Bench,
}

/// What a binary does without `--bench`, `--test` and `--list`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DefaultMode {
    /// Test: one of cargo's bench targets. `cargo bench` passes `--bench`, `cargo test` does not.
    Test,
    /// Measure: started by hand, `mpirun` or `srun`, which pass no flag.
    Bench,
}

/// Format of lists and results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Format {
    /// Text for people.
    #[default]
    Pretty,
    /// Short text; test runners read lists in this form.
    Terse,
    /// libtest's JSON lines for lists and tests, the summary for measurements.
    Json,
}

/// Format of results in bench mode, with criterion's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum OutputFormat {
    /// Tables for people.
    #[default]
    Criterion,
    /// libtest's bench lines, with the time per request.
    Bencher,
    /// The summary.
    Json,
}

/// When to use colors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What to do when no bench matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum NoMatch {
    /// Exit with code 5.
    #[default]
    Fail,
    /// Print a warning.
    Warn,
}

/// Which interrupted run to resume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Resume {
    /// The newest run of this target.
    Newest,
    /// The run with this id.
    Run(String),
}

/// What results are compared with, and how they are judged.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Comparing {
    /// Name to save the result under.
    pub save: Option<String>,
    /// Baseline to compare with; it must exist.
    pub baseline: Option<String>,
    /// Baseline to compare with, if it exists.
    pub lenient: Option<String>,
    /// Baseline to use in place of a new measurement.
    pub load: Option<String>,
    pub options: CompareOptions,
    pub gate: GateRules,
}

/// The values of all options.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Config {
    // Mode.
    pub list: bool,
    pub test: bool,
    pub bench: bool,
    pub dry_run: bool,
    pub print_settings: bool,
    pub doctor: bool,
    pub open_page: bool,
    // Selection.
    pub filters: Vec<String>,
    pub skip: Vec<String>,
    pub exact: bool,
    pub ignored: bool,
    pub include_ignored: bool,
    pub axes: Vec<(String, Vec<String>)>,
    pub no_match: NoMatch,
    pub order: Order,
    /// Shuffle with a seed from the clock.
    pub shuffle: bool,
    pub shuffle_seed: Option<u64>,
    pub fail_fast: bool,
    // Runs.
    pub resume: Option<Resume>,
    pub shard: Option<Shard>,
    // Measurement.
    pub profile: Profile,
    pub overrides: Overrides,
    /// Total length of all windows of a bench.
    pub measurement_time: Option<Duration>,
    pub seed: u64,
    /// How intervals are computed.
    pub analysis: Options,
    // Processes.
    pub isolate: bool,
    /// Number of processes that measure each bench at the same time.
    pub processes: Option<u32>,
    /// How long the ranks wait for one of them.
    pub rank_timeout: Duration,
    /// Longest duration of a bench, including its setup.
    pub bench_timeout: Option<Duration>,
    /// Environment variables of the process of an isolated bench.
    pub env: Vec<(String, String)>,
    // Meters.
    pub meter: MeterChoice,
    pub domains: Vec<String>,
    pub open: OpenOptions,
    pub calibration: Option<PathBuf>,
    /// All energy counters see the whole time.
    pub full_time_counters: bool,
    pub no_wait: bool,
    pub lock_file: Option<PathBuf>,
    // Comparison.
    pub comparing: Comparing,
    // Output.
    pub format: Format,
    pub output_format: OutputFormat,
    /// Names of the formats to write in addition to the summary.
    pub exports: Vec<&'static str>,
    pub quiet: bool,
    pub color: Color,
    pub output_dir: Option<PathBuf>,
    /// Budget of request times of each bench, in MiB.
    pub sample_mib: u32,
    pub context: Vec<(String, String)>,
    /// Filter for log events.
    pub log: Option<String>,
    /// URL that the summary is posted to.
    pub notify: Option<String>,
}

/// Default seed. It is fixed, so that two runs use their inputs in the same order.
const DEFAULT_SEED: u64 = 1;

impl Default for Config {
    fn default() -> Self {
        Self {
            list: false,
            test: false,
            bench: false,
            dry_run: false,
            print_settings: false,
            doctor: false,
            open_page: false,
            filters: Vec::new(),
            skip: Vec::new(),
            exact: false,
            ignored: false,
            include_ignored: false,
            axes: Vec::new(),
            no_match: NoMatch::default(),
            order: Order::default(),
            shuffle: false,
            shuffle_seed: None,
            fail_fast: false,
            resume: None,
            shard: None,
            profile: Profile::default(),
            overrides: Overrides::default(),
            measurement_time: None,
            seed: DEFAULT_SEED,
            analysis: Options::default(),
            isolate: false,
            processes: None,
            rank_timeout: Duration::from_secs(600),
            bench_timeout: None,
            env: Vec::new(),
            meter: MeterChoice::default(),
            domains: Vec::new(),
            open: OpenOptions::default(),
            calibration: None,
            full_time_counters: false,
            no_wait: false,
            lock_file: None,
            comparing: Comparing::default(),
            format: Format::default(),
            output_format: OutputFormat::default(),
            exports: Vec::new(),
            quiet: false,
            color: Color::default(),
            output_dir: None,
            sample_mib: DEFAULT_SAMPLE_MIB,
            context: Vec::new(),
            log: None,
            notify: None,
        }
    }
}

impl Config {
    /// Returns the selection by libtest's rules. `--include-ignored` wins over `--ignored`, because it includes it.
    pub fn selection(&self) -> Selection {
        let ignored = match (self.include_ignored, self.ignored) {
            (true, _) => IgnoredMode::Include,
            (false, true) => IgnoredMode::Only,
            (false, false) => IgnoredMode::Skip,
        };
        Selection { filters: self.filters.clone(), skip: self.skip.clone(), exact: self.exact, ignored }
    }

    /// Returns whether each bench runs in its own process. A time limit and environment variables need one.
    pub fn isolates(&self) -> bool {
        self.isolate || self.bench_timeout.is_some() || !self.env.is_empty()
    }

    /// Returns whether stderr is for errors only.
    pub fn is_quiet(&self) -> bool {
        self.quiet || self.format != Format::Pretty
    }

    /// Returns the mode that the options select.
    pub fn mode(&self, default: DefaultMode) -> Mode {
        if self.list {
            Mode::List
        } else if self.test {
            Mode::Test
        } else if self.bench || self.dry_run || default == DefaultMode::Bench {
            Mode::Bench
        } else {
            Mode::Test
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mode_depends_on_flags_and_kind_of_binary() {
        let mode = |list, test, bench, default| Config { list, test, bench, ..Config::default() }.mode(default);
        assert_eq!(mode(false, false, false, DefaultMode::Test), Mode::Test);
        assert_eq!(mode(false, false, false, DefaultMode::Bench), Mode::Bench);
        for default in [DefaultMode::Test, DefaultMode::Bench] {
            assert_eq!(mode(false, false, true, default), Mode::Bench);
            assert_eq!(mode(false, true, true, default), Mode::Test);
            assert_eq!(mode(true, true, true, default), Mode::List);
        }
    }
}

//! What the harness was asked to do, from whatever layer, in types.
//!
//! Plain data; must not know where a value came from or how it was written.

use std::path::PathBuf;
use std::time::Duration;

use crate::analysis::Options;
use crate::analysis::compare::{CompareOptions, GateRules};
use crate::meter::{MeterChoice, OpenOptions};
use crate::model::Order;
use crate::plan::Shard;
use crate::protocol::{Overrides, Profile};
use crate::registry::{IgnoredMode, Selection};

/// How results are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Format {
    /// For people.
    #[default]
    Pretty,
    /// For people in a hurry; lists in this form are read by test runners.
    Terse,
    /// For programs: libtest's JSON lines for lists and tests, the summary for measurements.
    Json,
}

/// How results are printed in bench mode, by criterion's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum OutputFormat {
    /// For people.
    #[default]
    Criterion,
    /// libtest's bench lines: the time of a request.
    Bencher,
    /// The summary.
    Json,
}

/// When colours are used.
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

/// What happens when no bench matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum NoMatch {
    /// Exit code 5.
    #[default]
    Fail,
    /// A line on stderr.
    Warn,
}

/// Which interrupted run to go on with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Resume {
    /// The newest of this target.
    Newest,
    /// The one of this id.
    Run(String),
}

/// What results are compared with, and what comes of it.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Comparing {
    /// The name to save the result under.
    pub(super) save: Option<String>,
    /// The baseline to compare with, which must be there.
    pub(super) baseline: Option<String>,
    /// The baseline to compare with, if it is there.
    pub(super) lenient: Option<String>,
    /// The baseline that stands in for a new measurement.
    pub(super) load: Option<String>,
    pub(super) options: CompareOptions,
    pub(super) gate: GateRules,
}

/// What was asked for.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Config {
    // What to do.
    pub(super) list: bool,
    pub(super) test: bool,
    pub(super) bench: bool,
    pub(super) dry_run: bool,
    pub(super) settings_only: bool,
    // Which benches.
    pub(super) filters: Vec<String>,
    pub(super) skip: Vec<String>,
    pub(super) exact: bool,
    pub(super) ignored: bool,
    pub(super) include_ignored: bool,
    pub(super) axes: Vec<(String, Vec<String>)>,
    pub(super) no_match: NoMatch,
    // In which order.
    pub(super) order: Order,
    /// The order is shuffled by a seed that the clock gives.
    pub(super) shuffle: bool,
    pub(super) shuffle_seed: Option<u64>,
    pub(super) fail_fast: bool,
    // Which part of a run.
    pub(super) resume: Option<Resume>,
    pub(super) shard: Option<Shard>,
    // How they are measured.
    pub(super) profile: Profile,
    pub(super) overrides: Overrides,
    /// Total length of all windows of a bench.
    pub(super) measurement_time: Option<Duration>,
    pub(super) seed: u64,
    /// How intervals are made.
    pub(super) analysis: Options,
    // In which processes.
    pub(super) isolate: bool,
    /// How many processes run each bench side by side.
    pub(super) processes: Option<u32>,
    /// How long one of them is awaited by the others.
    pub(super) rank_timeout: Duration,
    /// How long a bench may take, from its set-up to its end.
    pub(super) bench_timeout: Option<Duration>,
    /// Variables that an isolated bench's process is started with.
    pub(super) env: Vec<(String, String)>,
    // By what.
    pub(super) meter: MeterChoice,
    pub(super) domains: Vec<String>,
    pub(super) open: OpenOptions,
    pub(super) calibration: Option<PathBuf>,
    pub(super) no_wait: bool,
    pub(super) lock_file: Option<PathBuf>,
    // With what they are compared.
    pub(super) comparing: Comparing,
    // What comes out.
    pub(super) format: Format,
    pub(super) output_format: OutputFormat,
    /// Formats, by name, that are written beside the summary.
    pub(super) exports: Vec<&'static str>,
    pub(super) quiet: bool,
    pub(super) color: Color,
    pub(super) output_dir: Option<PathBuf>,
    pub(super) context: Vec<(String, String)>,
    /// Which events are shown.
    pub(super) log: Option<String>,
    /// Who is told what the run came to.
    pub(super) notify: Option<String>,
}

/// The seed of everything drawn when none is given: a fixed one, so that two runs meet their inputs in one order.
pub(super) const DEFAULT_SEED: u64 = 1;

impl Default for Config {
    fn default() -> Self {
        Self {
            list: false,
            test: false,
            bench: false,
            dry_run: false,
            settings_only: false,
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
            no_wait: false,
            lock_file: None,
            comparing: Comparing::default(),
            format: Format::default(),
            output_format: OutputFormat::default(),
            exports: Vec::new(),
            quiet: false,
            color: Color::default(),
            output_dir: None,
            context: Vec::new(),
            log: None,
            notify: None,
        }
    }
}

impl Config {
    /// The selection by libtest's rules. `--include-ignored` wins over `--ignored`, as it contains it.
    pub(super) fn selection(&self) -> Selection {
        let ignored = match (self.include_ignored, self.ignored) {
            (true, _) => IgnoredMode::Include,
            (false, true) => IgnoredMode::Only,
            (false, false) => IgnoredMode::Skip,
        };
        Selection { filters: self.filters.clone(), skip: self.skip.clone(), exact: self.exact, ignored }
    }

    /// Whether every bench has a process of its own: what is asked of that process can be had in no other way.
    pub(super) fn isolates(&self) -> bool {
        self.isolate || self.bench_timeout.is_some() || !self.env.is_empty()
    }

    /// Whether stderr is left to errors.
    pub(super) fn is_quiet(&self) -> bool {
        self.quiet || self.format != Format::Pretty
    }
}

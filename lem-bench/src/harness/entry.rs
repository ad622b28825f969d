//! `Harness` and `main!`: how a bench target, another binary or a worker process starts.

use super::config::{DefaultMode, Format, Mode, NoMatch};
use super::exit::{ExitStatus, HarnessError};
use super::invocation::{Invocation, SelectedCases, TargetInfo};
use super::layers::CustomMeters;
use super::{command, console, doctor, environment, exit_guard, list, log, measure, results_stream, test_mode};
use crate::bench::{Bencher, BodyResult};
use crate::meter::Meter;
use crate::model::{Order, RunOrder};
use crate::registry::{BenchDefinition, Case, Registry};
use crate::runner::set_empty_bench;
use crate::workers::{self, Answer, CaseList, ListedCase, Task, VERSION, requested_protocol_version};

/// Defines `main` of a bench target: it finds the functions marked [`#[energy_bench]`](crate::energy_bench) and runs
/// them by the command line.
///
/// In a bench target (`[[bench]]` with `harness = false`):
///
/// ```no_run
/// use lem_bench::prelude::*;
///
/// #[energy_bench]
/// fn sum(b: &mut Bencher) {
///     b.iter(|| drop(std::hint::black_box((0..1000_u64).sum::<u64>())));
/// }
///
/// lem_bench::main!();
/// ```
///
/// `cargo bench` measures. Without `--bench`, which cargo passes (`cargo test --benches`, `cargo nextest run --benches`),
/// each bench runs once without measuring. A binary that should always measure calls
/// [`Harness::main`](crate::Harness::main) instead.
///
/// A closure configures the [`Harness`](crate::Harness):
///
/// ```no_run
/// # use lem_bench::meter::Estimate;
/// lem_bench::main!(|harness| harness.meter("mine", |_| Ok::<_, String>(Estimate::default())));
/// ```
#[macro_export]
macro_rules! main {
    () => {
        $crate::main!(|harness| harness);
    };
    ($configure:expr) => {
        // Only rustc's own harness, which runs instead of this `main`, keeps tests. In a binary it may do so, and in a test
        // that has the bench target as a module.
        #[::core::prelude::v1::test]
        fn lem_bench_main_needs_harness_false() {
            const _: () = ::core::assert!(
                ::core::option_env!("CARGO_TARGET_TMPDIR").is_none()
                    || !$crate::__private::is_crate_root(::core::module_path!()),
                "no bench of this target would run: add `harness = false` below its `[[bench]]` and `name` in Cargo.toml"
            );
        }

        fn main() {
            let configure: fn($crate::Harness) -> $crate::Harness = $configure;
            let harness = $crate::Harness::of_bench_target($crate::TargetInfo::new(
                ::core::option_env!("CARGO_CRATE_NAME"),
                ::core::option_env!("CARGO_PKG_NAME"),
                ::core::option_env!("CARGO_MANIFEST_DIR"),
                ::core::option_env!("CARGO_TARGET_TMPDIR"),
            ), |b| b.iter(|| {}));
            configure(harness).main()
        }
    };
}

/// Returns whether a module path is that of a crate's root.
#[doc(hidden)]
pub const fn is_crate_root(module_path: &str) -> bool {
    let bytes = module_path.as_bytes();
    let mut index = 0;
    while index < bytes.len() {
        if bytes[index] == b':' {
            return false;
        }
        index += 1;
    }
    true
}

/// A set of benches, and a `main` that runs them by the command line.
///
/// A bench target needs only [`lem_bench::main!()`](crate::main). Other binaries add benches themselves, and measure
/// unless `--test` or `--list` is given:
///
/// ```no_run
/// use lem_bench::Harness;
///
/// Harness::new().bench("sum", |b| b.iter(|| drop(std::hint::black_box((0..1000_u64).sum::<u64>())))).main();
/// ```
#[derive(Debug)]
#[must_use = "nothing runs until `main` is called"]
pub struct Harness {
    registry: Registry,
    target: TargetInfo,
    default_mode: DefaultMode,
    meters: CustomMeters,
}

impl Default for Harness {
    fn default() -> Self {
        Self::new()
    }
}

impl Harness {
    /// Creates a harness with the functions marked [`#[energy_bench]`](crate::energy_bench) that are linked into this
    /// binary. It measures by default.
    pub fn new() -> Self {
        Self {
            registry: Registry::from_attributes(),
            target: TargetInfo::default(),
            default_mode: DefaultMode::Bench,
            meters: CustomMeters::default(),
        }
    }

    /// Creates a harness for one of cargo's bench targets. It measures when cargo passes `--bench`. `empty_bench` calls
    /// `iter` with a closure that does nothing.
    #[doc(hidden)]
    pub fn of_bench_target(target: TargetInfo, empty_bench: fn(&mut Bencher<'_>)) -> Self {
        set_empty_bench(empty_bench);
        // Before the closure of `main!`, which may print. `run` tries again after an error, and reports it.
        drop(results_stream::separate());
        Self { target, default_mode: DefaultMode::Test, ..Self::new() }
    }

    /// Adds a closure as a bench.
    ///
    /// ```
    /// use lem_bench::Harness;
    ///
    /// let harness = Harness::new().bench("nothing", |b| b.iter(|| ()));
    /// # drop(harness);
    /// ```
    #[track_caller]
    pub fn bench<F, R>(mut self, name: impl Into<String>, body: F) -> Self
    where
        F: Fn(&mut Bencher<'_>) -> R + Send + Sync + 'static,
        R: BodyResult,
    {
        self.registry.add(BenchDefinition::from_fn(name, body));
        self
    }

    /// Adds a meter of your own, selected by `--meter NAME` (or `meter = "NAME"` in `lem-bench.toml`).
    ///
    /// `open` is called when the meter is selected, with the text after the name and a colon
    /// (`--meter plug:192.168.1.7`), or an empty text. The headline energy is the sum of its domains that no other
    /// domain contains; `--domain` selects others.
    ///
    /// The name consists of small letters, digits, `-` and `_`, and differs from the built-in ones. With `main!`, write
    /// [`main!(|harness| harness.meter(…))`](crate::main). See `examples/wall_plug` for a complete meter.
    ///
    /// ```
    /// use lem_bench::Harness;
    /// use lem_bench::meter::Estimate;
    /// use lem_bench::units::Watts;
    ///
    /// // `--meter laptop:4.5` counts 4.5 W per busy core.
    /// let harness = Harness::new().meter("laptop", |watts| {
    ///     let watts = watts.parse().map_err(|_| format!("`{watts}` is not a number of watts"))?;
    ///     Estimate::new(Watts(watts)).map_err(|error| error.to_string())
    /// });
    /// # drop(harness);
    /// ```
    pub fn meter<M, E>(
        mut self,
        name: impl Into<String>,
        open: impl Fn(&str) -> Result<M, E> + Send + Sync + 'static,
    ) -> Self
    where
        M: Meter + 'static,
        E: std::fmt::Display,
    {
        let open = move |argument: &str| match open(argument) {
            Ok(meter) => Ok(Box::new(meter) as Box<dyn Meter>),
            Err(error) => Err(error.to_string()),
        };
        self.meters.add(name.into(), Box::new(open));
        self
    }

    /// Reads the command line, the environment and `lem-bench.toml`, runs the benches, and ends the process.
    ///
    /// Exit codes: 0 success, 1 a file cannot be read or written, 2 invalid usage, 3 a bench regressed (with `--fail-on`),
    /// 4 a measurement is invalid or the meter is not available, 5 no bench matched, 101 a bench failed, 130 interrupted.
    pub fn main(self) -> ! {
        let status = run(self.registry, self.target, self.default_mode, self.meters).unwrap_or_else(|error| {
            console::error(&error.to_string());
            error.status()
        });
        exit_guard::end(status)
    }
}

/// Does what the command line asks for.
///
/// # Errors
/// The reason why it can't be done.
pub(super) fn run(
    mut registry: Registry,
    target: TargetInfo,
    default_mode: DefaultMode,
    meters: CustomMeters,
) -> Result<ExitStatus, HarnessError> {
    if let Some(version) = requested_protocol_version(std::env::args_os()) {
        return run_worker(&version, registry, &target);
    }
    exit_guard::begin();
    results_stream::separate().map_err(|error| HarnessError::machine(format!("cannot duplicate stdout: {error}")))?;
    let flags = match command::read(std::env::args_os(), meters.names()) {
        Ok(flags) => flags,
        Err(error) => return Ok(command::print_and_exit_status(&error)),
    };
    let (invocation, warnings) = Invocation::resolve(flags, target)?;
    let invocation = Invocation { meters, ..invocation };
    let config = invocation.config();
    log::init(config.log.as_deref());
    for warning in warnings {
        console::warn(&warning);
    }
    invocation.meters.check(&invocation.resolved)?;
    registry.override_axes(&config.axes).map_err(|error| HarnessError::usage(error.to_string()))?;
    let cases = registry.cases().map_err(|error| HarnessError::usage(error.to_string()))?;
    for note in invocation.resolved.notes_on_ignored_flags() {
        console::note(&note);
    }
    if config.doctor {
        let as_json = config.format == Format::Json;
        let show = if as_json { console::out } else { console::out_wrapped };
        show(&doctor::doctor(&invocation, as_json));
        return Ok(ExitStatus::Done);
    }
    if config.print_settings {
        console::out(&list::settings(&invocation, &cases));
        return Ok(ExitStatus::Done);
    }
    let mode = config.mode(default_mode);
    match list::check_not_empty(mode, config, &cases) {
        Ok(()) => {}
        Err(error) if config.no_match == NoMatch::Warn => {
            console::warn(&error.to_string());
            if mode == Mode::Bench {
                return Ok(ExitStatus::Done);
            }
        }
        Err(error) => return Err(error),
    }
    match mode {
        Mode::List => {
            console::out(&list::benches(config, &cases));
            Ok(ExitStatus::Done)
        }
        Mode::Test => Ok(test_mode::run(config, select(&invocation, cases))),
        Mode::Bench => measure::run(&invocation, select(&invocation, cases)),
    }
}

/// Selects cases, and prints the seed of a random order.
fn select(invocation: &Invocation, cases: Vec<Case>) -> SelectedCases {
    let selected = SelectedCases::select(invocation.config(), cases);
    if let RunOrder { order: Order::Shuffled, seed: Some(seed) } = selected.order
        && !invocation.config().is_quiet()
    {
        console::note(&format!("benches are shuffled; repeat this order with --shuffle-seed {seed}"));
    }
    selected
}

/// Serves the parent process, which uses protocol `version`.
///
/// # Errors
/// The versions differ, or the connection fails.
#[cfg(unix)]
fn run_worker(version: &str, registry: Registry, target: &TargetInfo) -> Result<ExitStatus, HarnessError> {
    if version != VERSION {
        return Err(HarnessError::usage(format!(
            "worker protocol mismatch: this binary (lem-bench {}) uses version {VERSION}, its parent uses version \
             {version}; build both with the same lem-bench",
            env!("CARGO_PKG_VERSION")
        )));
    }
    // The command line belongs to the parent, which passes the log filter in the environment.
    log::init(std::env::var(measure::WORKER_LOG_VARIABLE).ok().as_deref());
    workers::serve(|task| answer(registry, target, task))
        .map(|()| ExitStatus::Done)
        .map_err(|error| HarnessError::machine(format!("failed to serve the parent of this worker: {error}")))
}

/// Workers need sockets between processes and a clock that processes share.
#[cfg(not(unix))]
fn run_worker(_: &str, _: Registry, _: &TargetInfo) -> Result<ExitStatus, HarnessError> {
    Err(HarnessError::usage("workers are not supported on this platform"))
}

/// Runs or lists the benches that the parent asks for.
fn answer(mut registry: Registry, target: &TargetInfo, task: &Task) -> Result<Answer, String> {
    let (Task::Run { axes, .. } | Task::List { axes }) = task;
    registry.override_axes(axes).map_err(|error| error.to_string())?;
    let cases = registry.cases().map_err(|error| error.to_string())?;
    match task {
        Task::Run { id, seed, .. } => {
            let case = cases.iter().find(|case| case.id == *id);
            let body = case.map(test_mode::body).ok_or_else(|| format!("this binary has no bench `{id}`"))?;
            Ok(Answer::Body(body, *seed))
        }
        Task::List { .. } => Ok(Answer::List(CaseList {
            lem_bench: env!("CARGO_PKG_VERSION").to_owned(),
            debug_build: cfg!(debug_assertions),
            build: environment::build_facts(target),
            benches: cases.iter().map(listed_case).collect(),
        })),
    }
}

fn listed_case(case: &Case) -> ListedCase {
    let attributes = &case.attributes;
    let ignored = attributes.ignore.is_some();
    ListedCase { record: measure::case_record(case), ignored, windows: attributes.windows, gap: attributes.gap }
}

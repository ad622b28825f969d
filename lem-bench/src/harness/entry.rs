//! `Harness`: what `main!` stands for, and what a binary of one's own builds by hand.

use super::hints::TargetInfo;
use super::mode::DefaultMode;
use super::own_meters::OwnMeters;
use super::{console, run};
use crate::bench::{Bencher, BodyResult};
use crate::meter::Meter;
use crate::registry::{BenchDefinition, Registry};

/// A set of benches, and a `main` that reads the command line and does with them what it says.
///
/// In a bench target, [`lem_bench::main!()`](crate::main) is all that is needed. A binary of one's own adds benches by
/// hand, and measures unless `--test` or `--list` is given:
///
/// ```no_run
/// use lem_bench::Harness;
///
/// Harness::new().bench("sum", |b| b.iter(|| drop(std::hint::black_box((0..1000_u64).sum::<u64>())))).main();
/// ```
#[derive(Debug)]
#[must_use = "nothing runs until `main` is called"]
pub struct Harness {
    pub(super) registry: Registry,
    pub(super) hints: TargetInfo,
    pub(super) habit: DefaultMode,
    pub(super) meters: OwnMeters,
}

impl Default for Harness {
    fn default() -> Self {
        Self::new()
    }
}

impl Harness {
    /// The functions under [`#[energy_bench]`](crate::energy_bench) that are linked into this binary, if any, for a
    /// binary that measures by default.
    pub fn new() -> Self {
        Self {
            registry: Registry::from_attributes(),
            hints: TargetInfo::default(),
            habit: DefaultMode::ByHand,
            meters: OwnMeters::default(),
        }
    }

    /// The same, for one of cargo's bench targets, which measures when cargo says `--bench`.
    pub fn of_bench_target(hints: TargetInfo) -> Self {
        Self { hints, habit: DefaultMode::BenchTarget, ..Self::new() }
    }

    /// Adds what was known when the binary was compiled: where its results go depends on it.
    pub fn hints(self, hints: TargetInfo) -> Self {
        Self { hints, ..self }
    }

    /// Adds a bench that is a closure.
    ///
    /// ```
    /// use lem_bench::Harness;
    ///
    /// let harness = Harness::new().bench("nothing", |b| b.iter(|| ()));
    /// # drop(harness);
    /// ```
    #[track_caller]
    pub fn bench<F, R>(self, name: impl Into<String>, body: F) -> Self
    where
        F: Fn(&mut Bencher<'_>) -> R + Send + Sync + 'static,
        R: BodyResult,
    {
        self.register(BenchDefinition::from_fn(name, body))
    }

    /// Adds a bench with all that can be said about one.
    pub fn register(mut self, bench: BenchDefinition) -> Self {
        self.registry.add(bench);
        self
    }

    /// Adds a meter of your own, chosen by `--meter NAME` (or `meter = "NAME"` in `lem-bench.toml`). `open` is called
    /// when it is chosen, with what stands behind the name and a colon (`--meter plug:192.168.1.7`), else with an empty
    /// text. Those of its domains that no other contains are the headline; `--domain` chooses others.
    ///
    /// The name is made of small letters, digits, `-` and `_`, and none of the built-in ones. In a bench target with
    /// `main!` this is [`main!(|harness| harness.meter(…))`](crate::main). `examples/wall_plug` has a whole one.
    ///
    /// ```
    /// use lem_bench::Harness;
    /// use lem_bench::meter::Estimate;
    /// use lem_bench::units::Watts;
    ///
    /// // `--meter laptop:4.5` counts 4.5 W per busy core.
    /// let harness = Harness::new().meter("laptop", |watts| {
    ///     let watts = watts.parse().map_err(|_| format!("`{watts}` is no number of watts"))?;
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

    /// Reads the command line, the environment and `lem-bench.toml`, does what they say, and ends the process.
    ///
    /// Ends with 0 when all is done, 1 when results can't be kept, 2 for a mistake in what was asked for, 4 when a
    /// measurement is invalid or the meter can't be had, 5 when no bench matches or none is there, 101 when a bench
    /// failed.
    pub fn main(self) -> ! {
        let exit = run::run(self).unwrap_or_else(|stop| {
            console::error(&stop.message);
            stop.exit
        });
        std::process::exit(i32::from(exit.code()))
    }
}

//! Concurrent requests compared with the truth: energy per token, coverage of its interval, and the times of tokens.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use lem_bench::__private::analysis::{Options, summarise};
use lem_bench::__private::clock::{Clock, VirtualClock};
use lem_bench::__private::harness::{SimulationOptions, simulate_body};
use lem_bench::__private::sim::{Machine, Scenario, Seeds};
use lem_bench::bench::{Arrivals, Bencher, Request};
use lem_bench::summary::{BenchSummary, Check, Finding, Severity};
use lem_bench::units::Watts;

use super::parallel::run_in_parallel;

const RUNS: u64 = 300;
/// Power of the machine without requests, and what each request in flight adds.
const IDLE_W: f64 = 110.0;
const REQUEST_W: f64 = 12.0;

/// Time to the first token, time between tokens, and number of tokens of a request.
#[derive(Clone, Copy)]
struct Shape {
    first_ms: u64,
    step_ms: u64,
    tokens: u64,
}

impl Shape {
    fn seconds(self) -> f64 {
        (self.first_ms + self.step_ms * (self.tokens - 1)) as f64 / 1e3
    }
}

static SHAPES: [Shape; 4] = [
    Shape { first_ms: 300, step_ms: 50, tokens: 15 },
    Shape { first_ms: 500, step_ms: 70, tokens: 30 },
    Shape { first_ms: 400, step_ms: 40, tokens: 41 },
    Shape { first_ms: 800, step_ms: 60, tokens: 22 },
];

fn mean(shapes: &[Shape], value: impl Fn(Shape) -> f64) -> f64 {
    shapes.iter().map(|shape| value(*shape)).sum::<f64>() / shapes.len() as f64
}

#[derive(Clone, Copy)]
enum Kind {
    Closed(usize),
    Open(f64),
    /// With a limit of requests in flight.
    Queue(f64, usize),
}

#[derive(Clone, Copy)]
struct Load {
    kind: Kind,
    shapes: &'static [Shape],
}

impl Load {
    /// The true energy per token in J.
    fn truth(self) -> f64 {
        let seconds = mean(self.shapes, Shape::seconds);
        let requests_per_s = match self.kind {
            Kind::Closed(concurrency) => concurrency as f64 / seconds,
            Kind::Open(rate) | Kind::Queue(rate, _) => rate,
        };
        (IDLE_W / requests_per_s + REQUEST_W * seconds) / mean(self.shapes, |shape| shape.tokens as f64)
    }
}

/// A request in virtual time, which adds to the power while it runs.
async fn run_request(machine: &Machine, clock: &VirtualClock, running: &AtomicU64, shape: Shape, request: &Request) {
    let set_power = |running: u64| machine.set_power(Watts(IDLE_W + REQUEST_W * running as f64));
    set_power(running.fetch_add(1, Ordering::Relaxed) + 1);
    request.input_tokens(10);
    for token in 0..shape.tokens {
        let time = if token == 0 { shape.first_ms } else { shape.step_ms };
        clock.timer(clock.now() + Duration::from_millis(time)).await;
        request.tokens(1);
    }
    set_power(running.fetch_sub(1, Ordering::Relaxed) - 1);
}

fn measure(load: Load, run: u64) -> Result<BenchSummary, String> {
    let path = format!("{}/tests/scenarios/without_heat.json", env!("CARGO_MANIFEST_DIR"));
    let scenario = Scenario::read(path.as_ref()).map_err(|error| error.to_string())?;
    let options = SimulationOptions { seed: run, ..SimulationOptions::default() };
    let measured = simulate_body(&scenario, Seeds { run, bench: 0 }, &options, |machine| {
        let machine = machine.clone();
        Arc::new(move |bencher: &mut Bencher<'_>| {
            let (clock, running) = (machine.clock(), AtomicU64::new(0));
            machine.set_power(Watts(IDLE_W));
            let bencher = bencher.to_async(&clock);
            let bencher = match load.kind {
                Kind::Closed(concurrency) => bencher.concurrency(concurrency),
                Kind::Open(rate) => bencher.arrivals(rate, Arrivals::Poisson),
                Kind::Queue(rate, limit) => bencher.concurrency(limit).arrivals(rate, Arrivals::Poisson),
            };
            bencher.iter_requests(load.shapes, async |shape, request| {
                run_request(&machine, &clock, &running, *shape, request).await;
            });
            Ok(())
        })
    })
    .map_err(|error| error.to_string())?;
    let analysis = Options { resamples: 200, threads: Some(1), ..Options::default() };
    let summary = summarise(&[measured.records], &analysis).map_err(|error| error.to_string())?;
    summary.benches.into_iter().next().ok_or_else(|| "the run measured nothing".to_owned())
}

fn value(bench: &BenchSummary, name: &str) -> f64 {
    bench.metrics.get(name).and_then(|metric| metric.value).unwrap_or_else(|| panic!("no {name}"))
}

/// Returns the findings about arrivals.
fn overloads(bench: &BenchSummary) -> Vec<&Finding> {
    bench.findings.iter().filter(|finding| finding.check == Check::Overloaded).collect()
}

/// Checks bias and coverage over all runs, and the times of tokens of each.
fn check(load: Load, most_covered: f64) {
    let truth = load.truth();
    let (mut sum, mut covered, mut overloaded) = (0.0, 0, 0);
    run_in_parallel(
        RUNS,
        |run| measure(load, run),
        |bench| {
            let metric = &bench.metrics["j_per_output_token"];
            sum += value(&bench, "j_per_output_token") / truth;
            let interval = metric.interval.as_ref().expect("an interval");
            covered += u32::from((interval.low..=interval.high).contains(&truth));
            overloaded += overloads(&bench).len();
            let extremes =
                |name: &str| ["min", "max"].map(|end| (value(&bench, &format!("{name}_ms_{end}")) * 1e6).round());
            let expected = |ns: fn(&Shape) -> f64| {
                let all = || load.shapes.iter().map(ns);
                [all().fold(f64::INFINITY, f64::min), all().fold(0.0, f64::max)].map(f64::round)
            };
            assert_eq!(extremes("ttft"), expected(|shape| shape.first_ms as f64 * 1e6));
            assert_eq!(extremes("itl"), expected(|shape| shape.step_ms as f64 * 1e6));
            assert_eq!(extremes("tpot"), expected(|shape| shape.step_ms as f64 * 1e6));
            assert_eq!(extremes("latency"), expected(|shape| shape.seconds() * 1e9));
        },
    )
    .expect("every run can be measured");
    let (bias, coverage) = (sum / RUNS as f64 - 1.0, f64::from(covered) / RUNS as f64);
    assert!(bias.abs() <= 0.003, "bias {bias}");
    assert!((0.92..=most_covered).contains(&coverage), "coverage {coverage}, bias {bias}");
    assert!(overloaded <= RUNS as usize / 100, "{overloaded} of {RUNS} runs");
}

#[test]
fn sixteen_requests_in_flight() {
    check(Load { kind: Kind::Closed(16), shapes: &SHAPES }, 0.98);
}

/// Equal requests never get out of step, so that windows have to begin at different times of theirs.
#[test]
fn equal_requests_in_step() {
    // They begin more evenly than at random, so that intervals, which don't know that, are too wide.
    check(Load { kind: Kind::Closed(8), shapes: &SHAPES[1..2] }, 1.0);
}

#[test]
fn poisson_arrivals_with_sixteen_in_flight() {
    // Little's law: as many are in flight as arrive in the mean time of a request.
    check(Load { kind: Kind::Open(16.0 / mean(&SHAPES, Shape::seconds)), shapes: &SHAPES }, 0.98);
}

/// Requests that arrive faster than they are served: the queue grows until the load ends, and what waits then is dropped.
#[test]
fn overload_is_found_and_dropped_requests_are_counted() {
    let served = 4.0 / mean(&SHAPES, Shape::seconds);
    for rate in [1.5 * served, 3.0 * served] {
        for run in 0..10 {
            let bench = measure(Load { kind: Kind::Queue(rate, 4), shapes: &SHAPES }, run).unwrap();
            let [finding] = overloads(&bench).try_into().unwrap_or_else(|found| panic!("{found:?} at {rate}"));
            assert!(finding.weight == Severity::Warning && finding.evidence.contains("dropped"), "{finding:?}");
            let ended: f64 =
                finding.evidence.split(" arrived and ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
            assert!((ended / served - 1.0).abs() < 0.1, "{finding:?}, {served} served");
        }
    }
}

/// A queue that is busy for 60 % of the time may have to wait, but does not grow.
#[test]
fn queues_that_do_not_grow_are_no_overload() {
    let rate = 0.6 * 4.0 / mean(&SHAPES, Shape::seconds);
    let warns = |bench: &BenchSummary| overloads(bench).iter().any(|finding| finding.weight == Severity::Warning);
    let runs =
        (0..50).filter(|run| warns(&measure(Load { kind: Kind::Queue(rate, 4), shapes: &SHAPES }, *run).unwrap()));
    assert!(runs.count() <= 1);
}

//! Custom metrics of benches on a simulated machine: exact values, and when gauges are read.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lem_bench::__private::analysis::{Options, summarise};
use lem_bench::__private::clock::Clock;
use lem_bench::__private::harness::{SimulationOptions, simulate_body};
use lem_bench::__private::model::{CycleRecord, Record};
use lem_bench::__private::sim::{Machine, Scenario, Seeds};
use lem_bench::bench::Bencher;
use lem_bench::summary::BenchSummary;
use lem_bench::units::Stamp;

#[expect(clippy::unwrap_used, reason = "a test helper")]
fn measure(body: impl Fn(&Machine, &mut Bencher<'_>) + Send + Sync + 'static) -> (Vec<CycleRecord>, BenchSummary) {
    let path = format!("{}/tests/scenarios/without_heat.json", env!("CARGO_MANIFEST_DIR"));
    let scenario = Scenario::read(path.as_ref()).unwrap();
    let options = SimulationOptions { seed: 3, ..SimulationOptions::default() };
    let measured = simulate_body(&scenario, Seeds { run: 3, bench: 0 }, &options, |machine| {
        let machine = machine.clone();
        Arc::new(move |bencher: &mut Bencher<'_>| {
            body(&machine, bencher);
            Ok(())
        })
    })
    .unwrap();
    let cycles = measured.records.iter().filter_map(|record| match record {
        Record::Cycle(cycle) => Some((**cycle).clone()),
        _ => None,
    });
    let cycles: Vec<CycleRecord> = cycles.collect();
    let analysis = Options { resamples: 100, threads: Some(1), ..Options::default() };
    let summary = summarise(&[measured.records], &analysis).unwrap();
    (cycles, summary.benches.into_iter().next().unwrap())
}

#[test]
fn metrics_of_requests_are_averaged_over_all_values() {
    let (cycles, bench) = measure(|machine, b| {
        let clock = machine.clock();
        b.iter_requests([3.0, 5.0], |accepted, request| {
            clock.sleep(Duration::from_millis(40));
            request.metric("accepted_drafts", *accepted);
            request.metric("batch", 8_u32);
            request.tokens(1);
        });
    });
    let requests: u64 = cycles.iter().flat_map(|cycle| &cycle.windows).map(|window| window.work.requests).sum();
    let mean = &bench.metrics["accepted_drafts_mean"];
    assert_eq!(mean.samples, Some(requests as usize));
    // Inputs are used in turns, so that each window has at most one request more of one of them.
    let windows = cycles.iter().map(|cycle| cycle.windows.len()).sum::<usize>();
    let value = mean.value.unwrap();
    assert!((value - 4.0).abs() <= windows as f64 / requests as f64, "{value} of {requests} requests");
    let interval = mean.interval.as_ref().unwrap();
    assert!(interval.low <= 4.0 && 4.0 <= interval.high, "{interval:?}");
    assert_eq!(bench.metrics["accepted_drafts_max"].value, Some(5.0));
    assert_eq!(bench.metrics["batch_mean"].value, Some(8.0));
    assert_eq!(bench.cycles[0].custom["batch"], 8.0);
    assert!(!bench.metrics.keys().any(|name| name.starts_with("absent")));
}

#[test]
fn gauges_are_read_at_both_edges_outside_of_windows() {
    /// Reading takes time.
    const READ: Duration = Duration::from_millis(30);
    let reads = Arc::new(Mutex::new(Vec::<(Stamp, Stamp)>::new()));
    let shared = Arc::clone(&reads);
    let (cycles, bench) = measure(move |machine, b| {
        let clock = machine.clock();
        let used = AtomicU64::new(0);
        let kv_bytes = || {
            let start = clock.now();
            clock.sleep(READ);
            let mut reads = shared.lock().unwrap();
            reads.push((start, clock.now()));
            reads.len() as u64
        };
        b.synchronize(|| ())
            .gauge("kv_bytes", "bytes", kv_bytes)
            .gauge("used", "", || used.load(Ordering::Relaxed))
            .iter(|| {
                used.store(7, Ordering::Relaxed);
                clock.sleep(Duration::from_millis(40));
            });
    });
    let reads = reads.lock().unwrap();
    let windows: Vec<_> = cycles.iter().flat_map(|cycle| &cycle.windows).collect();
    assert_eq!(reads.len(), 2 * windows.len());
    for (window, pair) in windows.iter().zip(reads.chunks(2)) {
        assert_eq!((window.start, window.stop), (pair[0].1, pair[1].0), "the edges are next to the reads");
    }
    let edges: Vec<_> = cycles.iter().flat_map(|cycle| &cycle.custom_metrics[0].edges).copied().collect();
    let expected: Vec<_> =
        (0..windows.len()).map(|n| (Some(2.0 * n as f64 + 1.0), Some(2.0 * n as f64 + 2.0))).collect();
    assert_eq!(edges, expected);
    let n = reads.len() as f64;
    let mean = &bench.metrics["kv_bytes_mean"];
    assert_eq!((mean.value, bench.metrics["kv_bytes_max"].value), (Some(n.midpoint(1.0)), Some(n)));
    assert_eq!((&*mean.unit, mean.samples), ("bytes", Some(reads.len())));
    assert!(mean.interval.is_some());
    assert_eq!((bench.metrics["used_mean"].value, bench.metrics["used_max"].value), (Some(7.0), Some(7.0)));
}

#[test]
fn concurrent_requests_count_by_the_times_of_their_values() {
    let (cycles, bench) = measure(|machine, b| {
        let clock = machine.clock();
        let running = AtomicU64::new(0);
        let queue = || running.load(Ordering::Relaxed);
        b.gauge("running", "requests", queue).to_async(&clock).concurrency(4).iter_requests(
            [()],
            async |(), request| {
                running.fetch_add(1, Ordering::Relaxed);
                for step in 0..10_u64 {
                    clock.timer(clock.now() + Duration::from_millis(50)).await;
                    request.tokens(1);
                    request.metric("step", step);
                }
                running.fetch_sub(1, Ordering::Relaxed);
            },
        );
    });
    let tokens: u64 = cycles.iter().flat_map(|cycle| &cycle.windows).map(|window| window.work.output_tokens).sum();
    let step = &bench.metrics["step_mean"];
    assert_eq!(step.samples, Some(tokens as usize));
    assert!((step.value.unwrap() - 4.5).abs() < 0.1, "{step:?}");
    assert_eq!(bench.metrics["step_max"].value, Some(9.0));
    // An edge can be between the end of a request and the start of the next one.
    let running = bench.metrics["running_mean"].value.unwrap();
    assert!((3.0..=4.0).contains(&running), "{running}");
    assert_eq!(bench.metrics["running_max"].value, Some(4.0));
}

#[test]
fn state_is_lent_to_gauges() {
    let (_, bench) = measure(|machine, b| {
        let clock = machine.clock();
        b.with(Vec::<u64>::new())
            .synchronize(|tokens| tokens.truncate(1))
            .gauge("kept", "", |tokens| tokens.len())
            .iter(|tokens| {
                tokens.push(1);
                clock.sleep(Duration::from_millis(40));
            });
    });
    assert_eq!(bench.metrics["kept_mean"].value, Some(1.0));
}

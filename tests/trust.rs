//! The checks on simulated machines with known energy: a clean machine has no warnings, each fault has its finding, and
//! no number is wrong without a finding that explains it.

use lem_bench::analysis::{BenchSummary, Check, Finding, Options, Severity, Status, summarise};
use lem_bench::harness::{SimulationOptions, simulate};
use lem_bench::sim::{Scenario, Seeds};

/// The number of runs of each scenario; in each the fault occurs at another time.
const RUNS: u64 = 16;

fn scenario(name: &str) -> Scenario {
    let path = format!("{}/tests/scenarios/{name}.json", env!("CARGO_MANIFEST_DIR"));
    Scenario::read(path.as_ref()).unwrap_or_else(|error| panic!("{error}"))
}

fn run(scenario: &Scenario, run: u64) -> BenchSummary {
    let options = SimulationOptions { seed: run, ..SimulationOptions::default() };
    let measured = simulate(scenario, Seeds { run, bench: 0 }, &options).expect("a run");
    let analysis = Options { resamples: 100, threads: Some(1), ..Options::default() };
    let mut summary = summarise(&[measured.records], &analysis).expect("a summary");
    summary.benches.remove(0)
}

fn render(bench: &BenchSummary) -> String {
    let line = |finding: &Finding| format!("{:?} {}: {}\n", finding.weight, finding.check.name(), finding.evidence);
    bench.findings.iter().map(line).collect()
}

fn found(bench: &BenchSummary, check: Check) -> Option<Severity> {
    bench.findings.iter().filter(|finding| finding.check == check).map(|finding| finding.weight).max()
}

/// Returns the scenario with its faults and other processes, shifted by a time that depends on the run, and the scenario
/// without them.
fn with_and_without_fault(scenario: &Scenario, run: u64) -> (Scenario, Scenario) {
    let shift_s = 100.0 + 13.0 * run as f64;
    let (mut faulty, mut clean) = (scenario.clone(), scenario.clone());
    faulty.faults.iter_mut().for_each(|fault| fault.at_s += shift_s);
    for window in &mut faulty.background {
        window.from_s += shift_s;
        window.to_s = window.to_s.map(|to| to + shift_s);
    }
    clean.faults.clear();
    clean.background.clear();
    (faulty, clean)
}

/// Returns whether a metric differs from that of the same run without the fault by more than its interval and 1 %.
fn is_wrong(faulty: &BenchSummary, clean: &BenchSummary, metric: &str) -> bool {
    let value = |bench: &BenchSummary| bench.metrics.get(metric).and_then(|metric| metric.value);
    let (Some(value), Some(truth)) = (value(faulty), value(clean)) else { return false };
    let interval = faulty.metrics[metric].interval.as_ref();
    let outside = interval.is_none_or(|interval| truth < interval.low || truth > interval.high);
    outside && (value / truth - 1.0).abs() > 0.01
}

/// Runs a fault at many times and asserts that no metric is wrong without a warning of one of these checks. Returns the
/// runs.
fn run_fault(name: &str, causes: &[Check]) -> Vec<BenchSummary> {
    let scenario = scenario(name);
    let run_once = |n| {
        let (faulty, clean) = with_and_without_fault(&scenario, n);
        let (faulty, clean) = (run(&faulty, n), run(&clean, n));
        for metric in ["j_per_output_token", "net_j_per_output_token"] {
            let has_cause = causes.iter().any(|check| found(&faulty, *check) >= Some(Severity::Warning));
            assert!(
                has_cause || !is_wrong(&faulty, &clean, metric),
                "{name}, run {n}: {metric} is {:?}, without the fault {:?}\n{}",
                faulty.metrics.get(metric).map(|metric| (metric.value, metric.interval.clone())),
                clean.metrics.get(metric).and_then(|metric| metric.value),
                render(&faulty)
            );
        }
        faulty
    };
    (0..RUNS).map(run_once).collect()
}

#[track_caller]
fn assert_all_have(runs: &[BenchSummary], check: Check, min: Severity) {
    for (n, bench) in runs.iter().enumerate() {
        assert!(found(bench, check) >= Some(min), "run {n} has no {}:\n{}", check.name(), render(bench));
    }
}

#[test]
fn clean_machine_has_no_warnings() {
    let plain = scenario("plain");
    for n in 0..RUNS {
        let bench = run(&plain, n);
        assert_eq!(bench.status, Status::Valid, "run {n}:\n{}", render(&bench));
    }
}

/// The number of runs of each scenario for the rate of false alarms.
const FALSE_ALARM_RUNS: u64 = 300;

#[test]
fn false_alarms_are_rare() {
    for name in ["plain", "idle_heavy", "slow_counter", "without_heat"] {
        let scenario = scenario(name);
        let mut warned: std::collections::BTreeMap<String, u64> = std::collections::BTreeMap::new();
        let mut noted = warned.clone();
        let mut any = 0;
        for n in 1000..1000 + FALSE_ALARM_RUNS {
            let bench = run(&scenario, n);
            any += u64::from(bench.status != Status::Valid);
            for check in bench.findings.iter().map(|finding| finding.check).collect::<std::collections::HashSet<_>>() {
                let counts = if found(&bench, check) > Some(Severity::Note) { &mut warned } else { &mut noted };
                *counts.entry(check.name()).or_default() += 1;
            }
        }
        println!("{name}: {any} of {FALSE_ALARM_RUNS} with warnings: {warned:?}; notes: {noted:?}");
        // The seeds are fixed, and with them the counts. The checks document up to 1 % for these two.
        for (check, n) in warned.iter().filter(|(check, _)| ["drift", "temperature_energy"].contains(&check.as_str())) {
            assert!(*n * 100 <= FALSE_ALARM_RUNS, "{name}: {check} in {n} of {FALSE_ALARM_RUNS} runs");
        }
        assert!(any * 20 <= FALSE_ALARM_RUNS, "{name}: {any} of {FALSE_ALARM_RUNS} runs: {warned:?}");
    }
}

#[test]
fn wrapped_counter_is_corrected() {
    let runs = run_fault("faults/wrap", &[]);
    assert_all_have(&runs, Check::CounterWrapped, Severity::Note);
}

#[test]
fn reset_counter_is_found() {
    let runs = run_fault("faults/reset", &[Check::CounterReset]);
    assert_all_have(&runs, Check::CounterReset, Severity::Warning);
}

#[test]
fn stuck_counter_is_found_in_most_runs() {
    let runs =
        run_fault("faults/stuck", &[Check::CounterStuck, Check::Outlier, Check::IdleMoved, Check::EnergyMissing]);
    let n = runs.iter().filter(|bench| found(bench, Check::CounterStuck).is_some()).count();
    assert!(n * 2 >= runs.len(), "only {n} of {} runs have the finding", runs.len());
}

#[test]
fn failed_reads_are_found() {
    let runs = run_fault("faults/read_errors", &[Check::ReadFailed, Check::EnergyMissing]);
    assert_all_have(&runs, Check::ReadFailed, Severity::Note);
}

#[test]
fn lost_device_is_invalid() {
    let runs = run_fault("faults/lost", &[Check::DeviceLost]);
    assert_all_have(&runs, Check::DeviceLost, Severity::Invalid);
    assert!(runs.iter().any(|bench| !bench.cycles.is_empty()), "no run has cycles before the loss");
    assert!(runs.iter().flat_map(|bench| &bench.cycles).all(|cycle| cycle.energy_j.is_some()));
}

#[test]
fn other_process_is_always_found() {
    let runs = run_fault("faults/background", &[Check::Outlier, Check::IdleMoved]);
    let is_found = |bench: &&BenchSummary| {
        found(bench, Check::Outlier).or(found(bench, Check::IdleMoved)).or(found(bench, Check::Temperature)).is_some()
    };
    let n = runs.iter().filter(is_found).count();
    assert_eq!(n, runs.len(), "only {n} of {} runs have a finding", runs.len());
}

#[test]
fn throttling_is_found_with_duration() {
    let throttling = scenario("faults/throttling");
    for n in 0..4 {
        let bench = run(&throttling, n);
        assert_eq!(found(&bench, Check::Throttled), Some(Severity::Invalid), "run {n}:\n{}", render(&bench));
        let finding = bench.findings.iter().find(|finding| finding.check == Check::Throttled).expect("a finding");
        assert!(
            finding.evidence.contains("the temperature (hardware)") && finding.evidence.contains(" s of the windows")
        );
    }
}

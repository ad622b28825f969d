//! The trust ledger against machines whose truth is known: a clean one gives no warning, a fault leads to its own
//! finding, and no number is wrong without a finding that says why.

use lem_bench::analysis::{BenchSummary, Check, Finding, Options, Severity, Status, summarise};
use lem_bench::harness::{SimulationOptions, simulate};
use lem_bench::sim::{Scenario, Seeds};

/// Runs of each scenario; in each the fault strikes at another moment of the cycles.
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

fn told(bench: &BenchSummary) -> String {
    let line = |finding: &Finding| format!("{:?} {}: {}\n", finding.weight, finding.check.name(), finding.evidence);
    bench.findings.iter().map(line).collect()
}

fn found(bench: &BenchSummary, check: Check) -> Option<Severity> {
    bench.findings.iter().filter(|finding| finding.check == check).map(|finding| finding.weight).max()
}

/// The scenario with its faults and other processes moved by this run's share of a cycle or two, and without them.
fn moved(scenario: &Scenario, run: u64) -> (Scenario, Scenario) {
    let by = 100.0 + 13.0 * run as f64;
    let (mut faulty, mut clean) = (scenario.clone(), scenario.clone());
    faulty.faults.iter_mut().for_each(|fault| fault.at_s += by);
    for window in &mut faulty.background {
        window.from_s += by;
        window.to_s = window.to_s.map(|to| to + by);
    }
    clean.faults.clear();
    clean.background.clear();
    (faulty, clean)
}

/// Whether a figure is off from that of the same run without the fault by more than its own interval and 1 %.
fn is_off(faulty: &BenchSummary, clean: &BenchSummary, metric: &str) -> bool {
    let value = |bench: &BenchSummary| bench.metrics.get(metric).and_then(|metric| metric.value);
    let (Some(now), Some(truth)) = (value(faulty), value(clean)) else { return false };
    let interval = faulty.metrics[metric].interval.as_ref();
    let outside = interval.is_none_or(|interval| truth < interval.low || truth > interval.high);
    outside && (now / truth - 1.0).abs() > 0.01
}

/// Runs a fault at many moments: no figure is off without a warning that names one of `causes`. Returns the runs.
fn hold(name: &str, causes: &[Check]) -> Vec<BenchSummary> {
    let scenario = scenario(name);
    let each = |n| {
        let (faulty, clean) = moved(&scenario, n);
        let (faulty, clean) = (run(&faulty, n), run(&clean, n));
        for metric in ["j_per_output_token", "net_j_per_output_token"] {
            let named = causes.iter().any(|check| found(&faulty, *check) >= Some(Severity::Warning));
            assert!(
                named || !is_off(&faulty, &clean, metric),
                "{name}, run {n}: {metric} is {:?}, without the fault {:?}\n{}",
                faulty.metrics.get(metric).map(|metric| (metric.value, metric.interval.clone())),
                clean.metrics.get(metric).and_then(|metric| metric.value),
                told(&faulty)
            );
        }
        faulty
    };
    (0..RUNS).map(each).collect()
}

#[track_caller]
fn all_say(runs: &[BenchSummary], check: Check, least: Severity) {
    for (n, bench) in runs.iter().enumerate() {
        assert!(found(bench, check) >= Some(least), "run {n} has no {}:\n{}", check.name(), told(bench));
    }
}

#[test]
fn a_clean_machine_gives_no_warning() {
    let plain = scenario("plain");
    for n in 0..RUNS {
        let bench = run(&plain, n);
        assert_eq!(bench.status, Status::Valid, "run {n}:\n{}", told(&bench));
    }
}

/// Runs of each scenario for the rate of false alarms.
const MANY: u64 = 300;

#[test]
fn a_clean_machine_is_warned_about_as_seldom_as_the_ledger_says() {
    for name in ["plain", "idle_heavy", "slow_counter", "without_heat"] {
        let scenario = scenario(name);
        let mut warned: std::collections::BTreeMap<String, u64> = std::collections::BTreeMap::new();
        let mut noted = warned.clone();
        let mut any = 0;
        for n in 1000..1000 + MANY {
            let bench = run(&scenario, n);
            any += u64::from(bench.status != Status::Valid);
            for check in bench.findings.iter().map(|finding| finding.check).collect::<std::collections::HashSet<_>>() {
                let of = if found(&bench, check) > Some(Severity::Note) { &mut warned } else { &mut noted };
                *of.entry(check.name()).or_default() += 1;
            }
        }
        println!("{name}: {any} of {MANY} with warnings: {warned:?}; notes: {noted:?}");
        // The seeds are fixed, and with them the counts; up to a hundredth is what the ledger says of these two.
        for (check, n) in warned.iter().filter(|(check, _)| ["drift", "temperature_energy"].contains(&check.as_str())) {
            assert!(*n * 100 <= MANY, "{name}: {check} in {n} of {MANY} runs");
        }
        assert!(any * 20 <= MANY, "{name}: {any} of {MANY} runs: {warned:?}");
    }
}

#[test]
fn a_counter_that_wraps_is_continued() {
    let runs = hold("faults/wrap", &[]);
    all_say(&runs, Check::CounterWrapped, Severity::Note);
}

#[test]
fn a_counter_that_is_reset_is_told() {
    let runs = hold("faults/reset", &[Check::CounterReset]);
    all_say(&runs, Check::CounterReset, Severity::Warning);
}

#[test]
fn a_counter_that_stands_still_is_told_where_it_matters() {
    let runs = hold("faults/stuck", &[Check::CounterStuck, Check::Outlier, Check::IdleMoved, Check::EnergyMissing]);
    let told = runs.iter().filter(|bench| found(bench, Check::CounterStuck).is_some()).count();
    assert!(told * 2 >= runs.len(), "only {told} of {} runs saw it", runs.len());
}

#[test]
fn reads_that_fail_are_told() {
    let runs = hold("faults/read_errors", &[Check::ReadFailed, Check::EnergyMissing]);
    all_say(&runs, Check::ReadFailed, Severity::Note);
}

#[test]
fn a_lost_device_is_invalid_and_keeps_its_cycles() {
    let runs = hold("faults/lost", &[Check::DeviceLost]);
    all_say(&runs, Check::DeviceLost, Severity::Invalid);
    assert!(runs.iter().any(|bench| !bench.cycles.is_empty()), "in some runs cycles came before it");
    assert!(runs.iter().flat_map(|bench| &bench.cycles).all(|cycle| cycle.energy_j.is_some()));
}

#[test]
fn another_process_in_the_middle_is_never_silent() {
    let runs = hold("faults/background", &[Check::Outlier, Check::IdleMoved]);
    let told = |bench: &&BenchSummary| {
        found(bench, Check::Outlier).or(found(bench, Check::IdleMoved)).or(found(bench, Check::Temperature)).is_some()
    };
    let n = runs.iter().filter(told).count();
    assert_eq!(n, runs.len(), "{n} of {} runs say anything", runs.len());
}

#[test]
fn a_device_that_throttles_says_so_and_for_how_long() {
    let throttling = scenario("faults/throttling");
    for n in 0..4 {
        let bench = run(&throttling, n);
        assert_eq!(found(&bench, Check::Throttled), Some(Severity::Invalid), "run {n}:\n{}", told(&bench));
        let finding = bench.findings.iter().find(|finding| finding.check == Check::Throttled).expect("it was found");
        assert!(
            finding.evidence.contains("the temperature (hardware)") && finding.evidence.contains(" s of the windows")
        );
    }
}

//! Single runs compared with the truth: the errors of windows, the bias of estimates and the coverage of intervals.

use super::{measure, report};
use lem_bench::__private::harness::SimulationOptions;
use lem_bench::__private::protocol::Overrides;
use lem_bench::__private::sim::{Scenario, truth};
use serde_json::Value;

/// Runs of each scenario. The coverage of 95 % intervals is then at least 0.912 within 3.5 standard errors.
const RUNS: u64 = 400;
const MIN_COVERAGE: f64 = 0.912;

fn totals(scenario: &str, overrides: Overrides) -> Value {
    let path = format!("{}/tests/scenarios/{scenario}.json", env!("CARGO_MANIFEST_DIR"));
    let scenario = Scenario::read(path.as_ref()).expect("a scenario");
    let truth = truth(&scenario).expect("a truth");
    let mut totals = report::Totals::default();
    let options = SimulationOptions { overrides, ..SimulationOptions::default() };
    measure::measure_all(&scenario, &truth, RUNS, &options, |report| {
        assert!(report.json().is_object());
        totals.add(&report);
    })
    .expect("every run can be measured");
    totals.json(&truth)
}

fn figure(totals: &Value, name: &str) -> f64 {
    totals[name].as_f64().unwrap_or_else(|| panic!("no {name} in {totals}"))
}

/// Checks errors, bias and coverage.
fn check_accuracy(scenario: &str, worst_window_pct: f64, bias_pct: f64) {
    let totals = totals(scenario, Overrides::default());
    assert!(figure(&totals, "worst_window_error_pct").abs() <= worst_window_pct, "{totals}");
    assert!(figure(&totals, "bias_pct").abs() <= bias_pct, "{totals}");
    assert!(figure(&totals, "net_bias_pct").abs() <= bias_pct, "{totals}");
    for name in ["coverage", "net_coverage"] {
        let covered = figure(&totals, name);
        assert!((MIN_COVERAGE..=0.99).contains(&covered), "{name} {covered}: {totals}");
    }
    assert!(figure(&totals, "window_bounds_coverage") >= 0.93, "{totals}");
}

/// Checks the coverage of gross and net intervals.
fn check_coverage(scenario: &str, overrides: Overrides) {
    let totals = totals(scenario, overrides);
    for name in ["coverage", "net_coverage"] {
        let covered = figure(&totals, name);
        assert!((MIN_COVERAGE..=0.99).contains(&covered), "{scenario}, {overrides:?}: {name} {covered}: {totals}");
    }
}

#[test]
fn coverage_by_cycles_plain() {
    for cycles in [5, 8, 12] {
        check_coverage("plain", Overrides { cycles: Some(cycles), ..Overrides::default() });
    }
}

#[test]
fn coverage_by_cycles_idle_heavy() {
    for cycles in [5, 8, 12] {
        check_coverage("idle_heavy", Overrides { cycles: Some(cycles), ..Overrides::default() });
    }
}

#[test]
fn coverage_with_target_precision() {
    check_coverage("plain", Overrides { target_precision: Some(0.01), ..Overrides::default() });
}

#[test]
fn accuracy_plain() {
    check_accuracy("plain", 0.5, 0.3);
}

#[test]
fn accuracy_thermal() {
    check_accuracy("thermal", 0.5, 0.3);
}

#[test]
fn accuracy_heat_slow() {
    check_accuracy("heat_slow", 0.5, 0.3);
}

#[test]
fn accuracy_heat_two_stages() {
    check_accuracy("heat_two_stages", 0.5, 0.3);
}

#[test]
fn accuracy_heat_step() {
    check_accuracy("heat_step", 0.5, 0.3);
}

#[test]
fn accuracy_slow_counter() {
    check_accuracy("slow_counter", 0.5, 0.3);
}

#[test]
fn accuracy_part_time_gauge() {
    check_accuracy("part_time_gauge", 5.0, 0.3);
}

//! The whole harness against machines whose true energy is known: no window is wrong, no estimate leans, and intervals
//! cover the truth as often as they say.

use super::{measure, report};
use lem_bench::harness::SimulationOptions;
use lem_bench::protocol::Overrides;
use lem_bench::sim::{Scenario, truth};
use serde_json::Value;

/// Runs of each scenario. Coverage of 95 % intervals is then within 3.5 standard errors of 95 % at 0.912 and above.
const RUNS: u64 = 400;
const LEAST_COVERAGE: f64 = 0.912;

fn totals(scenario: &str, overrides: Overrides) -> Value {
    let path = format!("{}/tests/scenarios/{scenario}.json", env!("CARGO_MANIFEST_DIR"));
    let scenario = Scenario::read(path.as_ref()).expect("a scenario");
    let truth = truth(&scenario).expect("a truth");
    let mut totals = report::Totals::default();
    let options = SimulationOptions { overrides, ..SimulationOptions::default() };
    measure::all(&scenario, &truth, RUNS, &options, |report| {
        assert!(report.json().is_object());
        totals.add(&report);
    })
    .expect("every run can be measured");
    totals.json(&truth)
}

fn figure(totals: &Value, name: &str) -> f64 {
    totals[name].as_f64().unwrap_or_else(|| panic!("no {name} in {totals}"))
}

fn hold(scenario: &str, worst_window_pct: f64, bias_pct: f64) {
    let totals = totals(scenario, Overrides::default());
    assert!(figure(&totals, "worst_window_error_pct").abs() <= worst_window_pct, "{totals}");
    assert!(figure(&totals, "bias_pct").abs() <= bias_pct, "{totals}");
    assert!(figure(&totals, "net_bias_pct").abs() <= bias_pct, "{totals}");
    for name in ["coverage", "net_coverage"] {
        let covered = figure(&totals, name);
        assert!((LEAST_COVERAGE..=0.99).contains(&covered), "{name} {covered}: {totals}");
    }
    assert!(figure(&totals, "window_bounds_coverage") >= 0.93, "{totals}");
}

/// The intervals of both figures cover the truth as often as they say.
fn cover(scenario: &str, overrides: Overrides) {
    let totals = totals(scenario, overrides);
    for name in ["coverage", "net_coverage"] {
        let covered = figure(&totals, name);
        assert!((LEAST_COVERAGE..=0.99).contains(&covered), "{scenario}, {overrides:?}: {name} {covered}: {totals}");
    }
}

#[test]
fn few_cycles_and_many_where_idle_is_a_third_of_the_power() {
    for cycles in [5, 8, 12] {
        cover("plain", Overrides { cycles: Some(cycles), ..Overrides::default() });
    }
}

#[test]
fn few_cycles_and_many_where_idle_is_60_percent_of_the_power() {
    for cycles in [5, 8, 12] {
        cover("idle_heavy", Overrides { cycles: Some(cycles), ..Overrides::default() });
    }
}

#[test]
fn as_many_cycles_as_a_precision_takes() {
    cover("plain", Overrides { target_precision: Some(0.01), ..Overrides::default() });
}

#[test]
fn a_plain_machine() {
    hold("plain", 0.5, 0.3);
}

#[test]
fn a_card_that_leaks_with_heat_and_needs_to_warm_up() {
    // The interval knows nothing of the card's last half degree, so it may cover a little less.
    let totals = totals("thermal", Overrides::default());
    assert!(figure(&totals, "worst_window_error_pct").abs() <= 0.5, "{totals}");
    assert!(figure(&totals, "bias_pct").abs() <= 0.5, "{totals}");
    assert!(figure(&totals, "net_bias_pct").abs() <= 0.5, "{totals}");
    assert!(figure(&totals, "coverage") >= 0.89, "{totals}");
}

#[test]
fn a_counter_that_ticks_once_a_second() {
    hold("slow_counter", 0.5, 0.3);
}

#[test]
fn a_gauge_that_sees_a_quarter_of_the_time() {
    hold("part_time_gauge", 5.0, 0.3);
}

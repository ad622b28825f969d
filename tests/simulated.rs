//! The whole harness against machines whose true energy is known: no window is wrong, no estimate leans, and intervals
//! cover the truth as often as they say.

#[path = "../examples/simulate/measure.rs"]
mod measure;
#[path = "../examples/simulate/report.rs"]
mod report;
#[path = "../examples/simulate/side_by_side.rs"]
mod side_by_side;

use lem_bench::harness::SimulationOptions;
use lem_bench::sim::{Scenario, truth};
use serde_json::Value;

/// Runs of each scenario. Coverage of 95 % intervals is then within 3.5 standard errors of 95 % at 0.912 and above.
const RUNS: u64 = 400;
const LEAST_COVERAGE: f64 = 0.912;

fn totals(scenario: &str) -> Value {
    let path = format!("{}/tests/scenarios/{scenario}.json", env!("CARGO_MANIFEST_DIR"));
    let scenario = Scenario::read(path.as_ref()).expect("a scenario");
    let truth = truth(&scenario).expect("a truth");
    let mut totals = report::Totals::default();
    measure::all(&scenario, &truth, RUNS, &SimulationOptions::default(), |report| {
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
    let totals = totals(scenario);
    assert!(figure(&totals, "worst_window_error_pct").abs() <= worst_window_pct, "{totals}");
    assert!(figure(&totals, "bias_pct").abs() <= bias_pct, "{totals}");
    assert!(figure(&totals, "net_bias_pct").abs() <= bias_pct, "{totals}");
    for name in ["coverage", "net_coverage"] {
        let covered = figure(&totals, name);
        assert!((LEAST_COVERAGE..=0.99).contains(&covered), "{name} {covered}: {totals}");
    }
    assert!(figure(&totals, "window_bounds_coverage") >= 0.93, "{totals}");
}

#[test]
fn a_plain_machine() {
    hold("plain", 0.5, 0.3);
}

#[test]
fn a_card_that_leaks_with_heat_and_needs_to_warm_up() {
    // The interval knows nothing of the card's last half degree, so it may cover a little less.
    let totals = totals("thermal");
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

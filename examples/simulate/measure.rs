//! Measures a scenario repeatedly, and compares each run with the truth.

use lem_bench::__private::analysis::{Options, summarise};
use lem_bench::__private::harness::{SimulationOptions, simulate};
use lem_bench::__private::model::{Record, Uncertainty, WindowRecord};
use lem_bench::__private::sim::{Machine, Scenario, Seeds, Truth};

use super::parallel::run_in_parallel;
use super::report::{RunReport, Window};

/// Measures `runs` runs, some in parallel, and passes their reports to `on_report` in order.
pub(crate) fn measure_all(
    scenario: &Scenario,
    truth: &Truth,
    runs: u64,
    options: &SimulationOptions,
    on_report: impl FnMut(RunReport),
) -> Result<(), String> {
    run_in_parallel(runs, |run| measure_run(scenario, run, truth, options), on_report)
}

fn measure_run(scenario: &Scenario, run: u64, truth: &Truth, options: &SimulationOptions) -> Result<RunReport, String> {
    let options = SimulationOptions { seed: options.seed.wrapping_add(run), ..*options };
    let measured = simulate(scenario, Seeds { run, bench: 0 }, &options).map_err(|e| e.to_string())?;
    let windows = windows(&measured.records, &measured.machine);
    let virtual_s = measured.virtual_s;
    // The headline intervals need no resampling, so a few resamples are enough.
    let analysis = Options { resamples: 200, threads: Some(1), ..Options::default() };
    let summary = summarise(&[measured.records], &analysis).map_err(|e| e.to_string())?;
    let bench = summary.benches.first().ok_or("the run measured nothing")?;
    Ok(RunReport::new(run, bench, &windows, virtual_s, truth))
}

/// The standard uncertainty of a window's energy.
fn uncertainty(window: &WindowRecord) -> f64 {
    let own = window.energy.iter().filter_map(|energy| energy.uncertainty);
    own.fold(Uncertainty::default(), |sum, own| sum.plus(&own, 1.0)).total().get()
}

/// The measured energy of each window with its bounds, and its true energy.
pub(crate) fn windows(records: &[Record], machine: &Machine) -> Vec<Window> {
    let to_window = |window: &WindowRecord| Window {
        truth: machine.truth(window.start, window.stop).get(),
        measured: window.energy.iter().map(|energy| energy.joules.get()).sum(),
        low: window.energy.iter().map(|energy| energy.low.get()).sum(),
        high: window.energy.iter().map(|energy| energy.high.get()).sum(),
        uncertainty: uncertainty(window),
    };
    let windows_of = |record: &Record| match record {
        Record::Cycle(cycle) => cycle.windows.iter().map(to_window).collect(),
        _ => Vec::new(),
    };
    records.iter().flat_map(windows_of).collect()
}

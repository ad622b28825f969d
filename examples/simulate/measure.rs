//! Measures a scenario again and again, and holds each run against the truth.

use lem_bench::analysis::{Options, summarise};
use lem_bench::harness::{SimulationOptions, simulate};
use lem_bench::model::{Record, WindowRecord};
use lem_bench::sim::{Machine, Scenario, Seeds, Truth};

use super::report::{RunReport, Window};
use super::side_by_side::side_by_side;

/// Measures `runs` runs, a few side by side, and hands them to `take` in order.
pub(crate) fn all(
    scenario: &Scenario,
    truth: &Truth,
    runs: u64,
    options: &SimulationOptions,
    take: impl FnMut(RunReport),
) -> Result<(), String> {
    side_by_side(runs, |run| one(scenario, run, truth, options), take)
}

fn one(scenario: &Scenario, run: u64, truth: &Truth, options: &SimulationOptions) -> Result<RunReport, String> {
    let options = SimulationOptions { seed: options.seed.wrapping_add(run), ..*options };
    let measured = simulate(scenario, Seeds { run, bench: 0 }, &options).map_err(|e| e.to_string())?;
    let windows = windows(&measured.records, &measured.machine);
    let virtual_s = measured.virtual_s;
    // The headline intervals need no resampling; a few resamples show that the others are there.
    let analysis = Options { resamples: 200, threads: Some(1), ..Options::default() };
    let summary = summarise(&[measured.records], &analysis).map_err(|e| e.to_string())?;
    let bench = summary.benches.first().ok_or("the run measured nothing")?;
    Ok(RunReport::new(run, bench, &windows, virtual_s, truth))
}

/// Each window's energy with what the sensors allow for it, beside its true energy.
pub(crate) fn windows(records: &[Record], machine: &Machine) -> Vec<Window> {
    let window = |window: &WindowRecord| Window {
        truth: machine.truth(window.start, window.stop).get(),
        measured: window.energy.iter().map(|energy| energy.joules.get()).sum(),
        low: window.energy.iter().map(|energy| energy.low.get()).sum(),
        high: window.energy.iter().map(|energy| energy.high.get()).sum(),
    };
    let of = |record: &Record| match record {
        Record::Cycle(cycle) => cycle.windows.iter().map(window).collect(),
        _ => Vec::new(),
    };
    records.iter().flat_map(of).collect()
}

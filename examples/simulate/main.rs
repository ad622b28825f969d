//! Holds the whole harness against machines whose true energy is known.
//!
//! `cargo run --release --example simulate -- SCENARIO.json --runs 200` measures the scenario again and again in
//! virtual time and prints one JSON object a run, then one that sums them up.

mod arguments;
mod report;

use std::process::ExitCode;

use lem_bench::analysis::{Options, summarise};
use lem_bench::harness::{SimulatedRun, simulate};
use lem_bench::model::Record;
use lem_bench::sim::{Scenario, Seeds, Truth, truth};

use arguments::Arguments;
use report::{RunReport, Totals};

fn main() -> ExitCode {
    let arguments = match Arguments::parse(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(message) => {
            eprintln!("simulate: {message}");
            return ExitCode::from(2);
        }
    };
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("simulate: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), String> {
    let scenario = Scenario::read(&arguments.scenario).map_err(|e| e.to_string())?;
    let truth = truth(&scenario).map_err(|e| e.to_string())?;
    let mut totals = Totals::default();
    // Runs are independent, so a few are measured side by side; they are printed in order.
    let threads = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    let mut next = 0;
    while next < arguments.runs {
        let batch: Vec<u64> = (next..arguments.runs.min(next + threads)).collect();
        next += threads;
        let reports: Vec<Result<RunReport, String>> = std::thread::scope(|scope| {
            let (scenario, truth) = (&scenario, &truth);
            let measure = |run| scope.spawn(move || measure(scenario, run, truth, arguments));
            let handles: Vec<_> = batch.into_iter().map(measure).collect();
            handles
                .into_iter()
                .map(|handle| handle.join().unwrap_or_else(|_| Err("a simulated run panicked".to_owned())))
                .collect()
        });
        for report in reports {
            let report = report?;
            println!("{}", report.json());
            totals.add(&report);
        }
    }
    println!("{}", totals.json(&truth));
    Ok(())
}

fn measure(scenario: &Scenario, run: u64, truth: &Truth, arguments: &Arguments) -> Result<RunReport, String> {
    let mut options = arguments.options;
    options.seed = arguments.options.seed.wrapping_add(run);
    let measured = simulate(scenario, Seeds { run, bench: 0 }, &options).map_err(|e| e.to_string())?;
    let journals = [measured.records.clone()];
    let analysis = Options { resamples: 200, threads: Some(1), ..Options::default() };
    let summary = summarise(&journals, &analysis).map_err(|e| e.to_string())?;
    let bench = summary.benches.first().ok_or("the run measured nothing")?;
    Ok(RunReport::new(run, bench, windows(&measured), measured.virtual_s, truth))
}

/// The true and the measured energy of each window, in J.
fn windows(run: &SimulatedRun) -> Vec<(f64, f64)> {
    let cycles =
        run.records.iter().filter_map(|record| if let Record::Cycle(cycle) = record { Some(cycle) } else { None });
    cycles
        .flat_map(|cycle| &cycle.windows)
        .map(|window| {
            let measured = window.energy.iter().map(|energy| energy.joules.get()).sum();
            (run.machine.truth(window.start, window.stop).get(), measured)
        })
        .collect()
}

//! Tests the whole harness on machines whose true energy is known.
//!
//! `cargo run --release --example simulate -- SCENARIO.json --runs 200` measures the scenario repeatedly in virtual
//! time and prints one JSON object per run, then a summary.
//!
//! `--compare OTHER.json` compares a result of the second scenario with a saved baseline of the first in each run, with
//! the functions that compare real results: with `--history K` earlier sessions of the first, or with `--paired` as a
//! duel within one session. The summary compares the verdicts with the true change.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "printing is what this program is for")]

mod arguments;
mod compare;
mod compare_json;
mod measure;
mod parallel;
mod report;

use std::process::ExitCode;

use lem_bench::__private::sim::{Scenario, truth};

use arguments::Arguments;
use compare::{ComparedScenarios, Verdicts, true_change_pct};
use report::Totals;

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
    if let Some(other) = &arguments.compare {
        return run_comparison(arguments, &scenario, &Scenario::read(other).map_err(|e| e.to_string())?);
    }
    let mut totals = Totals::default();
    measure::measure_all(&scenario, &truth, arguments.runs, &arguments.options, |report| {
        println!("{}", report.json());
        totals.add(&report);
    })?;
    println!("{}", totals.json(&truth));
    Ok(())
}

fn run_comparison(arguments: &Arguments, base: &Scenario, new: &Scenario) -> Result<(), String> {
    let [base_truth, new_truth] = [truth(base), truth(new)].map(|truth| truth.map_err(|e| e.to_string()));
    let (base_truth, new_truth) = (base_truth?, new_truth?);
    let change = true_change_pct(&base_truth, &new_truth);
    let (against, options) = (arguments.against, &arguments.options);
    let scenarios = ComparedScenarios { base, new, truth: &base_truth, against, options };
    let (mut totals, mut verdicts) = (Totals::default(), Verdicts::default());
    parallel::run_in_parallel(
        arguments.runs,
        |run| scenarios.run(run),
        |compared| {
            println!("{}", compare_json::run(&compared));
            totals.add(&compared.base);
            verdicts.add(&compared.bench, change);
        },
    )?;
    println!("{}", compare_json::summary(totals.json(&base_truth), &verdicts, change));
    Ok(())
}

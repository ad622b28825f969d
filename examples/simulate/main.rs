//! Holds the whole harness against machines whose true energy is known.
//!
//! `cargo run --release --example simulate -- SCENARIO.json --runs 200` measures the scenario again and again in
//! virtual time and prints one JSON object a run, then one that sums them up.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "printing is what this program is for")]

mod arguments;
mod measure;
mod report;

use std::process::ExitCode;

use lem_bench::sim::{Scenario, truth};

use arguments::Arguments;
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
    let mut totals = Totals::default();
    measure::all(&scenario, &truth, arguments.runs, &arguments.options, |report| {
        println!("{}", report.json());
        totals.add(&report);
    })?;
    println!("{}", totals.json(&truth));
    Ok(())
}

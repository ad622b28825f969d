//! Errors of the energy of windows against the known truth: with naive reads of the counter at the edges, and with this
//! library on the same sensor.
//!
//! `cargo run --release --example time_domain [-- RUNS]` measures windows of 0.5 to 10 s on simulated machines, each
//! with its own sensor phase (1,000 by default), with the sampler and `EnergyMeter`, and prints the errors in percent
//! of the true energy. Exits with 1 if a bound is exceeded.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "prints its results")]

mod machine;
mod measure;
mod table;

use std::process::ExitCode;

use machine::{Edges, Load, Sensor, Setting};
use table::Bounds;

/// The settings and their bounds: p95 of |error| in % by window length, and the lowest share of windows whose worst case
/// contains the truth.
const SETTINGS: [(Setting, Bounds); 6] = [
    (Setting { load: Load::Even, sensor: Sensor::FullTime, edges: Edges::IdleSide }, Bounds::FULL_TIME),
    (Setting { load: Load::Bursts, sensor: Sensor::FullTime, edges: Edges::IdleSide }, Bounds::FULL_TIME),
    (Setting { load: Load::Even, sensor: Sensor::FullTime, edges: Edges::Load }, Bounds::FULL_TIME),
    // Bursts across an edge are not visible within the tick that contains the edge: only the ± includes them.
    (Setting { load: Load::Bursts, sensor: Sensor::FullTime, edges: Edges::Load }, Bounds::min_coverage(1.0)),
    (Setting { load: Load::Bursts, sensor: Sensor::PartTime, edges: Edges::IdleSide }, Bounds::min_coverage(0.93)),
    (Setting { load: Load::Bursts, sensor: Sensor::PartTime, edges: Edges::Load }, Bounds::min_coverage(0.93)),
];

/// Bounds for ten windows of ten seconds on a part-time sensor with 25 % coverage: p95 of the error of their mean in %,
/// and the lowest share of runs whose 95 % interval over the ten contains the truth.
const TEN: (f64, f64) = (1.0, 0.93);

fn main() -> ExitCode {
    let runs = match std::env::args().nth(1).map(|text| text.parse::<u64>()) {
        None => 1000,
        Some(Ok(runs)) if runs > 0 => runs,
        Some(_) => {
            eprintln!("usage: time_domain [RUNS], a number from 1");
            return ExitCode::from(2);
        }
    };
    match run(runs) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            println!("\nA bound was exceeded (marked with !).");
            ExitCode::FAILURE
        }
        Err(message) => {
            eprintln!("time_domain: {message}");
            ExitCode::from(2)
        }
    }
}

fn run(runs: u64) -> Result<bool, String> {
    println!("{runs} machines per row, each with its own sensor phase; errors in % of the true energy\n");
    println!("{}", table::HEAD);
    let mut ok = true;
    for (setting, bounds) in SETTINGS {
        for (length, windows) in measure::windows(setting, runs)? {
            let row = table::Row::new(setting, length, &windows, &bounds);
            ok &= row.holds();
            println!("{row}");
        }
    }
    println!("\nMean of ten windows of 10 s on the part-time sensor\n");
    println!("{}", table::TEN_HEAD);
    for edges in [Edges::IdleSide, Edges::Load] {
        let setting = Setting { load: Load::Bursts, sensor: Sensor::PartTime, edges };
        let row = table::Ten::new(setting, &measure::tens(setting, runs)?, TEN);
        ok &= row.holds();
        println!("{row}");
    }
    Ok(ok)
}

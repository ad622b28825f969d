//! How far a window's energy is off in time, against a truth that is known: reading the counter at the edges, as
//! everyone does, beside what this library makes of the same sensor.
//!
//! `cargo run --release --example time_domain [-- RUNS]` measures windows of 0.5 to 10 s on simulated machines, each
//! with a sensor phase of its own (1,000 by default), through the sampler and `EnergyMeter`, and prints the errors in
//! percent of the true energy. It exits with 1 when a bound is missed.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "printing is what this program is for")]

mod machine;
mod measure;
mod table;

use std::process::ExitCode;

use machine::{Edges, Load, Sensor, Setting};
use table::Bounds;

/// What is measured, and what must hold for it: p95 of |error| in % by window length, and the least share of windows
/// whose stated ± holds the truth.
const SETTINGS: [(Setting, Bounds); 6] = [
    (Setting { load: Load::Even, sensor: Sensor::FullTime, edges: Edges::IdleSide }, Bounds::FULL_TIME),
    (Setting { load: Load::Bursts, sensor: Sensor::FullTime, edges: Edges::IdleSide }, Bounds::FULL_TIME),
    (Setting { load: Load::Even, sensor: Sensor::FullTime, edges: Edges::Load }, Bounds::FULL_TIME),
    // Bursts that go on over the edges hide in the one tick that holds the edge: only the ± can tell.
    (Setting { load: Load::Bursts, sensor: Sensor::FullTime, edges: Edges::Load }, Bounds::held(1.0)),
    (Setting { load: Load::Bursts, sensor: Sensor::PartTime, edges: Edges::IdleSide }, Bounds::held(0.93)),
    (Setting { load: Load::Bursts, sensor: Sensor::PartTime, edges: Edges::Load }, Bounds::held(0.93)),
];

/// Ten windows of ten seconds on a sensor that sees a quarter of the time: p95 of the error of their mean in %, and the
/// least share of runs whose 95 % interval over the ten covers the truth.
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
            println!("\nA bound was missed (marked with !).");
            ExitCode::FAILURE
        }
        Err(message) => {
            eprintln!("time_domain: {message}");
            ExitCode::from(2)
        }
    }
}

fn run(runs: u64) -> Result<bool, String> {
    println!("{runs} machines each, every one with a sensor phase of its own; errors in % of the true energy\n");
    println!("{}", table::HEAD);
    let mut held = true;
    for (setting, bounds) in SETTINGS {
        for (length, windows) in measure::windows(setting, runs)? {
            let row = table::Row::new(setting, length, &windows, &bounds);
            held &= row.holds();
            println!("{row}");
        }
    }
    println!("\nTen windows of 10 s on the part-time sensor, taken together\n");
    println!("{}", table::TEN_HEAD);
    for edges in [Edges::IdleSide, Edges::Load] {
        let setting = Setting { load: Load::Bursts, sensor: Sensor::PartTime, edges };
        let row = table::Ten::new(setting, &measure::tens(setting, runs)?, TEN);
        held &= row.holds();
        println!("{row}");
    }
    Ok(held)
}

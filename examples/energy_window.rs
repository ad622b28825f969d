//! Measures the energy of spans of time with `EnergyMeter`, without a harness.
//!
//! ```text
//! cargo run --release --example energy_window -- 0.5 1 2
//! ```
//! For each argument, it sleeps for that many seconds. It prints `begin` and `end` with a timestamp (nanoseconds of
//! `CLOCK_MONOTONIC`), and then `energy` with the value and the lower and upper bound of the sensor, in joules.
//! `tests/tools/zeus_compare.sh` compares it with Zeus.
#![expect(clippy::print_stdout, reason = "an example that reports to the terminal")]

use std::error::Error;
use std::io::Write;
use std::time::Duration;

use lem_bench::__private::clock::monotonic_now;
use lem_bench::EnergyMeter;

fn print_timestamp(event: &str) {
    println!("{event} {}", monotonic_now().nanos());
    // The program that reads this must get it immediately.
    drop(std::io::stdout().flush());
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut meter = EnergyMeter::auto()?;
    for argument in std::env::args().skip(1) {
        let length = Duration::try_from_secs_f64(argument.parse()?)?;
        let measured = meter.measure(|| {
            print_timestamp("begin");
            std::thread::sleep(length);
            print_timestamp("end");
        })?;
        println!("energy {:.4} {:.4} {:.4}", measured.energy.get(), measured.low.get(), measured.high.get());
    }
    Ok(())
}

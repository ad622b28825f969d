//! Measures the energy of spans of time with `EnergyMeter`, without a harness.
//!
//! ```text
//! cargo run --release --example energy_window -- 0.5 1 2
//! ```
//! For each argument, it sleeps for that many seconds. It prints `begin` and `end` with a timestamp (nanoseconds of
//! `CLOCK_MONOTONIC`), and then `energy` with the value and the lower and upper bound of the sensor, in joules.
//! `tests/tools/zeus_compare.sh` compares it with Zeus.
//!
//! With `-`, it reads lines from stdin instead: one announces a window, and the next one, which may be written after
//! `begin` was printed, ends it. It then also prints `uncertainty` with the standard uncertainty in joules.
//! `reports/zeus/card.py` uses this.
#![expect(clippy::print_stdout, reason = "an example that reports to the terminal")]

use std::error::Error;
use std::io::Write;
use std::time::Duration;

use lem_bench::__private::clock::monotonic_now;
use lem_bench::{EnergyMeter, Measured};

fn print_timestamp(event: &str) {
    println!("{event} {}", monotonic_now().nanos());
    // The program that reads this must get it immediately.
    drop(std::io::stdout().flush());
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut meter = EnergyMeter::auto()?;
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments == ["-"] {
        return measure_between_lines(&mut meter);
    }
    for argument in arguments {
        let length = Duration::try_from_secs_f64(argument.parse()?)?;
        let measured = meter.measure(|| {
            print_timestamp("begin");
            std::thread::sleep(length);
            print_timestamp("end");
        })?;
        print_energy(&measured);
    }
    Ok(())
}

fn measure_between_lines(meter: &mut EnergyMeter) -> Result<(), Box<dyn Error>> {
    let mut lines = std::io::stdin().lines();
    while lines.next().transpose()?.is_some() {
        let measured = meter.measure(|| {
            print_timestamp("begin");
            let line = lines.next().transpose();
            print_timestamp("end");
            line
        })?;
        print_energy(&measured);
        println!("uncertainty {:.4}", measured.uncertainty.total().get());
        measured.value?;
    }
    Ok(())
}

fn print_energy<T>(measured: &Measured<T>) {
    println!("energy {:.4} {:.4} {:.4}", measured.energy.get(), measured.low.get(), measured.high.get());
}

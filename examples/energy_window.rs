//! The energy of stretches of time without a protocol, beside whoever wants to measure the same: `EnergyMeter` on its own.
//!
//! ```text
//! cargo run --release --example energy_window -- 0.5 1 2
//! ```
//! For each number of seconds it prints `begin` and `end` with the moment (ns of the machine's monotonic clock) while it
//! waits so long, and then the joules with what the sensor allows for. `tests/tools/zeus_compare.sh` runs it with Zeus.
#![expect(clippy::print_stdout, reason = "an example that reports to the terminal")]

use std::error::Error;
use std::io::Write;
use std::time::Duration;

use lem_bench::__private::clock::monotonic_now;
use lem_bench::EnergyMeter;

fn say(what: &str) {
    println!("{what} {}", monotonic_now().nanos());
    // Whoever listens is told now or not at all.
    drop(std::io::stdout().flush());
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut meter = EnergyMeter::auto()?;
    for argument in std::env::args().skip(1) {
        let length = Duration::try_from_secs_f64(argument.parse()?)?;
        let measured = meter.measure(|| {
            say("begin");
            std::thread::sleep(length);
            say("end");
        })?;
        println!("energy {:.4} {:.4} {:.4}", measured.energy.get(), measured.low.get(), measured.high.get());
    }
    Ok(())
}

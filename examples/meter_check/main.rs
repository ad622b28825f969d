//! Examines the meters of this machine: the cost of a read, the update period and step of each sensor at several read
//! intervals, and the difference between each energy counter and its power gauge.
//!
//! ```text
//! cargo run --release --example meter_check -- [--json] [--seconds N] [--record FILE] [--load COMMAND] [--settle N]
//! ```
//! `--load` is a command that takes about half a minute. Every meter except the estimate is examined again while the
//! load runs (after `--settle` seconds, default 10), and then the complete load is measured three times. The mean power
//! of a counter must not depend on how often it is read. A load for a GPU with PyTorch:
//!
//! ```text
//! --load "python3 -c 'import collections, torch; a = torch.randn(8192, 8192, device=\"cuda\", dtype=torch.bfloat16); collections.deque((a @ a for _ in range(20000)), maxlen=0); torch.cuda.synchronize()'"
//! ```
//! A load for `cargo lem doctor --pulses`, which runs for as many milliseconds as each line of its stdin contains:
//!
//! ```text
//! --pulses "python3 -uc 'import sys, time, torch; a = torch.randn(4096, 4096, device=\"cuda\", dtype=torch.bfloat16); pulse = lambda end: [(a @ a, torch.cuda.synchronize()) for _ in iter(lambda: time.time() < end, False)]; [(pulse(time.time() + float(ms) / 1000), print(\"done\")) for ms in sys.stdin]'"
//! ```
//! `--record` writes the readings, without serial numbers, to a small JSON file. Its `double` is a machine description
//! for `tests/nvml-double`. `CUDA_VISIBLE_DEVICES` and `LEM_BENCH_SYSFS_ROOT` are respected.
#![expect(clippy::print_stdout, reason = "an example that reports to the terminal")]

mod load;
mod measure;
mod record;
mod report;

use std::error::Error;

use lem_bench::__private::meter::{NvmlOptions, OpenOptions, Status, detect};
use lem_bench::meter::Origin;
use serde_json::json;

fn main() -> Result<(), Box<dyn Error>> {
    let (mut as_json, mut seconds, mut record, mut load, mut settle) = (false, 3.0, None, None, 10.0);
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--json" => as_json = true,
            "--seconds" => seconds = args.next().and_then(|n| n.parse().ok()).ok_or("--seconds needs a number")?,
            "--load" => load = Some(args.next().ok_or("--load needs a command")?),
            "--settle" => settle = args.next().and_then(|n| n.parse().ok()).ok_or("--settle needs a number")?,
            "--record" => record = Some(args.next().ok_or("--record needs a file")?),
            other => return Err(format!("unknown option {other}: see the top of examples/meter_check/main.rs").into()),
        }
    }
    let nvml = NvmlOptions {
        lib_path: None,
        visible: std::env::var("CUDA_VISIBLE_DEVICES").ok(),
        device_order: std::env::var("CUDA_DEVICE_ORDER").ok(),
    };
    let sysfs_root = std::env::var_os("LEM_BENCH_SYSFS_ROOT").unwrap_or_else(|| "/sys".into()).into();
    let options = OpenOptions { sysfs_root, nvml, ..OpenOptions::default() };

    let (mut reports, mut records) = (Vec::new(), Vec::new());
    for found in detect(&options) {
        let report = match found.status {
            Status::Unavailable { why, remedy } => {
                json!({"meter": found.name, "why": why.to_string(), "remedy": remedy})
            }
            Status::Ready(mut opened) => {
                let (mut report, mut recorded) = measure::check(opened.meter.as_mut(), &opened.notes, seconds)?;
                // An estimate has no sensor to examine or to replay.
                if opened.meter.origin() == Origin::Measured {
                    recorded["state"] = "as found".into();
                    records.push(recorded);
                    if let Some(load) = &load {
                        let running = load::Load::start(load)?;
                        std::thread::sleep(std::time::Duration::from_secs_f64(settle));
                        let (loaded, mut recorded) = measure::check(opened.meter.as_mut(), &[], seconds)?;
                        drop(running);
                        recorded["state"] = "under load".into();
                        records.push(recorded);
                        report["under_load"] = loaded;
                        match load::measure_runs(opened.meter, opened.headline, load) {
                            Ok(runs) => report["runs"] = runs.into(),
                            Err(error) => report["no_runs"] = error.to_string().into(),
                        }
                    }
                }
                report
            }
        };
        if !as_json {
            report::print(&report);
        }
        reports.push(report);
    }
    if as_json {
        println!("{}", serde_json::to_string_pretty(&reports)?);
    }
    if let Some(file) = record {
        std::fs::write(&file, serde_json::to_string(&records)?).map_err(|error| format!("{file}: {error}"))?;
        if !as_json {
            println!("wrote {} records to {file}", records.len());
        }
    }
    Ok(())
}

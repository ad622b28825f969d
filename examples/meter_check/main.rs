//! What the meters of this machine really do: cost of each read, update period and quantum of each sensor at several
//! polling densities, and each energy counter against its power gauge.
//!
//! ```text
//! cargo run --release --example meter_check -- [--json] [--seconds N] [--record FILE]
//! ```
//! Run it once at rest and once beside a steady load; `mean W` of a counter must not depend on how densely it is read.
//! `--record` writes what was read (without serial numbers) to a small JSON file, whose `double` describes an NVIDIA
//! machine to `tests/nvml-double`. Honours `CUDA_VISIBLE_DEVICES` and `LEM_BENCH_SYSFS_ROOT`.
#![expect(clippy::print_stdout, reason = "an example that reports to the terminal")]

mod measure;
mod record;
mod report;

use std::error::Error;

use lem_bench::meter::{NvmlOptions, OpenOptions, Status, survey};
use lem_bench::model::Origin;
use serde_json::json;

fn main() -> Result<(), Box<dyn Error>> {
    let (mut as_json, mut seconds, mut record) = (false, 3.0, None);
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--json" => as_json = true,
            "--seconds" => seconds = args.next().and_then(|n| n.parse().ok()).ok_or("--seconds needs a number")?,
            "--record" => record = Some(args.next().ok_or("--record needs a file")?),
            other => return Err(format!("unknown option {other}; see the head of examples/meter_check.rs").into()),
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
    for found in survey(&options) {
        let report = match found.status {
            Status::Unavailable { why, remedy } => {
                json!({"meter": found.name, "why": why.to_string(), "remedy": remedy})
            }
            Status::Ready(mut opened) => {
                let (report, recorded) = measure::check(opened.meter.as_mut(), &opened.notes, seconds)?;
                // An estimate watches this process and no machine: there is nothing to replay.
                if opened.meter.origin() == Origin::Measured {
                    records.push(recorded);
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
            println!("recorded {} measured meters in {file}", records.len());
        }
    }
    Ok(())
}

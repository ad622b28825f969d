//! What the meters of this machine really do: cost of each read, update period and quantum of each sensor at several
//! polling densities, and each energy counter against its power gauge.
//!
//! ```text
//! cargo run --release --example meter_check -- [--json] [--seconds N] [--record FILE] [--load COMMAND] [--settle N]
//! ```
//! With `--load`, a command that works for about half a minute and ends, every measured meter is looked at again while
//! the load runs (after `--settle` seconds, 10), and the load is measured three times from its beginning to its end.
//! `mean W` of a counter must not depend on how densely it is read. On a GPU with PyTorch a load is:
//!
//! ```text
//! --load "python3 -c 'import collections, torch; a = torch.randn(8192, 8192, device=\"cuda\", dtype=torch.bfloat16); collections.deque((a @ a for _ in range(20000)), maxlen=0); torch.cuda.synchronize()'"
//! ```
//! `--record` writes what was read (without serial numbers) to a small JSON file, whose `double` describes an NVIDIA
//! machine to `tests/nvml-double`. Honours `CUDA_VISIBLE_DEVICES` and `LEM_BENCH_SYSFS_ROOT`.
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
    for found in detect(&options) {
        let report = match found.status {
            Status::Unavailable { why, remedy } => {
                json!({"meter": found.name, "why": why.to_string(), "remedy": remedy})
            }
            Status::Ready(mut opened) => {
                let (mut report, mut recorded) = measure::check(opened.meter.as_mut(), &opened.notes, seconds)?;
                // An estimate watches this process and no machine: there is nothing to replay.
                if opened.meter.origin() == Origin::Measured {
                    recorded["state"] = "as found".into();
                    records.push(recorded);
                    if let Some(load) = &load {
                        let running = load::Load::keep(load)?;
                        std::thread::sleep(std::time::Duration::from_secs_f64(settle));
                        let (loaded, mut recorded) = measure::check(opened.meter.as_mut(), &[], seconds)?;
                        drop(running);
                        recorded["state"] = "under load".into();
                        records.push(recorded);
                        report["under_load"] = loaded;
                        match load::runs(opened.meter, opened.headline, load) {
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
            println!("recorded {} measured meters in {file}", records.len());
        }
    }
    Ok(())
}

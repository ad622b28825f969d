//! Runs a file of statistics test vectors (schema `lem-stats-vectors/1`) against `lem_bench::stats`.
//!
//! `cargo run --release --example vectors -- FILE` prints each mismatch and, last, `N passed, M failed`. Exits 1 where
//! one failed, 2 where the file cannot be used.

mod support;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(path), None) = (arguments.next().map(PathBuf::from), arguments.next()) else {
        return unusable("usage: cargo run --release --example vectors -- FILE");
    };
    match support::run(&path) {
        Err(why) => unusable(&why),
        Ok(report) => {
            let mut out = io::stdout().lock();
            // Nobody is left to tell when standard output is closed; the exit code still says it.
            let _ = report.mismatches.iter().try_for_each(|m| writeln!(out, "{m}"));
            let _ = writeln!(out, "{} passed, {} failed", report.passed, report.failed);
            ExitCode::from(u8::from(report.failed > 0))
        }
    }
}

fn unusable(why: &str) -> ExitCode {
    let _ = writeln!(io::stderr(), "vectors: {why}");
    ExitCode::from(2)
}

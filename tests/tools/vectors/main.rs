//! Runs a file of statistics test vectors (schema `lem-stats-vectors/1`) against `lem_bench::__private::stats`.
//!
//! `cargo run --release --example vectors -- FILE` prints each mismatch and, last, `N passed, M failed`. Exits with 1
//! if a case failed and with 2 if the file is not usable.

mod runner;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(path), None) = (arguments.next().map(PathBuf::from), arguments.next()) else {
        return unusable("usage: cargo run --release --example vectors -- FILE");
    };
    match runner::run(&path) {
        Err(error) => unusable(&error),
        Ok(report) => {
            let mut out = io::stdout().lock();
            // If standard output is closed, the exit code still reports the result.
            let _ = report.mismatches.iter().try_for_each(|m| writeln!(out, "{m}"));
            let _ = writeln!(out, "{} passed, {} failed", report.passed, report.failed);
            ExitCode::from(u8::from(report.failed > 0))
        }
    }
}

fn unusable(error: &str) -> ExitCode {
    let _ = writeln!(io::stderr(), "vectors: {error}");
    ExitCode::from(2)
}

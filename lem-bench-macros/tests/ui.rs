//! Error messages of the attribute: compares the compiler's output for each file of `tests/ui/` with its `.stderr`.
//!
//! The first run also checks `lem-bench` without default features. `TRYBUILD=overwrite` updates the `.stderr` files;
//! review the changes.

use std::process::Command;

/// The compiler version of `tests/ui/compiler/*.stderr`.
const COMPILER: &str = "rustc 1.95.";

#[test]
fn errors_point_at_the_right_token() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/*.rs");
    // Most of these messages are the compiler's, and change between versions.
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(rustc).arg("--version").output().expect("rustc --version runs").stdout;
    let version = String::from_utf8_lossy(&version);
    if version.starts_with(COMPILER) {
        cases.compile_fail("tests/ui/compiler/*.rs");
    } else {
        eprintln!("skipped tests/ui/compiler: its outputs are of {COMPILER}*, and this is {version}");
    }
}

//! What a user reads who writes the attribute wrongly: each file of `tests/ui/` against the compiler's output beside it.
//!
//! The first run compiles `lem-bench` once more, as a check, without default features. `TRYBUILD=overwrite` writes the
//! outputs anew; read the difference before it is committed.

use std::process::Command;

/// The compiler whose words `tests/ui/compiler/*.stderr` hold.
const COMPILER: &str = "rustc 1.95.";

#[test]
fn errors_point_at_the_right_token() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/*.rs");
    // Here the words are mostly the compiler's, and change with it.
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(rustc).arg("--version").output().expect("the compiler says its version").stdout;
    let version = String::from_utf8_lossy(&version);
    if version.starts_with(COMPILER) {
        cases.compile_fail("tests/ui/compiler/*.rs");
    } else {
        eprintln!("left out tests/ui/compiler, whose outputs are of {COMPILER}*: this is {version}");
    }
}

//! Passes what only a build script knows to the library, as environment variables: rustc's version, the target and the
//! optimisation level.

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(rustc).arg("--version").output().ok().filter(|output| output.status.success());
    if let Some(version) = version.and_then(|output| String::from_utf8(output.stdout).ok()) {
        println!("cargo::rustc-env=LEM_BENCH_BUILD_RUSTC={}", version.trim());
    }
    for (from, to) in [("TARGET", "LEM_BENCH_BUILD_TARGET"), ("OPT_LEVEL", "LEM_BENCH_BUILD_OPT_LEVEL")] {
        if let Ok(value) = std::env::var(from) {
            println!("cargo::rustc-env={to}={value}");
        }
    }
}

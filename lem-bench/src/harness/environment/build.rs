//! How the binary was built.

use super::super::hints::TargetInfo;
use super::facts::fact;
use crate::model::{Fact, fact_names};

/// What the compiler knew.
pub(super) fn facts(hints: &TargetInfo) -> Vec<Fact> {
    let assertions = if cfg!(debug_assertions) { "debug assertions on" } else { "debug assertions off" };
    let build = match option_env!("LEM_BENCH_BUILD_OPT_LEVEL") {
        Some(level) => format!("opt-level {level}, {assertions}"),
        None => assertions.to_owned(),
    };
    [
        fact("package", hints.package),
        fact(fact_names::RUSTC, option_env!("LEM_BENCH_BUILD_RUSTC")),
        fact(fact_names::TARGET_TRIPLE, option_env!("LEM_BENCH_BUILD_TARGET")),
        fact(fact_names::BUILD, Some(build)),
        fact(fact_names::EXECUTABLE, executable()),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Length and checksum of the running file: what tells two builds apart when nothing else does.
fn executable() -> Option<String> {
    use std::io::Read;

    let mut file = std::fs::File::open(std::env::current_exe().ok()?).ok()?;
    let (mut hasher, mut length) = (crc32fast::Hasher::new(), 0);
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer).ok()? {
            0 => return Some(format!("{length} bytes, crc32 {:08x}", hasher.finalize())),
            n => {
                hasher.update(&buffer[..n]);
                length += n;
            }
        }
    }
}

//! This process: how its binary was built, its command line, and the variables that change what a bench does.

use crate::harness::workspace::TargetInfo;
use crate::model::fact_names;

/// Variables that change how fast or where code runs.
const VARIABLES: [&str; 12] = [
    "RAYON_NUM_THREADS",
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "TOKENIZERS_PARALLELISM",
    "CUDA_VISIBLE_DEVICES",
    "CUDA_DEVICE_ORDER",
    "CUDA_LAUNCH_BLOCKING",
    "NVIDIA_TF32_OVERRIDE",
    "HIP_VISIBLE_DEVICES",
    "RUSTFLAGS",
    "MALLOC_ARENA_MAX",
];

/// Returns how the binary was built.
pub(super) fn build(target: &TargetInfo) -> [(&'static str, Option<String>); 5] {
    let assertions = if cfg!(debug_assertions) { "debug assertions on" } else { "debug assertions off" };
    let build = match option_env!("LEM_BENCH_BUILD_OPT_LEVEL") {
        Some(level) => format!("opt-level {level}, {assertions}"),
        None => assertions.to_owned(),
    };
    [
        ("package", target.package.map(str::to_owned)),
        (fact_names::RUSTC, option_env!("LEM_BENCH_BUILD_RUSTC").map(str::to_owned)),
        (fact_names::TARGET_TRIPLE, option_env!("LEM_BENCH_BUILD_TARGET").map(str::to_owned)),
        (fact_names::BUILD, Some(build)),
        (fact_names::EXECUTABLE, executable()),
    ]
}

/// Returns length and checksum of the running file. They tell two builds apart when nothing else does.
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

/// Returns the arguments of this process, quoted for a shell.
pub(super) fn arguments() -> String {
    std::env::args().skip(1).map(|argument| quoted(&argument)).collect::<Vec<_>>().join(" ")
}

/// Returns the variables that change what a bench does, sorted by name.
pub(super) fn variables() -> Vec<(String, String)> {
    let mut variables: Vec<(String, String)> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.to_string_lossy().into_owned())))
        .filter(|(name, _)| VARIABLES.contains(&name.as_str()) || name.starts_with("CANDLE_"))
        .collect();
    variables.sort();
    variables
}

/// Quotes an argument for a shell, if necessary.
fn quoted(argument: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_=/.,:+%@".contains(c);
    if !argument.is_empty() && argument.chars().all(is_plain) {
        argument.to_owned()
    } else {
        format!("'{}'", argument.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_quoted_for_a_shell() {
        assert_eq!(quoted("--cycles=3"), "--cycles=3");
        assert_eq!(quoted("two words"), "'two words'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }
}

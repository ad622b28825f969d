//! The process: its command line, and the variables that change what a bench does.

use super::facts::fact;
use crate::model::{Fact, fact_names};

/// Variables that change how fast or where things run.
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

/// What this process was started with.
pub(super) fn facts() -> Vec<Fact> {
    let arguments: Vec<String> = std::env::args().skip(1).map(|argument| quoted(&argument)).collect();
    let mut facts: Vec<Fact> = fact(fact_names::ARGUMENTS, Some(arguments.join(" "))).into_iter().collect();
    let mut variables: Vec<(String, String)> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.to_string_lossy().into_owned())))
        .filter(|(name, _)| VARIABLES.contains(&name.as_str()) || name.starts_with("CANDLE_"))
        .collect();
    variables.sort();
    facts.extend(variables.into_iter().map(|(name, value)| Fact { name, value }));
    facts
}

/// An argument as one would type it.
fn quoted(argument: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=/.,:+%@".contains(c);
    if !argument.is_empty() && argument.chars().all(plain) {
        argument.to_owned()
    } else {
        format!("'{}'", argument.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_can_be_typed_again() {
        assert_eq!(quoted("--cycles=3"), "--cycles=3");
        assert_eq!(quoted("two words"), "'two words'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }
}

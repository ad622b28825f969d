//! Output of a comparison: text, files and exit code.

use std::path::Path;

use crate::analysis::compare::{Comparison, GateOutcome, Verdict};
use crate::harness::config::{Config, Format};
use crate::harness::exit::{ExitStatus, HarnessError};
use crate::harness::{console, saved};
use crate::report::comparison::{COMPARISON_JSON, ComparisonFormat};
use crate::report::console::{TableOptions, comparison};

/// Prints a comparison on stdout.
///
/// # Errors
/// It cannot be serialized.
pub(in crate::harness) fn print(config: &Config, compared: &Comparison) -> Result<(), HarnessError> {
    if config.format == Format::Json {
        console::out(&format!("{}\n", json(compared)?));
        return Ok(());
    }
    let color = console::Paint::of_stdout(config.color).is_on();
    console::out(&comparison(compared, &TableOptions { width: console::stdout_width(), color }));
    Ok(())
}

/// Serializes a comparison as one line of JSON.
///
/// # Errors
/// It cannot be serialized.
fn json(compared: &Comparison) -> Result<String, HarnessError> {
    serde_json::to_string(compared)
        .map_err(|error| HarnessError::machine(format!("cannot serialize the comparison: {error}")))
}

/// Writes a comparison to the folder of the head's run: as JSON, and in the requested formats that exist for comparisons.
///
/// # Errors
/// A file cannot be written.
pub(super) fn save(folder: &Path, compared: &Comparison, exports: &[&str]) -> Result<(), HarnessError> {
    saved::write_comparison(&COMPARISON_JSON, compared, folder)?;
    for format in exports.iter().filter_map(|name| ComparisonFormat::named(name)) {
        saved::write_comparison(format, compared, folder)?;
    }
    Ok(())
}

/// Returns the exit code of a comparison. Without a gate, it is a failure only if no bench could be compared.
pub(in crate::harness) fn exit_status(compared: &Comparison) -> ExitStatus {
    match compared.gate.outcome {
        GateOutcome::Passed | GateOutcome::Withheld => ExitStatus::Done,
        GateOutcome::Failed => ExitStatus::Regressed,
        GateOutcome::Unusable => ExitStatus::Invalid,
        GateOutcome::NotAsked => {
            let nothing = compared.benches.iter().all(|bench| bench.verdict == Verdict::Invalid);
            if nothing && !compared.benches.is_empty() { ExitStatus::Invalid } else { ExitStatus::Done }
        }
    }
}

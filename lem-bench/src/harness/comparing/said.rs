//! What is said and kept of a comparison, and the exit code that it calls for.

use std::path::Path;

use crate::analysis::compare::{Comparison, GateOutcome, Verdict};
use crate::harness::config::{Config, Format};
use crate::harness::exit::{ExitStatus, HarnessError};
use crate::harness::{console, saved};
use crate::report::comparison::{COMPARISON_JSON, ComparisonFormat};
use crate::report::console::{TableOptions, comparison};

/// Shows a comparison on stdout.
///
/// # Errors
/// It can't be put into JSON.
pub(in crate::harness) fn tell(config: &Config, compared: &Comparison) -> Result<(), HarnessError> {
    if config.format == Format::Json {
        console::out(&format!("{}\n", json(compared)?));
        return Ok(());
    }
    let color = console::Paint::of_stdout(config.color).is_on();
    console::out(&comparison(compared, &TableOptions { width: console::stdout_width(), color }));
    Ok(())
}

/// A comparison as JSON on one line.
///
/// # Errors
/// It can't be put into JSON.
fn json(compared: &Comparison) -> Result<String, HarnessError> {
    serde_json::to_string(compared)
        .map_err(|error| HarnessError::machine(format!("the comparison can't be put into JSON: {error}")))
}

/// Writes a comparison into the folder of the run that was judged: as JSON, and in those of the formats of these names
/// that a comparison has.
///
/// # Errors
/// Something can't be written.
pub(super) fn keep(folder: &Path, compared: &Comparison, exports: &[&str]) -> Result<(), HarnessError> {
    saved::write_comparison(&COMPARISON_JSON, compared, folder)?;
    for format in exports.iter().filter_map(|name| ComparisonFormat::named(name)) {
        saved::write_comparison(format, compared, folder)?;
    }
    Ok(())
}

/// The exit code that a comparison calls for. Without a gate only one that could compare nothing at all is no success.
pub(in crate::harness) fn exit(compared: &Comparison) -> ExitStatus {
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

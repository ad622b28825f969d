//! Nothing matched, or nothing is there: what is said about it.
//!
//! Must not end anything.

use super::config::Config;
use super::exit::HarnessError;
use super::mode::Mode;
use crate::model::count_of;
use crate::registry::{Case, IgnoredMode, Selection};

/// Whether there is something to do.
///
/// Lists are empty without complaint where `--ignored` makes them so: runners ask for those benches apart.
///
/// # Errors
/// What is missing, and what can be done about it.
pub(super) fn check(mode: Mode, config: &Config, cases: &[Case]) -> Result<(), HarnessError> {
    if cases.is_empty() {
        return Err(HarnessError::no_match(format!(
            "no bench is registered in this binary. Functions under #[energy_bench] in a library crate are linked only \
             if the bench target names that crate: add `use thatcrate as _;` to it. {}",
            ways_out()
        )));
    }
    let selection = config.selection();
    let matching = Selection { ignored: IgnoredMode::Include, ..selection.clone() };
    let matches: Vec<&Case> = cases.iter().filter(|case| matching.lists(case)).collect();
    if matches.is_empty() {
        return Err(HarnessError::no_match(format!(
            "no bench matches {}; {} (--list shows them). {}",
            asked(config),
            there_are(cases.len()),
            ways_out()
        )));
    }
    if mode == Mode::List || matches.iter().any(|case| selection.runs(case)) {
        return Ok(());
    }
    match selection.ignored {
        IgnoredMode::Only => Err(HarnessError::no_match(format!(
            "none of the benches that match is marked `ignore`, so --ignored leaves nothing to run. {}",
            ways_out()
        ))),
        // As libtest: they are there, and shown as ignored.
        _ if mode == Mode::Test => Ok(()),
        _ => Err(HarnessError::no_match(format!(
            "every bench that matches is marked `ignore`, so nothing is measured: --include-ignored measures them. {}",
            ways_out()
        ))),
    }
}

fn there_are(cases: usize) -> String {
    format!("there {} {}", if cases == 1 { "is" } else { "are" }, count_of(cases, "bench"))
}

fn asked(config: &Config) -> String {
    let quoted = |texts: &[String]| texts.iter().map(|text| format!("`{text}`")).collect::<Vec<_>>().join(" or ");
    let text = match (config.filters.as_slice(), config.exact) {
        ([], _) => "what is asked for".to_owned(),
        (filters, false) => quoted(filters),
        (filters, true) => format!("exactly {}", quoted(filters)),
    };
    if config.skip.is_empty() { text } else { format!("{text} without {}", quoted(&config.skip)) }
}

fn ways_out() -> &'static str {
    "In a package with several bench targets, name the one (cargo bench --bench NAME), go on past this one (cargo bench \
     --no-fail-fast), or make this a warning (--no-match warn, or LEM_BENCH_NO_MATCH=warn)."
}

//! Text for `--list` and `--show-config`, and the errors when no bench is selected.

use super::config::{Config, Format, Mode};
use super::config_file;
use super::exit::HarnessError;
use super::invocation::Invocation;
use super::parse::suggest;
use crate::model::count_of;
use crate::registry::{Case, IgnoredMode, Selection};

/// Lists the selected cases in libtest's formats, which test runners read. Cases marked `ignore` are included.
pub(super) fn benches(config: &Config, cases: &[Case]) -> String {
    let selection = config.selection();
    let cases: Vec<&Case> = cases.iter().filter(|case| selection.lists(case)).collect();
    match config.format {
        Format::Terse => lines(config, &cases),
        Format::Pretty => {
            let n = cases.len();
            let (tests, benchmarks) = if config.test { (n, 0) } else { (0, n) };
            format!("{}\n{}, {}\n", lines(config, &cases), count_of(tests, "test"), count_of(benchmarks, "benchmark"))
        }
        Format::Json => json(config, &cases),
    }
}

fn lines(config: &Config, cases: &[&Case]) -> String {
    let kind = if config.test { "test" } else { "benchmark" };
    cases.iter().flat_map(|case| [case.id.as_str(), ": ", kind, "\n"]).collect()
}

fn json(config: &Config, cases: &[&Case]) -> String {
    let kind = if config.test { "test" } else { "bench" };
    let mut lines = vec![serde_json::json!({"type": "suite", "event": "discovery"})];
    for case in cases {
        let ignored = case.attributes.ignore;
        lines.push(serde_json::json!({
            "type": kind,
            "event": "discovered",
            "name": case.id,
            "ignore": ignored.is_some(),
            "ignore_message": ignored.and_then(|ignored| ignored.reason).unwrap_or_default(),
            "source_path": case.place.file,
            "start_line": case.place.line,
            "start_col": case.place.column,
            "end_line": case.place.line,
            "end_col": case.place.column,
        }));
    }
    let n = cases.len();
    let ignored = cases.iter().filter(|case| case.attributes.ignore.is_some()).count();
    let (tests, benchmarks) = if config.test { (n, 0) } else { (0, n) };
    lines.push(serde_json::json!({
        "type": "suite", "event": "completed", "tests": tests, "benchmarks": benchmarks, "total": n, "ignored": ignored,
    }));
    lines.into_iter().map(|line| line.to_string() + "\n").collect()
}

/// Lists the settings for `--show-config`, with those of the benches' attributes: name, value and source, one per line.
pub(super) fn settings(invocation: &Invocation, cases: &[Case]) -> String {
    const MAX_COLUMN: usize = 48;

    let mut rows: Vec<[String; 3]> = Vec::new();
    for (setting, place) in invocation.resolved.settings() {
        let source = match place {
            Some(place) => format!("{} ({place})", setting.from),
            None => setting.from,
        };
        rows.push([setting.name, setting.value, source]);
    }
    let attributes = invocation.resolved.attribute_settings(cases);
    rows.extend(attributes.into_iter().map(|setting| [setting.name, setting.value, setting.from]));
    let width = |column: usize| {
        rows.iter().map(|row| row[column].chars().count()).filter(|n| *n <= MAX_COLUMN).max().unwrap_or(0)
    };
    let (names, values) = (width(0), width(1));
    let header = match invocation.paths.nearest_file(config_file::NAME) {
        Some(path) => format!("# read {}\n", path.display()),
        None => {
            format!("# no {} from {} up to the workspace root\n", config_file::NAME, invocation.paths.cwd.display())
        }
    };
    let lines = rows.iter().map(|[name, value, source]| format!("{name:names$}  {value:values$}  {source}\n"));
    header + &lines.collect::<String>()
}

/// Checks that a bench is selected.
///
/// A list may be empty because of `--ignored`, since test runners ask for those benches separately. In test mode
/// benches marked `ignore` are shown as ignored, as libtest does.
///
/// # Errors
/// No bench is registered, matches, or is left to run, with a remedy.
pub(super) fn check_not_empty(mode: Mode, config: &Config, cases: &[Case]) -> Result<(), HarnessError> {
    const REMEDY: &str = "In a package with several bench targets, select one (cargo bench --bench NAME), continue after \
         this one (cargo bench --no-fail-fast), or turn this error into a warning (--no-match warn, or \
         LEM_BENCH_NO_MATCH=warn).";

    let error = |text: &str| Err(HarnessError::no_match(format!("{text}. {REMEDY}")));
    if cases.is_empty() {
        return error(
            "no bench is registered in this binary. Functions under #[energy_bench] in a library crate are linked only \
             if the bench target names that crate: add `use thatcrate as _;` to it",
        );
    }
    let selection = config.selection();
    let with_ignored = Selection { ignored: IgnoredMode::Include, ..selection.clone() };
    let matches: Vec<&Case> = cases.iter().filter(|case| with_ignored.lists(case)).collect();
    if matches.is_empty() {
        let (count, exist) = (count_of(cases.len(), "bench"), if cases.len() == 1 { "exists" } else { "exist" });
        let (filter, similar) = (filter_text(config), similar_name(config, cases));
        return error(&format!("no bench matches {filter}{similar}; {count} {exist} (--list prints them)"));
    }
    if mode == Mode::List || matches.iter().any(|case| selection.runs(case)) {
        return Ok(());
    }
    match selection.ignored {
        IgnoredMode::Only => error("no matching bench is marked `ignore`, so --ignored leaves nothing to run"),
        _ if mode == Mode::Test => Ok(()),
        _ => error("every matching bench is marked `ignore`; measure them with --include-ignored"),
    }
}

/// Returns the id that is similar to a filter, or without `--exact` the part of an id: ` (did you mean `decode`?)`.
fn similar_name(config: &Config, cases: &[Case]) -> String {
    let ids = || cases.iter().map(|case| case.id.as_str());
    let parts = || ids().filter(|_| !config.exact).flat_map(|id| id.split(['/', ':'])).filter(|part| !part.is_empty());
    let similar = config.filters.iter().find_map(|filter| suggest(filter, ids().chain(parts())));
    similar.map(|name| format!(" (did you mean `{name}`?)")).unwrap_or_default()
}

fn filter_text(config: &Config) -> String {
    let quoted = |texts: &[String]| texts.iter().map(|text| format!("`{text}`")).collect::<Vec<_>>().join(" or ");
    let text = match (config.filters.as_slice(), config.exact) {
        ([], _) => "the selection".to_owned(),
        (filters, false) => quoted(filters),
        (filters, true) => format!("exactly {}", quoted(filters)),
    };
    if config.skip.is_empty() { text } else { format!("{text} without {}", quoted(&config.skip)) }
}

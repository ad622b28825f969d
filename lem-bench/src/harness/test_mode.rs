//! Test mode: each body runs once; no meter is opened, no lock taken, nothing written.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::config::Config;
use super::console;
use super::exit::ExitStatus;
use super::run::SelectedCases;
use super::test_report::{Counts, TestReport};
use crate::bench::Fixtures;
use crate::registry::Case;
use crate::runner::{Body, STACK, run_once};

/// Runs every selected case once.
pub(super) fn run(config: &Config, chosen: SelectedCases) -> ExitStatus {
    if !config.quiet {
        console::note("test mode: each bench runs once and nothing is measured; `cargo bench` measures (by --bench)");
    }
    let report = TestReport::new(config);
    let mut counts = Counts { filtered_out: chosen.filtered_out(), ..Counts::default() };
    let start = Instant::now();
    report.begin(chosen.selected.run.len() + chosen.selected.ignored.len());
    for case in &chosen.selected.ignored {
        counts.ignored += 1;
        report.ignored(case);
    }
    let fixtures = Fixtures::default();
    let mut failures = Vec::new();
    for case in &chosen.selected.run {
        report.started(case);
        let from = Instant::now();
        match once(case, &fixtures) {
            Ok(()) => {
                counts.passed += 1;
                report.passed(case, from.elapsed());
            }
            Err(text) => {
                counts.failed += 1;
                report.failed(case, &text, from.elapsed());
                failures.push((case.id.clone(), text));
                if config.fail_fast {
                    break;
                }
            }
        }
    }
    report.end(&counts, &failures, start.elapsed());
    if failures.is_empty() { ExitStatus::Done } else { ExitStatus::BenchFailed }
}

/// Runs a case on a thread of its own, as it would be measured.
fn once(case: &Case, fixtures: &Fixtures) -> Result<(), String> {
    let (body, fixtures) = (body(case), fixtures.clone());
    let thread = std::thread::Builder::new().name(format!("bench {}", case.id)).stack_size(STACK);
    let thread = thread
        .spawn(move || run_once(&body, fixtures))
        .map_err(|error| format!("a thread for the bench can't be started: {error}"))?;
    thread.join().unwrap_or_else(|_| Err("the bench's thread ended without returning".to_owned()))
}

/// The case's body, in the form in which it is run.
pub(super) fn body(case: &Case) -> Body {
    let case = case.clone();
    Arc::new(move |bencher| case.run(bencher).map_err(|error| error.to_string()))
}

/// Seconds, as libtest shows them.
pub(super) fn seconds(time: Duration) -> String {
    format!("{:.2}s", time.as_secs_f64())
}

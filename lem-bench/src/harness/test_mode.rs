//! Test mode: runs each body once and prints results in libtest's formats. No meter is opened, no lock is taken, nothing
//! is written.

use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use serde_json::json;

use super::config::{Config, Format};
use super::console::{self, Paint, out};
use super::exit::ExitStatus;
use super::invocation::SelectedCases;
use crate::bench::{BODY_STACK_SIZE, Fixtures};
use crate::registry::Case;
use crate::runner::{Body, ENDED_PROCESS, RunningBody, is_process_ending, run_once};

/// Runs every selected case once.
pub(super) fn run(config: &Config, cases: SelectedCases) -> ExitStatus {
    if !config.quiet {
        console::note("test mode: each bench runs once without measuring; to measure, use `cargo bench` or --bench");
    }
    let report = TestReport::new(config);
    let mut counts = Counts { filtered_out: cases.filtered_out(), ..Counts::default() };
    let start = Instant::now();
    report.begin(cases.selected.run.len() + cases.selected.ignored.len());
    for case in &cases.selected.ignored {
        counts.ignored += 1;
        report.ignored(case);
    }
    let fixtures = Fixtures::default();
    let mut failures = Vec::new();
    for case in &cases.selected.run {
        report.started(case);
        let case_start = Instant::now();
        match run_on_thread(case, &fixtures) {
            Ok(()) => {
                counts.passed += 1;
                report.passed(case, case_start.elapsed());
            }
            Err(message) => {
                counts.failed += 1;
                report.failed(case, &message, case_start.elapsed());
                failures.push((case.id.clone(), message));
                if config.fail_fast || is_process_ending() {
                    break;
                }
            }
        }
    }
    report.end(&counts, &failures, start.elapsed());
    if failures.is_empty() { ExitStatus::Done } else { ExitStatus::BenchFailed }
}

/// Runs a case on its own thread, as when it is measured.
fn run_on_thread(case: &Case, fixtures: &Fixtures) -> Result<(), String> {
    let (body, fixtures) = (body(case), fixtures.clone());
    let thread = std::thread::Builder::new().name(format!("bench {}", case.id)).stack_size(BODY_STACK_SIZE);
    let (sender, results) = mpsc::channel();
    let end_sender = sender.clone();
    let _running = RunningBody::register(move || end_sender.send(Err(ENDED_PROCESS.to_owned())).is_ok());
    let thread = thread
        .spawn(move || sender.send(run_once(&body, fixtures)))
        .map_err(|error| format!("failed to start a thread for the bench: {error}"))?;
    // `run_once` catches panics, so that the thread sends its result unless it ends the process.
    let result = results.recv().unwrap_or_else(|_| Err(ENDED_PROCESS.to_owned()));
    // A thread that ends the process never returns.
    if !is_process_ending() {
        drop(thread.join());
    }
    result
}

/// Returns the case's body in the form that the runner takes.
pub(super) fn body(case: &Case) -> Body {
    let case = case.clone();
    Arc::new(move |bencher| case.run(bencher).map_err(|error| error.to_string()))
}

/// Number of cases by result.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    passed: usize,
    failed: usize,
    ignored: usize,
    filtered_out: usize,
}

/// Prints results as they arrive.
#[derive(Debug, Clone, Copy)]
struct TestReport {
    format: Format,
    paint: Paint,
}

impl TestReport {
    fn new(config: &Config) -> Self {
        let format = if config.quiet && config.format == Format::Pretty { Format::Terse } else { config.format };
        Self { format, paint: Paint::of_stdout(config.color) }
    }

    fn begin(self, tests: usize) {
        match self.format {
            Format::Json => event(json!({"type": "suite", "event": "started", "test_count": tests})),
            _ => out(&format!("\nrunning {tests} test{}\n", if tests == 1 { "" } else { "s" })),
        }
    }

    fn started(self, case: &Case) {
        if self.format == Format::Json {
            event(json!({"type": "test", "event": "started", "name": case.id}));
        }
    }

    fn passed(self, case: &Case, elapsed: Duration) {
        match self.format {
            Format::Pretty => out(&format!("test {} ... {}\n", case.id, self.paint.good("ok"))),
            Format::Terse => out(&self.paint.good(".")),
            Format::Json => {
                event(json!({"type": "test", "name": case.id, "event": "ok", "exec_time": elapsed.as_secs_f64()}));
            }
        }
    }

    fn failed(self, case: &Case, message: &str, elapsed: Duration) {
        match self.format {
            Format::Pretty => out(&format!("test {} ... {}\n", case.id, self.paint.bad("FAILED"))),
            Format::Terse => out(&self.paint.bad("F")),
            Format::Json => event(json!({
                "type": "test", "name": case.id, "event": "failed", "stdout": format!("{message}\n"),
                "exec_time": elapsed.as_secs_f64(),
            })),
        }
    }

    fn ignored(self, case: &Case) {
        let reason = case.attributes.ignore.and_then(|ignored| ignored.reason);
        match self.format {
            Format::Pretty => {
                let reason = reason.map(|reason| format!(", {reason}")).unwrap_or_default();
                out(&format!("test {} ... {}{reason}\n", case.id, self.paint.aside("ignored")));
            }
            Format::Terse => out(&self.paint.aside("i")),
            Format::Json => {
                event(
                    json!({"type": "test", "name": case.id, "event": "ignored", "message": reason.unwrap_or_default()}),
                );
            }
        }
    }

    fn end(self, counts: &Counts, failures: &[(String, String)], elapsed: Duration) {
        let &Counts { passed, failed, ignored, filtered_out } = counts;
        if self.format == Format::Json {
            return event(json!({
                "type": "suite", "event": if failed == 0 { "ok" } else { "failed" }, "passed": passed,
                "failed": failed, "ignored": ignored, "measured": 0, "filtered_out": filtered_out,
                "exec_time": elapsed.as_secs_f64(),
            }));
        }
        if !failures.is_empty() {
            let texts: Vec<String> =
                failures.iter().map(|(id, message)| format!("---- {id} ----\n{message}\n\n")).collect();
            let ids: Vec<String> = failures.iter().map(|(id, _)| format!("    {id}\n")).collect();
            let text = format!("\nfailures:\n\n{}\nfailures:\n{}", texts.concat(), ids.concat());
            out(&text);
        }
        let verdict = if failed == 0 { self.paint.good("ok") } else { self.paint.bad("FAILED") };
        out(&format!(
            "\ntest result: {verdict}. {passed} passed; {failed} failed; {ignored} ignored; 0 measured; {filtered_out} \
             filtered out; finished in {:.2}s\n\n",
            elapsed.as_secs_f64()
        ));
    }
}

/// Prints one JSON line.
fn event(line: serde_json::Value) {
    out(&format!("{line}\n"));
}

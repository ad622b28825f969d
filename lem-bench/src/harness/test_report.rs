//! What test mode prints, in libtest's formats.
//!
//! Must not run anything.

use std::time::Duration;

use serde_json::json;

use super::config::{Config, Format};
use super::console::{Paint, out};
use super::test_mode::seconds;
use crate::model::count_of;
use crate::registry::Case;

/// How many of each kind.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counts {
    pub(super) passed: usize,
    pub(super) failed: usize,
    pub(super) ignored: usize,
    pub(super) filtered_out: usize,
}

/// Prints.
#[derive(Debug, Clone, Copy)]
pub(super) struct TestReport {
    format: Format,
    paint: Paint,
}

impl TestReport {
    pub(super) fn new(config: &Config) -> Self {
        let format = if config.quiet && config.format == Format::Pretty { Format::Terse } else { config.format };
        Self { format, paint: Paint::of_stdout(config.color) }
    }

    pub(super) fn begin(self, tests: usize) {
        match self.format {
            Format::Json => event(json!({"type": "suite", "event": "started", "test_count": tests})),
            _ => out(&format!("\nrunning {}\n", count_of(tests, "test"))),
        }
    }

    pub(super) fn started(self, case: &Case) {
        if self.format == Format::Json {
            event(json!({"type": "test", "event": "started", "name": case.id}));
        }
    }

    pub(super) fn passed(self, case: &Case, took: Duration) {
        match self.format {
            Format::Pretty => out(&format!("test {} ... {}\n", case.id, self.paint.good("ok"))),
            Format::Terse => out(&self.paint.good(".")),
            Format::Json => {
                event(json!({"type": "test", "name": case.id, "event": "ok", "exec_time": took.as_secs_f64()}));
            }
        }
    }

    pub(super) fn failed(self, case: &Case, text: &str, took: Duration) {
        match self.format {
            Format::Pretty => out(&format!("test {} ... {}\n", case.id, self.paint.bad("FAILED"))),
            Format::Terse => out(&self.paint.bad("F")),
            Format::Json => event(json!({
                "type": "test", "name": case.id, "event": "failed", "stdout": format!("{text}\n"),
                "exec_time": took.as_secs_f64(),
            })),
        }
    }

    pub(super) fn ignored(self, case: &Case) {
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

    pub(super) fn end(self, counts: &Counts, failures: &[(String, String)], took: Duration) {
        let &Counts { passed, failed, ignored, filtered_out } = counts;
        if self.format == Format::Json {
            return event(json!({
                "type": "suite", "event": if failed == 0 { "ok" } else { "failed" }, "passed": passed,
                "failed": failed, "ignored": ignored, "measured": 0, "filtered_out": filtered_out,
                "exec_time": took.as_secs_f64(),
            }));
        }
        if !failures.is_empty() {
            let texts: Vec<String> = failures.iter().map(|(id, why)| format!("---- {id} ----\n{why}\n\n")).collect();
            let ids: Vec<String> = failures.iter().map(|(id, _)| format!("    {id}\n")).collect();
            let text = format!("\nfailures:\n\n{}\nfailures:\n{}", texts.concat(), ids.concat());
            out(&text);
        }
        let verdict = if failed == 0 { self.paint.good("ok") } else { self.paint.bad("FAILED") };
        out(&format!(
            "\ntest result: {verdict}. {passed} passed; {failed} failed; {ignored} ignored; 0 measured; {filtered_out} \
             filtered out; finished in {}\n\n",
            seconds(took)
        ));
    }
}

fn event(line: serde_json::Value) {
    out(&format!("{line}\n"));
}

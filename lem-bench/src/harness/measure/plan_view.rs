//! The time plan for people: what is measured, by what, for how long.
//!
//! Must not print.

use std::fmt::Write as _;
use std::time::Duration;

use super::instrument::MeterSetup;
use crate::model::{MeterProbe, Origin, count_of};
use crate::plan::{PlannedBench, TimePlan};
use crate::report::number_format::duration;

/// Benches shown before a run; a dry run shows all.
const SHOWN: usize = 12;

/// The plan as text, with its benches: all of them, or the first few.
pub(super) fn plan(plan: &TimePlan, instrument: &MeterSetup, probe: &MeterProbe, all: bool) -> String {
    let mut text = String::new();
    let n = plan.benches().len();
    let headline: Vec<&str> = instrument.headline.iter().map(crate::model::DomainId::as_str).collect();
    let origin = match probe.origin {
        Origin::Measured => Origin::Measured.name().to_owned(),
        other => format!("{}, not measured", other.name()),
    };
    // Writing to a `String` does not fail.
    let _ = writeln!(
        text,
        "{} by {} ({origin}; {}), about {} and the benches' own set-up",
        count_of(n, "bench"),
        probe.meter,
        headline.join(" + "),
        range(plan.total(), plan.max_total())
    );
    let shown = if all { n } else { SHOWN.min(n) };
    let width = plan.benches().iter().take(shown).map(|bench| bench.id.chars().count()).max().unwrap_or(0).min(60);
    for bench in plan.benches().iter().take(shown) {
        let _ = writeln!(text, "  {:width$}  {}", bench.id, line(bench));
    }
    if shown < n {
        let _ = writeln!(text, "  and {} more (--dry-run shows all)", n - shown);
    }
    text
}

fn line(bench: &PlannedBench) -> String {
    let schedule = &bench.schedule;
    let windows = if schedule.windows == 1 { String::new() } else { format!("{} × ", schedule.windows) };
    let (fewest, most) = (schedule.cycles, schedule.max_cycles());
    let cycles = if fewest == most { fewest.to_string() } else { format!("{fewest} to {most}") };
    let until = schedule.precision.map_or_else(String::new, |rule| {
        let budget = rule.budget.map(|budget| format!(", at most {}", span(budget))).unwrap_or_default();
        format!(" until ±{} %{budget}", rounded(rule.target * 100.0))
    });
    let processes = if bench.processes > 1 { format!("{} processes, each ", bench.processes) } else { String::new() };
    format!(
        "{processes}{cycles} cycles × {windows}{}{until}, warm-up from {}: about {}",
        span(schedule.window),
        span(schedule.warm_up.floor),
        range(schedule.expected(), schedule.expected_max())
    )
}

/// Two lengths of time, or one where they are the same.
fn range(least: Duration, most: Duration) -> String {
    if span(least) == span(most) { span(least) } else { format!("{} to {}", span(least), span(most)) }
}

/// A number with the digits that a person gave it.
fn rounded(x: f64) -> f64 {
    (x * 1e6).round() / 1e6
}

/// Formats a length of time: `0.3 s`, `12 s`, `3 min 5 s`, `2 h 10 min`.
pub(in crate::harness) fn span(time: Duration) -> String {
    duration(time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_short_to_read() {
        for (seconds, text) in [
            (0.0, "0 s"),
            (0.25, "0.25 s"),
            (0.3, "0.3 s"),
            (1.5, "1.5 s"),
            (5.0, "5 s"),
            (12.4, "12.4 s"),
            (119.0, "1 min 59 s"),
            (185.0, "3 min 5 s"),
            (7800.0, "2 h 10 min"),
        ] {
            assert_eq!(span(Duration::from_secs_f64(seconds)), text);
        }
    }
}

//! The time plan as text: what is measured, by which meter, for how long.

use std::fmt::Write as _;
use std::time::Duration;

use super::super::duration_text::format_duration;
use super::meter_setup::MeterSetup;
use crate::model::{MeterProbe, Origin};
use crate::plan::{PlannedBench, TimePlan};

/// Benches listed before a run; a dry run lists all.
const MAX_LISTED: usize = 12;

/// Formats the plan with all of its benches, or with the first few.
pub(super) fn plan(plan: &TimePlan, setup: &MeterSetup, probe: &MeterProbe, all: bool) -> String {
    let mut text = String::new();
    let n = plan.benches().len();
    let benches = if n == 1 { "1 bench".to_owned() } else { format!("{n} benches") };
    let headline: Vec<&str> = setup.headline.iter().map(crate::model::DomainId::as_str).collect();
    let origin = match probe.origin {
        Origin::Measured => "measured",
        Origin::Estimated => "estimated, not measured",
        Origin::Simulated => "simulated, not measured",
    };
    // Writing to a `String` does not fail.
    let _ = writeln!(
        text,
        "{benches} by {} ({origin}; {}), about {} and the benches' own set-up",
        probe.meter,
        headline.join(" + "),
        range(plan.total(), plan.max_total())
    );
    let listed = if all { n } else { MAX_LISTED.min(n) };
    let width = plan.benches().iter().take(listed).map(|bench| bench.id.chars().count()).max().unwrap_or(0).min(60);
    for bench in plan.benches().iter().take(listed) {
        let _ = writeln!(text, "  {:width$}  {}", bench.id, bench_line(bench));
    }
    if listed < n {
        let _ = writeln!(text, "  and {} more (--dry-run shows all)", n - listed);
    }
    text
}

fn bench_line(bench: &PlannedBench) -> String {
    let schedule = &bench.schedule;
    let windows = if schedule.windows == 1 { String::new() } else { format!("{} × ", schedule.windows) };
    let (fewest, most) = (schedule.cycles, schedule.max_cycles());
    let cycles = if fewest == most { fewest.to_string() } else { format!("{fewest} to {most}") };
    let until = schedule.precision.map_or_else(String::new, |rule| {
        let budget = rule.budget.map(|budget| format!(", at most {}", format_duration(budget))).unwrap_or_default();
        format!(" until ±{} %{budget}", rounded(rule.target * 100.0))
    });
    let processes = if bench.processes > 1 { format!("{} processes, each ", bench.processes) } else { String::new() };
    format!(
        "{processes}{cycles} cycles × {windows}{}{until}, warm-up from {}: about {}",
        format_duration(schedule.window),
        format_duration(schedule.warm_up.floor),
        range(schedule.expected(), schedule.expected_max())
    )
}

/// Formats two durations, or one if both have the same text.
fn range(min: Duration, max: Duration) -> String {
    let (min, max) = (format_duration(min), format_duration(max));
    if min == max { min } else { format!("{min} to {max}") }
}

/// Rounds away the error of a conversion to percent.
fn rounded(x: f64) -> f64 {
    (x * 1e6).round() / 1e6
}

//! Our own JSON formats: the summary, and one flat object per cycle.
//!
//! Neither contains the times of single requests. They are in the run's `samples-*.bin`. The schemas in `schema/` are
//! generated from the types.

use std::collections::BTreeMap;

use serde::Serialize;

use super::format::{Content, ExportError, FileFormat, Format, to_json_line};
use crate::analysis::{BenchSummary, CycleSummary, Summary};
use crate::report::labels;

/// The format of `summary.json`, which every run writes. `schema_version` gives the version of a file.
pub const JSON: Format = FileFormat {
    name: "json",
    aliases: &[],
    file: "summary.json",
    about: "all results; `cargo lem schema` prints the schema",
    content: Content::One(to_json_line),
};

/// The format of `cycles.jsonl`: JSON lines of the cycles, before any statistics. Our results can be checked against
/// ratios of sums over these.
pub(super) const CYCLES: Format = FileFormat {
    name: "cycles",
    aliases: &["jsonl"],
    file: "cycles.jsonl",
    about: "JSON lines, one per cycle, for pandas",
    content: Content::Many(to_lines),
};

/// One cycle: its sums over its windows. Energies and powers are those of the headline domains together.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct CycleLine<'a> {
    /// The run's id.
    run: &'a str,
    /// The bench target's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    package: Option<String>,
    target: &'a str,
    /// The bench's id.
    bench: &'a str,
    /// The bench's parameters by name.
    params: BTreeMap<&'a str, &'a str>,
    /// The cycle, from 0.
    cycle: u32,
    /// Total length of its windows, in seconds.
    seconds: f64,
    /// Energy in J; null where a domain is missing.
    energy_j: Option<f64>,
    /// What the sensors alone allow: the energy is not below this, in J.
    sensor_low_j: Option<f64>,
    /// What the sensors alone allow: the energy is not above this, in J.
    sensor_high_j: Option<f64>,
    /// The same energy by the other method (counter, integrated power), in J.
    cross_check_j: Option<f64>,
    /// Loaded idle power in the gap before it, in W.
    idle_w: Option<f64>,
    /// Energy of each domain, in J.
    domains_j: BTreeMap<&'a str, f64>,
    /// Requests (or iterations) that ended well.
    requests: u64,
    /// Requests that failed.
    failed: u64,
    /// Prompt tokens.
    input_tokens: u64,
    /// Tokens returned.
    output_tokens: u64,
    /// Other units of work, by name.
    units: &'a BTreeMap<String, u64>,
    /// The mean of each custom metric, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    custom: &'a BTreeMap<String, f64>,
    /// Highest temperature at the first window's start, in °C.
    temperature_start_c: Option<f64>,
    /// Highest temperature at the last window's end, in °C.
    temperature_end_c: Option<f64>,
    /// `measured`, `estimated` or `simulated`.
    origin: &'static str,
    /// How far the bench's numbers can be trusted: `valid`, `warning` or `invalid`.
    status: &'static str,
    /// How the bench ended: `completed`, `failed`, `panicked`, `device_lost` or `interrupted`.
    outcome: &'static str,
    /// Why there is no energy; null where there is one.
    missing: Option<&'static str>,
}

fn to_lines(runs: &[Summary]) -> Result<String, ExportError> {
    let mut text = String::new();
    for run in runs {
        for bench in &run.benches {
            for cycle in &bench.cycles {
                let line = serde_json::to_string(&cycle_line(run, bench, cycle));
                text.push_str(&line.map_err(|source| ExportError::Json { source })?);
                text.push('\n');
            }
        }
    }
    Ok(text)
}

fn cycle_line<'a>(run: &'a Summary, bench: &'a BenchSummary, cycle: &'a CycleSummary) -> CycleLine<'a> {
    let finite = |value: f64| Some(value).filter(|value| value.is_finite());
    let energy_j = cycle.energy_j.and_then(|energy| finite(energy.get()));
    CycleLine {
        run: &run.run.run_id,
        package: run.run.bench_target().package,
        target: &run.run.target,
        bench: &bench.bench.id,
        params: bench.bench.params.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect(),
        cycle: cycle.index,
        seconds: cycle.seconds,
        energy_j,
        sensor_low_j: cycle.sensor_j.and_then(|(low, _)| finite(low.get())),
        sensor_high_j: cycle.sensor_j.and_then(|(_, high)| finite(high.get())),
        cross_check_j: cycle.cross_check_j.and_then(|energy| finite(energy.get())),
        idle_w: cycle.idle_w.and_then(|power| finite(power.get())),
        domains_j: cycle
            .domains_j
            .iter()
            .filter_map(|(id, energy)| Some((id.as_str(), finite(energy.get())?)))
            .collect(),
        requests: cycle.requests,
        failed: cycle.failed,
        input_tokens: cycle.input_tokens,
        output_tokens: cycle.output_tokens,
        units: &cycle.units,
        custom: &cycle.custom,
        temperature_start_c: cycle.temperature_c.and_then(|(start, _)| finite(start)),
        temperature_end_c: cycle.temperature_c.and_then(|(_, end)| finite(end)),
        origin: bench.source.as_ref().map_or(run.run.probe.origin, |source| source.origin).name(),
        status: bench.status.name(),
        outcome: labels::outcome_name(bench),
        missing: energy_j.is_none().then_some("a headline domain gave no energy in this cycle"),
    }
}

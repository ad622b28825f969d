//! CSV by RFC 4180 in tidy form: one row per bench and metric. A bench without metrics has one row with the reason.
//!
//! Numbers are written with all digits, so that they parse to the same value. A cell without content is empty. A missing
//! value is empty too, with the reason in the column `missing`.

use std::collections::BTreeSet;

use super::format::{Content, FileFormat, Format};
use crate::analysis::{BenchSummary, Metric, Summary};
use crate::model::{Method, Origin};
use crate::report::labels;
use crate::report::number_format::{finite_interval, finite_value};

/// The format of `metrics.csv`.
pub(super) const CSV: Format = FileFormat {
    name: "csv",
    aliases: &[],
    file: "metrics.csv",
    about: "one row per bench and metric, for pandas, R and spreadsheets",
    content: Content::Many(|runs| Ok(to_csv(runs))),
};

/// The columns of every table. After them comes a column `param.NAME` for each parameter of a bench.
const COLUMNS: [&str; 26] = [
    "run",
    "package",
    "target",
    "bench",
    "group",
    "metric",
    "value",
    "unit",
    "low",
    "high",
    "level",
    "method",
    "indicative",
    "bootstrap_low",
    "bootstrap_high",
    "bootstrap_method",
    "cycles",
    "samples",
    "lower_is_better",
    "headline",
    "meter",
    "origin",
    "energy_method",
    "status",
    "outcome",
    "missing",
];

fn to_csv(runs: &[Summary]) -> String {
    let benches = runs.iter().flat_map(|run| &run.benches);
    let params: BTreeSet<&str> = benches.flat_map(|bench| &bench.bench.params).map(|(name, _)| name.as_str()).collect();
    let mut text = String::new();
    let head = COLUMNS.into_iter().map(str::to_owned).chain(params.iter().map(|name| format!("param.{name}")));
    write_row(&mut text, head);
    for run in runs {
        for bench in &run.benches {
            if bench.metrics.is_empty() {
                write_row(&mut text, row(run, bench, None, &params));
            }
            for (name, metric) in &bench.metrics {
                write_row(&mut text, row(run, bench, Some((name, metric)), &params));
            }
        }
    }
    text
}

fn row(
    run: &Summary,
    bench: &BenchSummary,
    named_metric: Option<(&String, &Metric)>,
    params: &BTreeSet<&str>,
) -> Vec<String> {
    let metric = named_metric.map(|(_, metric)| metric);
    let ends = metric.and_then(finite_interval);
    let interval = metric.and_then(|metric| metric.interval.as_ref()).filter(|_| ends.is_some());
    let bootstrap = metric.and_then(Metric::bootstrap_interval);
    let source = metric.and_then(|metric| metric.source.as_ref());
    let missing = match metric {
        Some(metric) => finite_value(metric).err().or_else(|| metric.missing.clone()),
        None => Some(labels::failure_message(bench).unwrap_or("nothing was measured").to_owned()),
    };
    // Rates and times are measured by the clock, whatever the source of the energy. On a simulated machine the clock is
    // simulated too.
    let clock = if run.run.probe.origin == Origin::Simulated { Origin::Simulated } else { Origin::Measured };
    let mut cells = vec![
        run.run.run_id.clone(),
        run.run.bench_target().package.unwrap_or_default(),
        run.run.target.clone(),
        bench.bench.id.clone(),
        bench.bench.group.clone().unwrap_or_default(),
        cell(named_metric.map(|(name, _)| name)),
        number(metric.and_then(|metric| finite_value(metric).ok())),
        cell(metric.map(|metric| &metric.unit)),
        number(ends.map(|(low, _)| low)),
        number(ends.map(|(_, high)| high)),
        number(interval.map(|interval| interval.level)),
        cell(interval.map(|interval| &interval.method)),
        cell(interval.map(|interval| interval.indicative)),
        number(bootstrap.map(|interval| interval.low)),
        number(bootstrap.map(|interval| interval.high)),
        cell(bootstrap.map(|interval| &interval.method)),
        cell(metric.map(|metric| metric.cycles)),
        cell(metric.and_then(|metric| metric.samples)),
        cell(metric.and_then(|metric| metric.lower_is_better)),
        cell(named_metric.map(|(name, _)| Some(name) == bench.headline_metric.as_ref())),
        run.run.probe.meter.clone(),
        source.map_or(clock, |source| source.origin).name().to_owned(),
        cell(source.map(|source| method_name(source.method))),
        bench.status.name().to_owned(),
        labels::outcome_name(bench).to_owned(),
        missing.unwrap_or_default(),
    ];
    for name in params {
        cells.push(cell(bench.bench.params.iter().find(|(known, _)| known == name).map(|(_, value)| value)));
    }
    cells
}

/// Returns a value as text, or an empty cell for `None`.
fn cell(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// Returns a number with all its digits, or an empty cell if it is missing or not finite.
fn number(value: Option<f64>) -> String {
    value.filter(|value| value.is_finite()).map(|value| format!("{value:?}")).unwrap_or_default()
}

fn method_name(method: Method) -> &'static str {
    match method {
        Method::Counter => "counter",
        Method::IntegratedPower => "integrated_power",
    }
}

fn write_row(text: &mut String, cells: impl IntoIterator<Item = String>) {
    let cells: Vec<String> = cells.into_iter().map(|cell| quote(&cell)).collect();
    text.push_str(&cells.join(","));
    text.push_str("\r\n");
}

/// Quotes a cell by RFC 4180, section 2, if it contains a quote, a comma or a line break.
fn quote(cell: &str) -> String {
    if cell.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.to_owned() }
}

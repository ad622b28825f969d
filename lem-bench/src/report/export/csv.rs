//! CSV by RFC 4180, tidy: one row a bench and metric. A bench without metrics has one row, which says why.
//!
//! Numbers are written so that they come back to the last bit. A cell is empty where there is nothing to say; a value
//! is empty where there is none, with the reason in `missing`.

use std::collections::BTreeSet;

use super::format::ExportError;
use super::key_metrics::{ends, finite, origin, outcome, reason};
use crate::analysis::{BenchSummary, Metric, Summary};
use crate::model::Method;
use crate::report::labels;

/// The columns that every table has; a column `param.NAME` follows for each parameter of a bench.
const COLUMNS: [&str; 25] = [
    "run",
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

/// The table of all benches and metrics of the runs.
#[expect(clippy::unnecessary_wraps, reason = "the shape that every format has")]
pub(super) fn table(runs: &[Summary]) -> Result<String, ExportError> {
    let benches = || runs.iter().flat_map(|run| &run.benches);
    let params: BTreeSet<&str> =
        benches().flat_map(|bench| &bench.bench.params).map(|(name, _)| name.as_str()).collect();
    let mut text = String::new();
    let head = COLUMNS.into_iter().map(str::to_owned).chain(params.iter().map(|name| format!("param.{name}")));
    line(&mut text, head);
    for run in runs {
        for bench in &run.benches {
            if bench.metrics.is_empty() {
                line(&mut text, row(run, bench, None, &params));
            }
            for (name, metric) in &bench.metrics {
                line(&mut text, row(run, bench, Some((name, metric)), &params));
            }
        }
    }
    Ok(text)
}

fn row(
    run: &Summary,
    bench: &BenchSummary,
    metric: Option<(&String, &Metric)>,
    params: &BTreeSet<&str>,
) -> Vec<String> {
    let number = |value: Option<f64>| value.filter(|x| x.is_finite()).map(|x| format!("{x:?}")).unwrap_or_default();
    let of = |tell: &dyn Fn(&Metric) -> Option<String>| metric.and_then(|(_, metric)| tell(metric)).unwrap_or_default();
    let ends = metric.and_then(|(_, metric)| ends(metric));
    let interval = |tell: &dyn Fn(&crate::analysis::Interval) -> String| {
        of(&|metric| metric.interval.as_ref().filter(|_| ends.is_some()).map(tell))
    };
    let bootstrap = |tell: &dyn Fn(&crate::analysis::Interval) -> String| of(&|m| m.bootstrap.as_ref().map(tell));
    let source = metric.and_then(|(_, metric)| metric.source.as_ref());
    let missing = match metric {
        Some((_, metric)) => reason(metric).or_else(|| metric.missing.clone()),
        None => Some(labels::failure_message(bench).unwrap_or("nothing was measured").to_owned()),
    };
    let mut cells = vec![
        run.run.run_id.clone(),
        run.run.target.clone(),
        bench.bench.id.clone(),
        bench.bench.group.clone().unwrap_or_default(),
        metric.map(|(name, _)| name.clone()).unwrap_or_default(),
        number(metric.and_then(|(_, metric)| finite(metric))),
        of(&|metric| Some(metric.unit.clone())),
        number(ends.map(|(low, _)| low)),
        number(ends.map(|(_, high)| high)),
        interval(&|interval| format!("{:?}", interval.level)),
        interval(&|interval| interval.method.clone()),
        interval(&|interval| interval.indicative.to_string()),
        bootstrap(&|interval| number(Some(interval.low))),
        bootstrap(&|interval| number(Some(interval.high))),
        bootstrap(&|interval| interval.method.clone()),
        of(&|metric| Some(metric.cycles.to_string())),
        of(&|metric| metric.samples.map(|samples| samples.to_string())),
        of(&|metric| metric.lower_is_better.map(|lower| lower.to_string())),
        metric.map(|(name, _)| (Some(name) == bench.headline_metric.as_ref()).to_string()).unwrap_or_default(),
        run.run.probe.meter.clone(),
        // A speed was measured by the clock, whatever told the energy; on a simulated machine the clock is its too.
        source.map_or_else(|| clock_origin(run), |source| origin(source.origin)).to_owned(),
        source.map(|source| method(source.method)).unwrap_or_default().to_owned(),
        bench.status.name().to_owned(),
        outcome(bench).to_owned(),
        missing.unwrap_or_default(),
    ];
    let param =
        |name: &&str| bench.bench.params.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
    cells.extend(params.iter().map(|name| param(name).unwrap_or_default()));
    cells
}

fn clock_origin(run: &Summary) -> &'static str {
    use crate::model::Origin;
    if run.run.probe.origin == Origin::Simulated { "simulated" } else { "measured" }
}

fn method(method: Method) -> &'static str {
    match method {
        Method::Counter => "counter",
        Method::IntegratedPower => "integrated_power",
    }
}

fn line(text: &mut String, cells: impl IntoIterator<Item = String>) {
    let cells: Vec<String> = cells.into_iter().map(|cell| quoted(&cell)).collect();
    text.push_str(&cells.join(","));
    text.push_str("\r\n");
}

/// A cell by RFC 4180, section 2: in quotes where it holds a quote, a comma or the end of a line.
fn quoted(cell: &str) -> String {
    if cell.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.to_owned() }
}

//! OpenMetrics text: one gauge family per metric, for Prometheus, its clients and node_exporter's textfile collector.
//!
//! Follows the OpenMetrics 1.0 specification. Uses gauges only, so that readers of Prometheus' older text format accept
//! it too. The bench's name and the number's origin are in labels. A metric without a value has no sample but a line in
//! `lem_bench_missing` with the reason.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::format::{Content, FileFormat, Format};
use crate::analysis::{BenchSummary, Metric, Status, Summary};
use crate::model::Origin;
use crate::report::labels;
use crate::report::number_format::{finite_interval, finite_value};

/// The format of `metrics.prom`.
pub(super) const OPEN_METRICS: Format = FileFormat {
    name: "openmetrics",
    aliases: &["prometheus"],
    file: "metrics.prom",
    about: "OpenMetrics text, for Prometheus",
    content: Content::Many(|runs| Ok(to_exposition(runs))),
};

/// Names and values of labels.
type Labels<'a> = Vec<(&'a str, &'a str)>;

/// A metric family: its help text, and its samples with their formatted labels.
#[derive(Debug)]
struct Family {
    help: String,
    samples: Vec<(String, f64)>,
}

/// Metric families by name.
#[derive(Debug, Default)]
struct Families(BTreeMap<String, Family>);

impl Families {
    fn add(&mut self, name: &str, help: &str, labels: &[(&str, &str)], value: f64) {
        let new_family = || Family { help: help.to_owned(), samples: Vec::new() };
        self.0.entry(name.to_owned()).or_insert_with(new_family).samples.push((label_set(labels), value));
    }
}

fn to_exposition(runs: &[Summary]) -> String {
    let mut families = Families::default();
    for run in runs {
        add_run(&mut families, run);
    }
    let mut text = String::new();
    for (name, family) in &families.0 {
        // Writing to a `String` does not fail.
        let _ = write!(text, "# TYPE {name} gauge\n# HELP {name} {}\n", escape(&family.help));
        for (labels, value) in &family.samples {
            let _ = writeln!(text, "{name}{{{labels}}} {value:?}");
        }
    }
    text.push_str("# EOF\n");
    text
}

fn add_run(families: &mut Families, run: &Summary) {
    let target = run.run.bench_target();
    let mut run_labels: Labels<'_> = vec![("run", &run.run.run_id)];
    run_labels.extend(target.package.as_deref().map(|package| ("package", package)));
    run_labels.push(("target", &target.name));
    families.add(
        "lem_bench_run_start_timestamp_seconds",
        "Start time of the run, in seconds since 1970.",
        &[&run_labels[..], &[("meter", &run.run.probe.meter), ("lem_bench", &run.run.lem_bench)]].concat(),
        run.run.started_unix_s,
    );
    for bench in &run.benches {
        let bench_labels = [&run_labels[..], &[("bench", bench.bench.id.as_str())]].concat();
        families.add(
            "lem_bench_usable",
            "1 if the numbers of the bench can be used, 0 if they must not be used.",
            &[&bench_labels[..], &[("status", bench.status.name()), ("outcome", labels::outcome_name(bench))]].concat(),
            if bench.status == Status::Invalid { 0.0 } else { 1.0 },
        );
        for (name, metric) in &bench.metrics {
            let labels = [&bench_labels[..], &[("metric", name), ("unit", &metric.unit)]].concat();
            add_metric(families, run, bench, name, metric, labels);
        }
    }
}

fn add_metric(
    families: &mut Families,
    run: &Summary,
    bench: &BenchSummary,
    name: &str,
    metric: &Metric,
    mut labels: Labels<'_>,
) {
    let value = match finite_value(metric) {
        Ok(value) => value,
        Err(reason) => {
            let labels = [&labels[..], &[("reason", &reason)]].concat();
            families.add("lem_bench_missing", "A metric without a value, and the reason.", &labels, 1.0);
            return;
        }
    };
    // A metric without a source is a rate or a time: measured, unless the machine and its clock are simulated.
    let origin = match bench.source.as_ref().map_or(run.run.probe.origin, |source| source.origin) {
        origin if origin == Origin::Simulated || metric.source.is_some() => origin,
        _ => Origin::Measured,
    };
    labels.extend([("origin", origin.name()), ("status", bench.status.name())]);
    let family = format!("lem_bench_{}", identifier(name));
    let title = labels::metric_title(name, metric);
    families.add(&family, &format!("{title}, in the unit of its label."), &labels, value);
    if let Some((low, high)) = finite_interval(metric) {
        families.add(&format!("{family}_low"), &format!("Lower end of the interval of {title}."), &labels, low);
        families.add(&format!("{family}_high"), &format!("Upper end of the interval of {title}."), &labels, high);
    }
}

/// Returns the name of a metric in the characters that OpenMetrics allows; the label `metric` has the original name.
fn identifier(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

fn label_set(labels: &[(&str, &str)]) -> String {
    labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escape(value))).collect::<Vec<_>>().join(",")
}

/// Escapes text in quotes by the specification's ABNF: `\`, `"` and line feeds get a backslash.
fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

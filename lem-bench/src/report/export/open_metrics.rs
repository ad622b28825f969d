//! OpenMetrics text: a gauge family for each metric, which Prometheus, its clients and node_exporter's textfile
//! collector read.
//!
//! After the OpenMetrics 1.0 specification. Gauges alone, so that readers of Prometheus' older text format take it too.
//! What a bench is called, and where its number comes from, is in labels; a metric without a value has no sample but a
//! line in `lem_bench_missing` that says why.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::format::ExportError;
use super::key_metrics::{ends, finite, origin, outcome, reason};
use crate::analysis::{BenchSummary, Metric, Summary};
use crate::report::labels;

/// The samples of each family, by the family's name: its help, and lines of labels and value.
type Families = BTreeMap<String, (String, Vec<(String, f64)>)>;

/// The runs as one exposition.
#[expect(clippy::unnecessary_wraps, reason = "the shape that every format has")]
pub(super) fn exposition(runs: &[Summary]) -> Result<String, ExportError> {
    let mut families = Families::new();
    let mut put = |family: String, help: String, labels: &[(&str, &str)], value: f64| {
        families.entry(family).or_insert_with(|| (help, Vec::new())).1.push((label_set(labels), value));
    };
    for run in runs {
        let of_run = [("run", run.run.run_id.as_str()), ("target", run.run.target.as_str())];
        let info = [of_run[0], of_run[1], ("meter", &run.run.probe.meter), ("lem_bench", &run.run.lem_bench)];
        let help = "When a run began, in seconds since 1970.";
        put("lem_bench_run_start_timestamp_seconds".to_owned(), help.to_owned(), &info, run.run.started_unix_s);
        for bench in &run.benches {
            let of_bench = [of_run[0], of_run[1], ("bench", bench.bench.id.as_str())];
            let standing = [("status", bench.status.name()), ("outcome", outcome(bench))];
            let help = "1 where a bench's numbers can be used, 0 where they must not.";
            let usable = if bench.status == crate::analysis::Status::Invalid { 0.0 } else { 1.0 };
            put("lem_bench_usable".to_owned(), help.to_owned(), &[&of_bench[..], &standing].concat(), usable);
            for (name, metric) in &bench.metrics {
                let labels = [&of_bench[..], &[("metric", name), ("unit", &metric.unit)]].concat();
                sample(&mut put, run, bench, name, metric, labels);
            }
        }
    }
    let mut text = String::new();
    for (family, (help, samples)) in &families {
        // Writing to a `String` does not fail.
        let _ = write!(text, "# TYPE {family} gauge\n# HELP {family} {}\n", escape(help));
        for (labels, value) in samples {
            let _ = writeln!(text, "{family}{{{labels}}} {value:?}");
        }
    }
    text.push_str("# EOF\n");
    Ok(text)
}

fn sample(
    put: &mut impl FnMut(String, String, &[(&str, &str)], f64),
    run: &Summary,
    bench: &BenchSummary,
    name: &str,
    metric: &Metric,
    labels: Vec<(&str, &str)>,
) {
    let Some(value) = finite(metric) else {
        let why = reason(metric).unwrap_or_default();
        let help = "A metric that has no value, and why.";
        put("lem_bench_missing".to_owned(), help.to_owned(), &[&labels[..], &[("reason", &why)]].concat(), 1.0);
        return;
    };
    let from = bench.source.as_ref().map_or(run.run.probe.origin, |source| source.origin);
    let measured = metric.source.is_none() && from != crate::model::Origin::Simulated;
    let from = if measured { "measured" } else { origin(from) };
    let labels = [&labels[..], &[("origin", from), ("status", bench.status.name())]].concat();
    let family = format!("lem_bench_{}", identifier(name));
    let title = labels::title(name);
    put(family.clone(), format!("{title}, in the unit of its label."), &labels, value);
    if let Some((low, high)) = ends(metric) {
        put(format!("{family}_low"), format!("Lower end of the interval of {title}."), &labels, low);
        put(format!("{family}_high"), format!("Upper end of the interval of {title}."), &labels, high);
    }
}

/// The name of a metric as OpenMetrics allows it; the label `metric` has it as it is.
fn identifier(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

fn label_set(labels: &[(&str, &str)]) -> String {
    labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escape(value))).collect::<Vec<_>>().join(",")
}

/// Text in quotes, by the specification's ABNF: a backslash before `\`, `"` and the end of a line.
fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

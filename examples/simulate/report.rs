//! What one run gave, and what all of them come to, as JSON.

use lem_bench::analysis::{BenchSummary, Metric};
use lem_bench::sim::Truth;
use serde_json::{Value, json};

/// One run against the truth.
#[derive(Debug)]
pub(crate) struct RunReport {
    json: Value,
    gross: Estimate,
    net: Estimate,
    worst_window_pct: f64,
    virtual_s: f64,
}

/// An estimate against its truth.
#[derive(Debug, Clone, Copy, Default)]
struct Estimate {
    value: Option<f64>,
    interval: Option<(f64, f64)>,
    covers: Option<bool>,
}

impl Estimate {
    fn new(metric: Option<&Metric>, truth: f64) -> Self {
        let value = metric.and_then(|metric| metric.value);
        let interval = metric.and_then(|metric| metric.interval.as_ref()).map(|i| (i.low, i.high));
        Self { value, interval, covers: interval.map(|(low, high)| low <= truth && truth <= high) }
    }

    fn low(&self) -> Option<f64> {
        self.interval.map(|i| i.0)
    }

    fn high(&self) -> Option<f64> {
        self.interval.map(|i| i.1)
    }
}

impl RunReport {
    pub(crate) fn new(run: u64, bench: &BenchSummary, windows: Vec<(f64, f64)>, virtual_s: f64, truth: &Truth) -> Self {
        let gross = Estimate::new(bench.metrics.get("j_per_output_token"), truth.j_per_output_token);
        let net = Estimate::new(bench.metrics.get("net_j_per_output_token"), truth.net_j_per_output_token);
        let error = |(truth, measured): &(f64, f64)| 100.0 * (measured - truth) / truth;
        let worst_window_pct = windows.iter().map(error).fold(0.0, |w: f64, e| if e.abs() > w.abs() { e } else { w });
        let findings: Vec<String> = bench.findings.iter().map(|finding| finding.check.name()).collect();
        let json = json!({
            "run": run,
            "j_per_output_token": gross.value,
            "low": gross.low(),
            "high": gross.high(),
            "net_j_per_output_token": net.value,
            "net_low": net.low(),
            "net_high": net.high(),
            "true_window_j": windows.iter().map(|w| w.0).sum::<f64>(),
            "measured_window_j": windows.iter().map(|w| w.1).sum::<f64>(),
            "worst_window_error_pct": worst_window_pct,
            "cycles": bench.cycles.len(),
            "virtual_s": virtual_s,
            "findings": findings,
            "status": bench.status.name(),
        });
        Self { json, gross, net, worst_window_pct, virtual_s }
    }

    pub(crate) fn json(&self) -> &Value {
        &self.json
    }
}

/// Sums over runs.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    gross: Vec<Estimate>,
    net: Vec<Estimate>,
    worst_window_pct: f64,
    virtual_s: Vec<f64>,
}

impl Totals {
    pub(crate) fn add(&mut self, report: &RunReport) {
        self.gross.push(report.gross);
        self.net.push(report.net);
        if report.worst_window_pct.abs() > self.worst_window_pct.abs() {
            self.worst_window_pct = report.worst_window_pct;
        }
        self.virtual_s.push(report.virtual_s);
    }

    pub(crate) fn json(&self, truth: &Truth) -> Value {
        json!({
            "summary": true,
            "runs": self.gross.len(),
            "truth_j_per_output_token": truth.j_per_output_token,
            "truth_net_j_per_output_token": truth.net_j_per_output_token,
            "bias_pct": bias_pct(&self.gross, truth.j_per_output_token),
            "net_bias_pct": bias_pct(&self.net, truth.net_j_per_output_token),
            "worst_window_error_pct": self.worst_window_pct,
            "coverage": coverage(&self.gross),
            "net_coverage": coverage(&self.net),
            "mean_half_width_pct": half_width_pct(&self.gross),
            "net_mean_half_width_pct": half_width_pct(&self.net),
            "mean_virtual_s": mean(self.virtual_s.iter().copied()),
        })
    }
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, n) = values.fold((0.0, 0u32), |(sum, n), value| (sum + value, n + 1));
    (n > 0).then(|| sum / f64::from(n))
}

fn bias_pct(estimates: &[Estimate], truth: f64) -> Option<f64> {
    mean(estimates.iter().filter_map(|e| e.value)).map(|mean| 100.0 * (mean - truth) / truth)
}

/// The share of the intervals that cover the truth.
fn coverage(estimates: &[Estimate]) -> Option<f64> {
    mean(estimates.iter().filter_map(|e| e.covers).map(f64::from))
}

fn half_width_pct(estimates: &[Estimate]) -> Option<f64> {
    let half = |e: &Estimate| Some(50.0 * (e.high()? - e.low()?) / e.value?);
    mean(estimates.iter().filter_map(half))
}

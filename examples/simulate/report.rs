//! The results of one run and the summary of all runs, as JSON.

use lem_bench::__private::sim::Truth;
use lem_bench::summary::{BenchSummary, Metric};
use serde_json::{Value, json};

/// One run compared with the truth.
#[derive(Debug)]
pub(crate) struct RunReport {
    json: Value,
    gross: Estimate,
    net: Estimate,
    worst_window_pct: f64,
    windows: Vec<Window>,
    virtual_s: f64,
}

/// The energy of one window, in joules.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    pub(crate) truth: f64,
    pub(crate) measured: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
    pub(crate) uncertainty: f64,
}

impl Window {
    fn error_pct(&self) -> f64 {
        100.0 * (self.measured - self.truth) / self.truth
    }

    /// The error in standard uncertainties.
    fn relative_error(&self) -> f64 {
        (self.measured - self.truth) / self.uncertainty
    }

    /// Whether the sensor's bounds contain the true energy.
    fn bounded(&self) -> bool {
        // Allow for rounding in the last digit of a counter.
        let slack = 1e-6 * self.truth;
        self.low - slack <= self.truth && self.truth <= self.high + slack
    }
}

/// An estimate compared with the truth.
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
    pub(crate) fn new(run: u64, bench: &BenchSummary, windows: &[Window], virtual_s: f64, truth: &Truth) -> Self {
        let gross = Estimate::new(bench.metrics.get("j_per_output_token"), truth.j_per_output_token);
        let net = Estimate::new(bench.metrics.get("net_j_per_output_token"), truth.net_j_per_output_token);
        let worst_window_pct = worst(windows.iter().map(Window::error_pct));
        let findings: Vec<String> = bench.findings.iter().map(|finding| finding.check.name()).collect();
        let json = json!({
            "run": run,
            "j_per_output_token": gross.value,
            "low": gross.low(),
            "high": gross.high(),
            "net_j_per_output_token": net.value,
            "net_low": net.low(),
            "net_high": net.high(),
            "true_window_j": windows.iter().map(|w| w.truth).sum::<f64>(),
            "measured_window_j": windows.iter().map(|w| w.measured).sum::<f64>(),
            "worst_window_error_pct": worst_window_pct,
            "cycles": bench.cycles.len(),
            "virtual_s": virtual_s,
            "findings": findings,
            "status": bench.status.name(),
        });
        Self { json, gross, net, worst_window_pct, windows: windows.to_vec(), virtual_s }
    }

    pub(crate) fn json(&self) -> &Value {
        &self.json
    }
}

/// The results of all runs.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    gross: Vec<Estimate>,
    net: Vec<Estimate>,
    worst_window_pct: f64,
    windows: Vec<Window>,
    virtual_s: Vec<f64>,
}

impl Totals {
    pub(crate) fn add(&mut self, report: &RunReport) {
        self.gross.push(report.gross);
        self.net.push(report.net);
        self.worst_window_pct = worst([self.worst_window_pct, report.worst_window_pct].into_iter());
        self.windows.extend(&report.windows);
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
            "window_bounds_coverage": mean(self.windows.iter().map(|window| f64::from(window.bounded()))),
            "window_uncertainty_pct": mean(self.windows.iter().map(|window| 100.0 * window.uncertainty / window.truth)),
            "window_coverage_of_2_uncertainties": mean(self.windows.iter().map(|w| f64::from(w.relative_error().abs() <= 2.0))),
            "window_rms_error_in_uncertainties": mean(self.windows.iter().map(|w| w.relative_error().powi(2))).map(f64::sqrt),
            "coverage": coverage(&self.gross),
            "net_coverage": coverage(&self.net),
            "mean_half_width_pct": half_width_pct(&self.gross),
            "net_mean_half_width_pct": half_width_pct(&self.net),
            "mean_virtual_s": mean(self.virtual_s.iter().copied()),
        })
    }
}

/// The value furthest from zero.
fn worst(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(0.0, |worst: f64, value| if value.abs() > worst.abs() { value } else { worst })
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, n) = values.fold((0.0, 0u32), |(sum, n), value| (sum + value, n + 1));
    (n > 0).then(|| sum / f64::from(n))
}

fn bias_pct(estimates: &[Estimate], truth: f64) -> Option<f64> {
    mean(estimates.iter().filter_map(|e| e.value)).map(|mean| 100.0 * (mean - truth) / truth)
}

/// The share of intervals that cover the truth.
fn coverage(estimates: &[Estimate]) -> Option<f64> {
    mean(estimates.iter().filter_map(|e| e.covers).map(f64::from))
}

fn half_width_pct(estimates: &[Estimate]) -> Option<f64> {
    let half = |e: &Estimate| Some(50.0 * (e.high()? - e.low()?) / e.value?);
    mean(estimates.iter().filter_map(half))
}

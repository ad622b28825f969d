//! The table: errors of many windows per row, and whether they are within their bounds.

use lem_bench::__private::stats::{self, PooledSamples};

use crate::machine::Setting;
use crate::measure::Window;

pub(crate) const HEAD: &str = "sensor        load             beyond      window   naive p95    max   ours p95     max   bound   ± holds  mean ±  2u holds  mean u   rms error/u";

pub(crate) const TEN_HEAD: &str =
    "sensor        load             beyond      naive p95   ours p95    max   bound   95 % interval covers  mean ±";

/// The lowest share of windows whose error is at most two standard uncertainties.
const MIN_WITHIN_2U: f64 = 0.92;

/// The bounds of a row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// p95 of |error| in %, by window length in s.
    p95_pct: &'static [(f64, f64)],
    min_coverage: f64,
}

impl Bounds {
    /// A full-time counter: its ± is a hard bound and always contains the truth.
    pub(crate) const FULL_TIME: Self = Self { p95_pct: &[(1.0, 1.5), (2.0, 0.5), (5.0, 0.1)], min_coverage: 1.0 };

    /// Only the lowest share of windows whose ± contains the truth.
    pub(crate) const fn min_coverage(share: f64) -> Self {
        Self { p95_pct: &[], min_coverage: share }
    }
}

/// Windows of one length on one kind of machine.
pub(crate) struct Row {
    name: String,
    length: f64,
    naive: Errors,
    ours: Errors,
    bound: Option<f64>,
    holds: f64,
    min_coverage: f64,
    half_pct: f64,
    /// The share of windows whose error is at most two standard uncertainties.
    within_2u: f64,
    /// The mean standard uncertainty in %.
    uncertainty_pct: f64,
    /// The root mean square of the errors in standard uncertainties.
    rms_in_u: f64,
}

/// Absolute errors, in %.
struct Errors {
    p95: f64,
    max: f64,
}

impl Errors {
    fn new(mut pct: Vec<f64>) -> Self {
        for error in &mut pct {
            *error = error.abs();
        }
        let max = pct.iter().copied().fold(0.0, f64::max);
        let p95 = PooledSamples::new(&[&pct], None).and_then(|pct| pct.quantile(0.95)).unwrap_or(f64::INFINITY);
        Self { p95, max }
    }
}

impl Row {
    pub(crate) fn new(setting: Setting, length: f64, windows: &[Window], bounds: &Bounds) -> Self {
        let pct = |of: fn(&Window) -> f64| windows.iter().map(|w| 100.0 * (of(w) - w.truth) / w.truth).collect();
        let n = windows.len() as f64;
        let in_u = |w: &Window| (w.measured - w.truth) / w.uncertainty;
        Self {
            name: setting.name(),
            length,
            naive: Errors::new(pct(|w| w.naive)),
            ours: Errors::new(pct(|w| w.measured)),
            bound: bounds.p95_pct.iter().find(|(of, _)| (of - length).abs() < 1e-9).map(|(_, bound)| *bound),
            holds: windows.iter().filter(|w| w.low <= w.truth && w.truth <= w.high).count() as f64 / n,
            min_coverage: bounds.min_coverage,
            half_pct: windows.iter().map(|w| 50.0 * (w.high - w.low) / w.truth).sum::<f64>() / n,
            within_2u: windows.iter().filter(|w| in_u(w).abs() <= 2.0).count() as f64 / n,
            uncertainty_pct: windows.iter().map(|w| 100.0 * w.uncertainty / w.truth).sum::<f64>() / n,
            rms_in_u: (windows.iter().map(|w| in_u(w).powi(2)).sum::<f64>() / n).sqrt(),
        }
    }

    fn is_exact(&self) -> bool {
        self.bound.is_none_or(|bound| self.ours.p95 <= bound)
    }

    pub(crate) fn holds(&self) -> bool {
        self.is_exact() && self.holds >= self.min_coverage && self.within_2u >= MIN_WITHIN_2U
    }
}

impl std::fmt::Display for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let bound = self.bound.map_or_else(|| "-".to_owned(), |bound| format!("{bound}"));
        write!(
            f,
            "{} {:>5} s  {:>9.2} {:>7.2}  {:>8.3}{} {:>7.3}  {bound:>6}  {:>7.1} %{} {:>6.2}  {:>6.1} %{} {:>6.3} {:>13.2}",
            self.name,
            self.length,
            self.naive.p95,
            self.naive.max,
            self.ours.p95,
            if self.is_exact() { ' ' } else { '!' },
            self.ours.max,
            100.0 * self.holds,
            if self.holds >= self.min_coverage { ' ' } else { '!' },
            self.half_pct,
            100.0 * self.within_2u,
            if self.within_2u >= MIN_WITHIN_2U { ' ' } else { '!' },
            self.uncertainty_pct,
            self.rms_in_u,
        )
    }
}

/// The mean of ten windows, on many machines.
pub(crate) struct Ten {
    name: String,
    naive: Errors,
    ours: Errors,
    covered: f64,
    half_pct: f64,
    bounds: (f64, f64),
}

impl Ten {
    pub(crate) fn new(setting: Setting, runs: &[Vec<Window>], bounds: (f64, f64)) -> Self {
        let sum = |run: &[Window], of: fn(&Window) -> f64| run.iter().map(of).sum::<f64>();
        let pct = |of: fn(&Window) -> f64| {
            let error = |run: &Vec<Window>| 100.0 * (sum(run, of) / sum(run, |w| w.truth) - 1.0);
            runs.iter().map(error).collect()
        };
        // The interval of a bench: over the measured energies of its windows.
        let interval = |run: &Vec<Window>| {
            let truth = sum(run, |w| w.truth) / run.len() as f64;
            let measured: Vec<f64> = run.iter().map(|w| w.measured).collect();
            stats::mean_ci(&measured, 0.95).map_or((false, f64::NAN), |ci| {
                (ci.low <= truth && truth <= ci.high, 50.0 * (ci.high - ci.low) / truth)
            })
        };
        let intervals: Vec<(bool, f64)> = runs.iter().map(interval).collect();
        let n = runs.len() as f64;
        Self {
            name: setting.name(),
            naive: Errors::new(pct(|w| w.naive)),
            ours: Errors::new(pct(|w| w.measured)),
            covered: intervals.iter().filter(|(covers, _)| *covers).count() as f64 / n,
            half_pct: intervals.iter().map(|(_, half)| half).sum::<f64>() / n,
            bounds,
        }
    }

    pub(crate) fn holds(&self) -> bool {
        self.ours.p95 <= self.bounds.0 && self.covered >= self.bounds.1
    }
}

impl std::fmt::Display for Ten {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mark = |held: bool| if held { ' ' } else { '!' };
        write!(
            f,
            "{} {:>9.2}  {:>8.3}{} {:>6.3}  {:>6}  {:>20.1} %{} {:>6.2}",
            self.name,
            self.naive.p95,
            self.ours.p95,
            mark(self.ours.p95 <= self.bounds.0),
            self.ours.max,
            self.bounds.0,
            100.0 * self.covered,
            mark(self.covered >= self.bounds.1),
            self.half_pct,
        )
    }
}

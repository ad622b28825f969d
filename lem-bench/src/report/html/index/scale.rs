//! The common scale of a table's dots and whiskers, and the small drawing of one row on it.
//!
//! Must not know which metric it shows. The numbers stand as text beside every drawing.

use std::fmt::Write as _;

use super::super::plots::svg::{escape, tick};

/// Values further apart than this are drawn on a logarithmic scale.
const LOG_FROM: f64 = 20.0;
const WIDTH: f64 = 240.0;
/// Room at both ends, so that a dot at an end is whole.
const EDGE: f64 = 8.0;
/// Gridlines at most.
const TICKS: f64 = 4.0;

/// A value with its interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Mark {
    pub(super) value: f64,
    /// The interval's ends; `None` where there is none.
    pub(super) ends: Option<(f64, f64)>,
    /// Drawn hollow: too few cycles to rely on, or a result that must not be used.
    pub(super) hollow: bool,
}

/// From values to places, and where its gridlines are.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scale {
    from: f64,
    to: f64,
    log: bool,
    ticks: Vec<f64>,
}

impl Scale {
    /// A scale on which all `marks` have room; `None` when there are none.
    pub(super) fn of(marks: impl Iterator<Item = Mark>) -> Option<Self> {
        let ends = marks.flat_map(|mark| {
            [mark.value, mark.ends.map_or(mark.value, |e| e.0), mark.ends.map_or(mark.value, |e| e.1)]
        });
        let (low, high) = ends.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), x| (l.min(x), h.max(x)));
        if !(low.is_finite() && high.is_finite()) {
            return None;
        }
        if low > 0.0 && high / low > LOG_FROM {
            let (from, to) = (low / 1.15, high * 1.15);
            let ticks = log_ticks(from, to);
            return Some(Self { from, to, log: true, ticks });
        }
        let span = if high > low { high - low } else { high.abs().max(1e-12) };
        // Zero is shown where it is not far: lengths can then be compared.
        let from = if low >= 0.0 && low < 2.0 * span { 0.0 } else { low - span * 0.06 };
        let to = high + span * 0.06;
        let step = step((to - from) / TICKS);
        let first = (from / step - 1e-9).ceil() as i64;
        let last = (to / step + 1e-9).floor() as i64;
        let ticks = (first..=last).map(|n| n as f64 * step).collect();
        Some(Self { from, to, log: false, ticks })
    }

    /// Whether it is logarithmic.
    pub(super) fn is_log(&self) -> bool {
        self.log
    }

    fn x(&self, value: f64) -> f64 {
        let share = if self.log {
            (value / self.from).ln() / (self.to / self.from).ln()
        } else {
            (value - self.from) / (self.to - self.from)
        };
        EDGE + share * (WIDTH - 2.0 * EDGE)
    }

    /// The scale itself, for the table's head; values are shown times `factor`, in `unit`.
    pub(super) fn axis(&self, factor: f64, unit: &str) -> String {
        let mut svg = format!("<svg class=\"w axis\" viewBox=\"0 0 {WIDTH} 32\" aria-hidden=\"true\">");
        for &value in &self.ticks {
            let x = self.x(value);
            let anchor = if x < 16.0 {
                "start"
            } else if x > WIDTH - 16.0 {
                "end"
            } else {
                "middle"
            };
            let at = if x < 16.0 {
                0.0
            } else if x > WIDTH - 16.0 {
                WIDTH
            } else {
                x
            };
            // Writing to a `String` does not fail.
            let _ = write!(
                svg,
                "<text x=\"{at:.0}\" y=\"25\" text-anchor=\"{anchor}\">{}</text>",
                tick(significant(value * factor))
            );
        }
        let _ = write!(svg, "<text x=\"0\" y=\"11\">{}</text>{}</svg>", escape(unit), self.grid(28, 32));
        svg
    }

    fn grid(&self, from: u32, to: u32) -> String {
        let mut path = String::from("<path class=\"t\" d=\"");
        for &value in &self.ticks {
            let _ = write!(path, "M{:.1} {from}V{to}", self.x(value));
        }
        path + "\"/>"
    }

    /// One row: gross as a dot above, net as a diamond below.
    pub(super) fn row(&self, gross: Mark, net: Option<Mark>) -> String {
        let mut svg = format!("<svg class=\"w\" viewBox=\"0 0 {WIDTH} 28\" aria-hidden=\"true\">{}", self.grid(0, 28));
        self.whisker(&mut svg, "g", 9, &gross);
        let hollow = |mark: &Mark| if mark.hollow { " h" } else { "" };
        let _ =
            write!(svg, "<circle class=\"g{}\" cx=\"{:.1}\" cy=\"9\" r=\"4\"/>", hollow(&gross), self.x(gross.value));
        if let Some(net) = net {
            self.whisker(&mut svg, "n", 21, &net);
            let x = self.x(net.value);
            let _ = write!(svg, "<path class=\"n{}\" d=\"M{x:.1} 16.5l4.5 4.5-4.5 4.5-4.5-4.5z\"/>", hollow(&net));
        }
        svg + "</svg>"
    }

    fn whisker(&self, svg: &mut String, class: &str, y: u32, mark: &Mark) {
        let Some((low, high)) = mark.ends else { return };
        let (low, high, top) = (self.x(low), self.x(high), y - 4);
        let _ =
            write!(svg, "<path class=\"{class}\" d=\"M{low:.1} {y}H{high:.1}M{low:.1} {top}v8M{high:.1} {top}v8\"/>");
    }
}

/// Powers of ten between two values, with their doubles and halves where they are few.
fn log_ticks(from: f64, to: f64) -> Vec<f64> {
    let powers = from.log10().floor() as i32..=to.log10().ceil() as i32;
    let within = |digits: &[f64]| -> Vec<f64> {
        let each = powers.clone().flat_map(|power| digits.iter().map(move |digit| digit * 10_f64.powi(power)));
        each.filter(|value| (from..=to).contains(value)).collect()
    };
    let mut ticks = within(&[1.0, 3.0]);
    if ticks.len() > TICKS as usize + 1 {
        ticks = within(&[1.0]);
    }
    while ticks.len() > TICKS as usize + 1 {
        ticks = ticks.into_iter().step_by(2).collect();
    }
    ticks
}

/// A step of 1, 2 or 5 times a power of ten that is not below `least`.
fn step(least: f64) -> f64 {
    let power = 10_f64.powf(least.log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|n| n * power).find(|step| *step >= least * 0.999).unwrap_or(least)
}

/// Three digits: what is left of a step's rounding is no figure.
fn significant(value: f64) -> f64 {
    if value == 0.0 {
        return 0.0;
    }
    let decimals = 3 - value.abs().log10().floor() as i32 - 1;
    let factor = 10_f64.powi(decimals);
    (value * factor).round() / factor
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(value: f64, low: f64, high: f64) -> Mark {
        Mark { value, ends: Some((low, high)), hollow: false }
    }

    #[test]
    fn near_values_share_a_linear_scale_from_zero_and_far_ones_a_logarithmic_one() {
        let near = Scale::of([mark(0.4, 0.39, 0.41), mark(0.9, 0.8, 1.0)].into_iter()).unwrap();
        assert!(!near.is_log());
        assert_eq!(near.x(0.0), EDGE);
        assert_eq!(near.ticks.iter().map(|t| tick(significant(*t))).collect::<Vec<_>>(), ["0", "0.5", "1"]);
        let far = Scale::of([mark(0.004, 0.0039, 0.0041), mark(0.9, 0.8, 1.0)].into_iter()).unwrap();
        assert!(far.is_log() && far.x(0.0039) > EDGE && far.x(1.0) < WIDTH - EDGE);
        assert!((far.x(0.1) - far.x(0.01) - (far.x(1.0) - far.x(0.1))).abs() < 1e-9, "decades are equally long");
    }

    #[test]
    fn values_close_together_are_not_squeezed_by_a_zero_that_is_far() {
        let scale = Scale::of([mark(0.4, 0.399, 0.401), mark(0.41, 0.409, 0.411)].into_iter()).unwrap();
        assert!(scale.from > 0.39);
    }

    #[test]
    fn a_net_below_zero_has_its_place() {
        let scale = Scale::of([mark(0.4, 0.3, 0.5), mark(-0.05, -0.2, 0.1)].into_iter()).unwrap();
        assert!(!scale.is_log() && scale.x(-0.2) > 0.0 && scale.x(-0.2) < scale.x(0.0));
        assert!(scale.row(mark(0.4, 0.3, 0.5), Some(mark(-0.05, -0.2, 0.1))).contains("class=\"n\""));
        assert_eq!(Scale::of(std::iter::empty()), None);
        assert_eq!(Scale::of([mark(f64::NAN, 0.0, 1.0)].into_iter().filter(|m| m.value.is_finite())), None);
    }
}

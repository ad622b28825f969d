//! The common scale of a table's rows: dots with intervals, drawn as small SVG images in a column.
//!
//! The drawings are hidden from screen readers: the row holds the same numbers as text.

use std::fmt::Write as _;

use super::chart::{AxisRange, bounds, three_digits, tick_label};
use super::style::escape;

/// Width of the scale, in pixels, as are the other lengths here.
const WIDTH: f64 = 240.0;
/// Room at both ends, so that a dot at an end is not cut off.
const EDGE: f64 = 8.0;
/// The number of grid lines to aim for.
const MAX_TICKS: u8 = 4;
/// A tick nearer than this to an end has its label aligned with the end.
const LABEL_EDGE: f64 = 16.0;

/// A value with its interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in super::super) struct Mark {
    pub value: f64,
    /// The ends of the interval, if it has one.
    pub interval: Option<(f64, f64)>,
    /// Whether it is drawn hollow: too few cycles to rely on, or a result that must not be used.
    pub hollow: bool,
}

/// Maps values to horizontal positions.
#[derive(Debug, Clone, PartialEq)]
pub(in super::super) struct RowScale {
    range: AxisRange,
    /// Where the grid lines are.
    ticks: Vec<f64>,
    /// A range of values that is shaded.
    band: Option<(f64, f64)>,
}

impl RowScale {
    /// A scale that covers all `marks`; `None` if there are none.
    pub fn for_values(marks: &[Mark]) -> Option<Self> {
        let values = marks.iter().flat_map(|mark| {
            let (low, high) = mark.interval.unwrap_or((mark.value, mark.value));
            [mark.value, low, high]
        });
        let (min, max) = bounds(values);
        if !(min.is_finite() && max.is_finite()) {
            return None;
        }
        let range = AxisRange::covering((min, max), 0.06, 1.15);
        Some(Self { range, ticks: range.ticks(MAX_TICKS), band: None })
    }

    /// A symmetric scale around zero for changes in percent. It covers `ends`, the ends of all intervals, and twice the
    /// `threshold`, up to which the scale is shaded.
    pub fn for_changes(ends: &[f64], threshold: f64) -> Self {
        let threshold = threshold.abs();
        let finite = ends.iter().filter(|end| end.is_finite());
        let max = finite.fold(threshold * 2.0, |max, end| max.max(end.abs())).max(1e-6) * 1.05;
        let range = AxisRange { from: -max, to: max, log: false };
        Self { range, ticks: vec![0.0], band: Some((-threshold, threshold)) }
    }

    /// Whether the scale is logarithmic.
    pub fn is_log(&self) -> bool {
        self.range.log
    }

    fn x(&self, value: f64) -> f64 {
        EDGE + self.range.position(value) * (WIDTH - 2.0 * EDGE)
    }

    /// The labels of the grid lines for the table's head: values times `factor`, in `unit`.
    pub fn value_axis(&self, factor: f64, unit: &str) -> String {
        let mut labels = String::new();
        for &tick in &self.ticks {
            let (x, anchor) = match self.x(tick) {
                x if x < LABEL_EDGE => (0.0, "start"),
                x if x > WIDTH - LABEL_EDGE => (WIDTH, "end"),
                x => (x, "middle"),
            };
            let text = tick_label(three_digits(tick * factor));
            // Writing to a `String` does not fail.
            let _ = write!(labels, "<text x=\"{x:.0}\" y=\"25\" text-anchor=\"{anchor}\">{text}</text>");
        }
        let unit = escape(unit);
        image("w axis", 32, &format!("{labels}<text x=\"0\" y=\"11\">{unit}</text>{}", self.grid(28, 32)))
    }

    /// The labels of a scale for changes: both ends and zero.
    pub fn change_axis(&self) -> String {
        let mut content = self.grid(28, 32);
        let end = self.range.to / 1.05;
        for (x, anchor, text) in [
            (0.0, "start", format!("{:+.1} %", -end)),
            (WIDTH / 2.0, "middle", "0 %".to_owned()),
            (WIDTH, "end", format!("{end:+.1} %")),
        ] {
            let _ = write!(content, "<text x=\"{x}\" y=\"23\" text-anchor=\"{anchor}\">{text}</text>");
        }
        image("w axis", 32, &content)
    }

    /// One row of values: gross energy as a dot above, net energy as a diamond below.
    pub fn value_row(&self, gross: Mark, net: Option<Mark>) -> String {
        let class = |mark: Mark| if mark.hollow { " h" } else { "" };
        let mut content = self.grid(0, 28);
        content.push_str(&self.whisker("g", 9, 4, gross.interval));
        let _ =
            write!(content, "<circle class=\"g{}\" cx=\"{:.1}\" cy=\"9\" r=\"4\"/>", class(gross), self.x(gross.value));
        if let Some(net) = net {
            content.push_str(&self.whisker("n", 21, 4, net.interval));
            let x = self.x(net.value);
            let _ = write!(content, "<path class=\"n{}\" d=\"M{x:.1} 16.5l4.5 4.5-4.5 4.5-4.5-4.5z\"/>", class(net));
        }
        image("w", 28, &content)
    }

    /// One row of changes; nothing if a number is not finite. All in percent.
    pub fn change_row(&self, percent: f64, low: f64, high: f64) -> String {
        if ![percent, low, high].iter().all(|value| value.is_finite()) {
            return String::new();
        }
        let whisker = self.whisker("g", 12, 5, Some((low, high)));
        let x = self.x(percent);
        image("w", 24, &format!("{}{whisker}<circle class=\"g\" cx=\"{x:.1}\" cy=\"12\" r=\"4\"/>", self.grid(0, 24)))
    }

    /// The shaded band and the grid lines between two heights.
    fn grid(&self, top: u32, bottom: u32) -> String {
        let mut grid = String::new();
        if let Some((low, high)) = self.band {
            let (x, end) = (self.x(low), self.x(high));
            let (width, height) = (end - x, bottom - top);
            let _ = write!(
                grid,
                "<rect class=\"band\" x=\"{x:.1}\" y=\"{top}\" width=\"{width:.1}\" height=\"{height}\"/>"
            );
        }
        grid.push_str("<path class=\"t\" d=\"");
        for &tick in &self.ticks {
            let _ = write!(grid, "M{:.1} {top}V{bottom}", self.x(tick));
        }
        grid + "\"/>"
    }

    /// An interval as a horizontal bar with end caps of `cap` pixels above and below it.
    fn whisker(&self, class: &str, y: u32, cap: u32, interval: Option<(f64, f64)>) -> String {
        let Some((low, high)) = interval else { return String::new() };
        let (low, high, top, length) = (self.x(low), self.x(high), y - cap, 2 * cap);
        let bar = format!("M{low:.1} {y}H{high:.1}");
        format!("<path class=\"{class}\" d=\"{bar}M{low:.1} {top}v{length}M{high:.1} {top}v{length}\"/>")
    }
}

fn image(class: &str, height: u32, content: &str) -> String {
    format!("<svg class=\"{class}\" viewBox=\"0 0 {WIDTH} {height}\" aria-hidden=\"true\">{content}</svg>")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(value: f64, low: f64, high: f64) -> Mark {
        Mark { value, interval: Some((low, high)), hollow: false }
    }

    #[test]
    fn near_values_are_linear_from_zero() {
        let scale = RowScale::for_values(&[mark(0.4, 0.39, 0.41), mark(0.9, 0.8, 1.0)]).unwrap();
        assert!(!scale.is_log());
        assert_eq!(scale.x(0.0), EDGE);
    }

    #[test]
    fn far_values_are_logarithmic() {
        let scale = RowScale::for_values(&[mark(0.004, 0.0039, 0.0041), mark(0.9, 0.8, 1.0)]).unwrap();
        assert!(scale.is_log() && scale.x(0.0039) > EDGE && scale.x(1.0) < WIDTH - EDGE);
        assert!(
            (scale.x(0.1) - scale.x(0.01) - (scale.x(1.0) - scale.x(0.1))).abs() < 1e-9,
            "decades are equally long"
        );
    }

    #[test]
    fn negative_net_is_drawn() {
        let scale = RowScale::for_values(&[mark(0.4, 0.3, 0.5), mark(-0.05, -0.2, 0.1)]).unwrap();
        assert!(!scale.is_log() && scale.x(-0.2) > 0.0 && scale.x(-0.2) < scale.x(0.0));
        let row = scale.value_row(mark(0.4, 0.3, 0.5), Some(mark(-0.05, -0.2, 0.1)));
        assert!(row.contains("class=\"n\""));
    }

    #[test]
    fn no_scale_without_finite_values() {
        assert_eq!(RowScale::for_values(&[]), None);
        assert_eq!(RowScale::for_values(&[mark(0.5, 0.0, f64::INFINITY)]), None);
    }

    #[test]
    fn change_scale_is_symmetric() {
        let scale = RowScale::for_changes(&[-12.0, 3.0, f64::INFINITY], 2.0);
        assert_eq!(scale.x(0.0), WIDTH / 2.0);
        assert!(scale.x(-12.0) >= EDGE && scale.x(12.0) <= WIDTH - EDGE);
        assert!(scale.change_axis().contains(">-12.0 %<") && scale.change_axis().contains(">0 %<"));
        assert_eq!(scale.change_row(f64::NAN, 0.0, 1.0), "");
    }
}

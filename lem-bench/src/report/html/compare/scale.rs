//! Changes with their intervals on one scale, the band of the threshold behind them.
//!
//! Must not know what changed. The numbers stand as text beside every drawing.

use std::fmt::Write as _;

const WIDTH: f64 = 240.0;
const EDGE: f64 = 8.0;

/// A symmetric scale in percent around no change.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scale {
    reach: f64,
    threshold: f64,
}

impl Scale {
    /// A scale with room for the ends of all changes and for the threshold twice; all in percent.
    pub(super) fn of(ends: impl Iterator<Item = f64>, threshold: f64) -> Self {
        let reach = ends.filter(|end| end.is_finite()).fold(threshold.abs() * 2.0, |most, end| most.max(end.abs()));
        Self { reach: reach.max(1e-6) * 1.05, threshold: threshold.abs() }
    }

    fn x(self, percent: f64) -> f64 {
        WIDTH / 2.0 + percent / self.reach * (WIDTH / 2.0 - EDGE)
    }

    fn ground(self, from: u32, to: u32) -> String {
        let (low, high, zero) = (self.x(-self.threshold), self.x(self.threshold), self.x(0.0));
        format!(
            "<rect class=\"band\" x=\"{low:.1}\" y=\"{from}\" width=\"{:.1}\" height=\"{}\"/><path class=\"t\" d=\"M{zero:.1} \
             {from}V{to}\"/>",
            high - low,
            to - from
        )
    }

    /// The scale itself, for the table's head.
    pub(super) fn axis(self) -> String {
        let mut svg =
            format!("<svg class=\"w axis\" viewBox=\"0 0 {WIDTH} 32\" aria-hidden=\"true\">{}", self.ground(28, 32));
        let end = self.reach / 1.05;
        // Writing to a `String` does not fail.
        for (x, anchor, text) in [(0.0, "start", -end), (WIDTH / 2.0, "middle", 0.0), (WIDTH, "end", end)] {
            let _ = write!(svg, "<text x=\"{x}\" y=\"23\" text-anchor=\"{anchor}\">{text:+.1} %</text>");
        }
        svg.replace("+0.0 %", "0 %") + "</svg>"
    }

    /// One change with the ends of its interval, in percent.
    pub(super) fn row(self, percent: f64, low: f64, high: f64) -> String {
        if ![percent, low, high].iter().all(|x| x.is_finite()) {
            return String::new();
        }
        let (x, low, high) = (self.x(percent), self.x(low), self.x(high));
        format!(
            "<svg class=\"w\" viewBox=\"0 0 {WIDTH} 24\" aria-hidden=\"true\">{}<path class=\"g\" d=\"M{low:.1} \
             12H{high:.1}M{low:.1} 7v10M{high:.1} 7v10\"/><circle class=\"g\" cx=\"{x:.1}\" cy=\"12\" r=\"4\"/></svg>",
            self.ground(0, 24)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_change_is_in_the_middle_and_every_end_has_its_place() {
        let scale = Scale::of([-12.0, 3.0, f64::INFINITY].into_iter(), 2.0);
        assert_eq!(scale.x(0.0), 120.0);
        assert!(scale.x(-12.0) >= EDGE && scale.x(12.0) <= WIDTH - EDGE);
        assert!(scale.axis().contains(">-12.0 %<") && scale.axis().contains(">0 %<"));
        assert_eq!(scale.row(f64::NAN, 0.0, 1.0), "");
    }
}

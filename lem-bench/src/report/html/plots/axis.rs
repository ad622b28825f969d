//! Ranges and tick values of axes.

/// Values whose ratio is larger than this are drawn on a logarithmic axis.
const MAX_LINEAR_RATIO: f64 = 20.0;

/// The smallest and the largest of `values`; infinities in reverse order if there are none.
pub(super) fn bounds(values: impl IntoIterator<Item = f64>) -> (f64, f64) {
    let empty = (f64::INFINITY, f64::NEG_INFINITY);
    values.into_iter().fold(empty, |(min, max), value| (min.min(value), max.max(value)))
}

/// The part of an axis that is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct AxisRange {
    pub(super) from: f64,
    pub(super) to: f64,
    /// Whether the axis is logarithmic.
    pub(super) log: bool,
}

impl AxisRange {
    /// A range that covers the values from `min` to `max`.
    ///
    /// It is logarithmic if the values are positive and differ by more than a factor of 20; both ends are then moved out
    /// by `log_factor`. Otherwise it is linear, with `margin` times the span added at both ends. A linear range starts at
    /// zero if zero is near, so that lengths are comparable.
    pub(super) fn covering((min, max): (f64, f64), margin: f64, log_factor: f64) -> Self {
        if min > 0.0 && max / min > MAX_LINEAR_RATIO {
            return Self { from: min / log_factor, to: max * log_factor, log: true };
        }
        let span = if max > min { max - min } else { max.abs().max(1e-12) };
        let from = if min >= 0.0 && min < 2.0 * span { 0.0 } else { min - span * margin };
        Self { from, to: max + span * margin, log: false }
    }

    /// Where `value` is between the ends: 0 at `from`, 1 at `to`.
    pub(super) fn position(self, value: f64) -> f64 {
        if self.log {
            (value / self.from).ln() / (self.to / self.from).ln()
        } else {
            (value - self.from) / (self.to - self.from)
        }
    }

    /// Round values in the range, about `max_count` of them.
    pub(super) fn ticks(self, max_count: u8) -> Vec<f64> {
        if self.log { self.log_ticks(usize::from(max_count)) } else { self.linear_ticks(f64::from(max_count)) }
    }

    fn linear_ticks(self, max_count: f64) -> Vec<f64> {
        let step = round_step((self.to - self.from) / max_count);
        let first = (self.from / step - 1e-9).ceil() as i64;
        let last = (self.to / step + 1e-9).floor() as i64;
        (first..=last).map(|n| n as f64 * step).collect()
    }

    /// Powers of ten, and three times them if there are few.
    fn log_ticks(self, max_count: usize) -> Vec<f64> {
        let powers = self.from.log10().floor() as i32..=self.to.log10().ceil() as i32;
        let multiples = |digits: &[f64]| -> Vec<f64> {
            let values = powers.clone().flat_map(|power| digits.iter().map(move |digit| digit * 10_f64.powi(power)));
            values.filter(|value| (self.from..=self.to).contains(value)).collect()
        };
        let mut ticks = multiples(&[1.0, 3.0]);
        if ticks.len() > max_count + 1 {
            ticks = multiples(&[1.0]);
        }
        while ticks.len() > max_count + 1 {
            ticks = ticks.into_iter().step_by(2).collect();
        }
        ticks
    }
}

/// The smallest step of 1, 2 or 5 times a power of ten that is not below `min`.
fn round_step(min: f64) -> f64 {
    let power = 10_f64.powf(min.log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|n| n * power).find(|step| *step >= min * 0.999).unwrap_or(min)
}

/// The label of a tick: `value` with at most six decimals and no trailing zeros.
pub(super) fn tick_label(value: f64) -> String {
    let rounded = (value * 1e6).round() / 1e6;
    if rounded == 0.0 { "0".to_owned() } else { rounded.to_string() }
}

/// `value` rounded to three significant digits. Removes the rounding errors of computed ticks.
pub(super) fn three_digits(value: f64) -> f64 {
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

    #[test]
    fn near_zero_is_included() {
        let range = AxisRange::covering((0.39, 1.0), 0.06, 1.15);
        assert!(!range.log);
        assert_eq!(range.from, 0.0);
        let labels: Vec<String> = range.ticks(4).into_iter().map(|tick| tick_label(three_digits(tick))).collect();
        assert_eq!(labels, ["0", "0.5", "1"]);
    }

    #[test]
    fn far_zero_is_left_out() {
        assert!(AxisRange::covering((0.399, 0.411), 0.06, 1.15).from > 0.39);
    }

    #[test]
    fn decades_are_equally_long() {
        let range = AxisRange::covering((0.0039, 1.0), 0.06, 1.15);
        assert!(range.log && range.from < 0.0039 && range.to > 1.0);
        let decade = |from: f64| range.position(from * 10.0) - range.position(from);
        assert!((decade(0.01) - decade(0.1)).abs() < 1e-9);
        let labels: Vec<String> = range.ticks(4).into_iter().map(|tick| tick_label(three_digits(tick))).collect();
        assert_eq!(labels, ["0.01", "0.03", "0.1", "0.3", "1"]);
    }
}

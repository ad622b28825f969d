//! Energy over one axis of a grid: a line for each combination of the others.
//!
//! Must not know what the axis is.

use plotters::prelude::*;

use super::super::error::ReportError;
use super::palette::{GRID, INK, LINES, PAPER, hex};
use super::svg::{Drawing, letters, tick};
use crate::report::terminal_text::{clean, shorten};

/// Lines that can still be told apart.
pub(in super::super) const MOST_LINES: usize = LINES.len();
const SIZE: (u32, u32) = (960, 360);
/// Letters of a value under the axis.
const LABEL: usize = 14;

/// A place on the axis, the value there, the ends of its interval, and whether it may be used.
type Point = (usize, f64, (f64, f64), bool);

/// One line.
#[derive(Debug, Clone, PartialEq)]
pub(in super::super) struct Line {
    /// The other axes' values: `dtype=bf16`; nothing where there is no other axis.
    pub(in super::super) name: String,
    /// Its points, in the order of the axis.
    pub(in super::super) points: Vec<Point>,
}

fn place(at: usize) -> i32 {
    i32::try_from(at).unwrap_or(i32::MAX)
}

/// Colour and name of each line.
pub(in super::super) fn legend(lines: &[Line]) -> Vec<(String, String)> {
    let named = lines.iter().zip(LINES).filter(|(line, _)| !line.name.is_empty());
    named.map(|(line, color)| (hex(color), line.name.clone())).collect()
}

/// Draws the lines over the `values` of the axis `key`; `axis` names the energy and its unit.
pub(in super::super) fn draw(
    lines: &[Line],
    values: &[&str],
    key: &str,
    axis: &str,
    id: &str,
    title: &str,
) -> Result<String, ReportError> {
    let description =
        format!("{} lines over {} values. The table above holds the same numbers.", lines.len(), values.len());
    let drawing = Drawing { size: SIZE, class: "axis-lines", id, title, description: &description };
    let ends = lines.iter().flat_map(|line| &line.points).flat_map(|point| [point.2.0, point.2.1]);
    let (low, high) = ends.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
    let margin = (high - low).max(high.abs() * 0.01) * 0.08;
    let bottom = if low >= 0.0 && low < 2.0 * (high - low) { 0.0 } else { low - margin };
    let last = place(values.len());
    drawing.svg("energy over an axis", |area| {
        let mut chart = ChartBuilder::on(area)
            .margin_right(24)
            .margin_top(12)
            .x_label_area_size(54)
            .y_label_area_size(84)
            .build_cartesian_2d(-1..last, bottom..high + margin)?;
        let label = |place: &i32| {
            let value = usize::try_from(*place).ok().and_then(|place| values.get(place));
            value.map(|value| shorten(&clean(value), LABEL, 5)).unwrap_or_default()
        };
        chart
            .configure_mesh()
            .disable_x_mesh()
            .x_labels(values.len() + 2)
            .y_labels(6)
            .y_max_light_lines(0)
            .bold_line_style(GRID)
            .axis_style(INK)
            .label_style(letters(16))
            .x_label_formatter(&label)
            .y_label_formatter(&|value| tick(*value))
            .x_desc(clean(key))
            .y_desc(axis)
            .axis_desc_style(letters(17))
            .draw()?;
        for (which, line) in lines.iter().enumerate() {
            let color = if lines.len() > MOST_LINES { LINES[0] } else { LINES[which] };
            let at = |point: &Point| (place(point.0), point.1);
            chart.draw_series(LineSeries::new(line.points.iter().map(at), color.stroke_width(2)))?;
            for point in &line.points {
                let (x, y) = at(point);
                let (low, high) = point.2;
                chart.draw_series([PathElement::new(vec![(x, low), (x, high)], color.stroke_width(2))])?;
                let fill = if point.3 { color } else { PAPER };
                chart.draw_series([Circle::new((x, y), 5, fill.filled())])?;
                chart.draw_series([Circle::new((x, y), 5, color.stroke_width(2))])?;
            }
        }
        Ok(())
    })
}

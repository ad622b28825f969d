//! How times are spread: bars, with quantiles as lines.
//!
//! Must not know which times.

use plotters::coord::ranged1d::{AsRangedCoord, ValueFormatter};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::super::error::ReportError;
use super::palette::{GRID, INK, LINES};
use super::svg::{Drawing, letters, tick};

const SIZE: (u32, u32) = (960, 260);
/// Last edge over first from which the axis is logarithmic, as the bins are.
const LOG_FROM: f64 = 10.0;

/// Draws `counts` between `edges`, and `quantiles` with their names.
///
/// # Errors
/// [`ReportError::Plot`] with what the plotter says.
pub(in super::super) fn draw(
    edges: &[f64],
    counts: &[u64],
    quantiles: &[(&str, f64)],
    x: &str,
    id: &str,
    title: &str,
) -> Result<String, ReportError> {
    let samples: u64 = counts.iter().sum();
    let (from, to) = (edges.first().copied().unwrap_or(0.0), edges.last().copied().unwrap_or(1.0));
    let description =
        format!("{samples} samples between {} and {}. The table beside it holds the quantiles.", tick(from), tick(to));
    let drawing = Drawing { size: SIZE, class: "histogram", id, title, description: &description };
    let log = from > 0.0 && to / from > LOG_FROM;
    let axis = format!("{x}{}", if log { ", logarithmic" } else { "" });
    drawing.svg("a distribution", |area| {
        if log {
            on(area, edges, counts, quantiles, &axis, (from..to).log_scale())
        } else {
            on(area, edges, counts, quantiles, &axis, from..to)
        }
    })
}

fn on<X>(
    area: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>,
    edges: &[f64],
    counts: &[u64],
    quantiles: &[(&str, f64)],
    axis: &str,
    x: X,
) -> Result<(), Box<dyn std::error::Error>>
where
    X: AsRangedCoord<Value = f64>,
    X::CoordDescType: ValueFormatter<f64>,
{
    let most = counts.iter().copied().max().unwrap_or(1) as f64;
    let top = most * 1.25;
    let mut chart = ChartBuilder::on(area)
        .margin_right(24)
        .margin_top(10)
        .x_label_area_size(54)
        .y_label_area_size(84)
        .build_cartesian_2d::<X, std::ops::Range<f64>>(x, 0.0..top)?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .x_labels(8)
        .y_labels(5)
        .y_max_light_lines(0)
        .bold_line_style(GRID)
        .axis_style(INK)
        .label_style(letters(16))
        .x_label_formatter(&|value| tick((*value * 1000.0).round() / 1000.0))
        .y_label_formatter(&|value| tick(*value))
        .x_desc(axis)
        .y_desc("samples")
        .axis_desc_style(letters(17))
        .draw()?;
    let bars = counts.iter().zip(edges.windows(2)).filter(|(count, _)| **count > 0);
    chart.draw_series(
        bars.map(|(count, edge)| Rectangle::new([(edge[0], 0.0), (edge[1], *count as f64)], LINES[0].filled())),
    )?;
    for (at, (name, value)) in quantiles.iter().enumerate() {
        chart.draw_series([PathElement::new(vec![(*value, 0.0), (*value, top)], LINES[1].stroke_width(2))])?;
        // Names stand at different heights: quantiles may lie close together.
        let height = top * (1.0 - 0.075 * at as f64);
        let words = letters(15).pos(Pos::new(HPos::Left, VPos::Top));
        chart.draw_series([EmptyElement::at((*value, height)) + Text::new((*name).to_owned(), (4, 0), words)])?;
    }
    Ok(())
}

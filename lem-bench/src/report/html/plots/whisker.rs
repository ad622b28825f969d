//! Dots and whiskers: one value a bench with its interval, all on one scale.
//!
//! Must not know which metric it shows.

use plotters::coord::ranged1d::AsRangedCoord;
use plotters::prelude::*;

use super::super::error::ReportError;
use super::palette::{GRID, INK, LINES, PAPER};
use super::svg::{Drawing, letters, tick};
use crate::report::terminal_text::{clean, shorten};

/// One bench's dot.
#[derive(Debug, Clone, PartialEq)]
pub(in super::super) struct Dot {
    /// The bench.
    pub(in super::super) label: String,
    /// Its figure as text: `0.4123 J/token ±0.6 %`.
    pub(in super::super) figure: String,
    /// Its value, in the axis' unit.
    pub(in super::super) value: f64,
    /// The ends of its interval.
    pub(in super::super) low: f64,
    pub(in super::super) high: f64,
    /// Drawn hollow: too few cycles to rely on, or a result that must not be used.
    pub(in super::super) hollow: bool,
}

/// Values further apart than this are drawn on a logarithmic scale.
const LOG_FROM: f64 = 20.0;
const WIDTH: u32 = 960;
const ROW: u32 = 50;
const AXIS: u32 = 64;
/// Letters of an id that leave room for its figure.
const LABEL: usize = 70;
const DOT: i32 = 4;

/// Whether these dots are drawn on a logarithmic scale.
pub(in super::super) fn logarithmic(dots: &[Dot]) -> bool {
    let (low, high) = ends(dots);
    low > 0.0 && high / low > LOG_FROM
}

/// Draws dots, the first on top; `axis` names what and the unit.
pub(in super::super) fn draw(dots: &[Dot], axis: &str, drawing_id: &str, title: &str) -> Result<String, ReportError> {
    let log = logarithmic(dots);
    let scale = if log { "a logarithmic" } else { "one" };
    let description = format!("{} benches on {scale} scale. The table above holds the same numbers.", dots.len());
    let size = (WIDTH, ROW * dots.len() as u32 + AXIS);
    let drawing = Drawing { size, class: "dots", id: drawing_id, title, description: &description };
    let (low, high) = ends(dots);
    drawing.svg("energies", |area| {
        if log {
            on(area, dots, axis, (low / 1.3..high * 1.3).log_scale())
        } else {
            let span = if high > low { high - low } else { high.abs().max(1e-12) };
            // Zero is shown where it is not far: lengths can then be compared.
            let from = if low >= 0.0 && low < 2.0 * span { 0.0 } else { low - span * 0.06 };
            on(area, dots, axis, from..high + span * 0.06)
        }
    })
}

fn ends(dots: &[Dot]) -> (f64, f64) {
    dots.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), dot| (low.min(dot.low), high.max(dot.high)))
}

fn on<X>(
    area: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>,
    dots: &[Dot],
    axis: &str,
    x: X,
) -> Result<(), Box<dyn std::error::Error>>
where
    X: AsRangedCoord<Value = f64>,
    X::CoordDescType: plotters::coord::ranged1d::ValueFormatter<f64>,
{
    let n = dots.len() as f64;
    let mut chart = ChartBuilder::on(area)
        .margin_left(12)
        .margin_right(24)
        .margin_top(4)
        .x_label_area_size(AXIS - 8)
        .build_cartesian_2d::<X, std::ops::Range<f64>>(x, 0.0..n)?;
    chart
        .configure_mesh()
        .disable_y_mesh()
        .disable_y_axis()
        .x_labels(8)
        .x_max_light_lines(0)
        .bold_line_style(GRID)
        .axis_style(INK)
        .label_style(letters(16))
        .x_label_formatter(&|value| tick(*value))
        .x_desc(axis)
        .axis_desc_style(letters(17))
        .draw()?;
    let left = chart.x_range().start;
    for (at, dot) in dots.iter().enumerate() {
        let middle = n - at as f64 - 0.68;
        let line = LINES[0].stroke_width(2);
        let label = format!("{} · {}", shorten(&clean(&dot.label), LABEL, 5), clean(&dot.figure));
        chart.draw_series([
            PathElement::new(vec![(dot.low, middle), (dot.high, middle)], line),
            PathElement::new(vec![(dot.low, middle - 0.16), (dot.low, middle + 0.16)], line),
            PathElement::new(vec![(dot.high, middle - 0.16), (dot.high, middle + 0.16)], line),
        ])?;
        let fill = if dot.hollow { PAPER } else { LINES[0] };
        chart.draw_series([
            Circle::new((dot.value, middle), DOT, fill.filled()),
            Circle::new((dot.value, middle), DOT, LINES[0].stroke_width(2)),
        ])?;
        chart.draw_series([Text::new(label, (left, n - at as f64 - 0.06), letters(17))])?;
    }
    Ok(())
}

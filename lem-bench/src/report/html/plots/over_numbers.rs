//! Values over their number, first to last: cycles with their intervals, or the probes of a warm-up.
//!
//! Must not know what was counted.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::super::error::ReportError;
use super::palette::{GRID, INK, LINES, band};
use super::svg::{Drawing, letters, tick};
use crate::model::SpanKind;

/// What is drawn.
pub(in super::super) struct Numbered<'a> {
    /// Values in order, each with the ends of its own interval where it has one.
    pub(in super::super) values: &'a [(f64, Option<(f64, f64)>)],
    /// Value and interval of all together, as a line and a band.
    pub(in super::super) whole: Option<(f64, f64, f64)>,
    /// The number of the first: 1, save where earlier ones are left out.
    pub(in super::super) first: usize,
    /// Levels that hold for some of them: the number of the first and of the last, and the value. Where one begins
    /// after another, a line stands between them.
    pub(in super::super) levels: &'a [(usize, usize, f64)],
    /// Whether neighbours are joined.
    pub(in super::super) joined: bool,
    /// Words at the right edge, where something ends; or nothing.
    pub(in super::super) end: &'a str,
    pub(in super::super) x: &'a str,
    pub(in super::super) y: &'a str,
}

const SIZE: (u32, u32) = (960, 300);

/// Draws them.
///
/// # Errors
/// [`ReportError::Plot`] with what the plotter says.
pub(in super::super) fn draw(
    what: &Numbered<'_>,
    id: &str,
    title: &str,
    description: &str,
) -> Result<String, ReportError> {
    let each = what
        .values
        .iter()
        .flat_map(|(value, ends)| [*value, ends.map_or(*value, |e| e.0), ends.map_or(*value, |e| e.1)]);
    let whole = what.whole.iter().flat_map(|(value, low, high)| [*value, *low, *high]);
    let (low, high) =
        each.chain(whole).fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
    let margin = (high - low).max(high.abs() * 0.002) * 0.12;
    let (from, n) = (what.first as f64 - 1.0, what.values.len() as f64);
    let to = from + n + 1.0;
    let drawing = Drawing { size: SIZE, class: "numbered", id, title, description };
    drawing.svg("values over their number", |area| {
        let mut chart = ChartBuilder::on(area)
            .margin_right(24)
            .margin_top(10)
            .x_label_area_size(54)
            .y_label_area_size(84)
            .build_cartesian_2d(from..to, low - margin..high + margin)?;
        if let Some((value, least, most)) = what.whole {
            let area = Rectangle::new([(from, least), (to, most)], band(SpanKind::Window).filled());
            chart.draw_series([area])?;
            chart.draw_series([PathElement::new(vec![(from, value), (to, value)], INK.stroke_width(1))])?;
        }
        chart
            .configure_mesh()
            .disable_x_mesh()
            .x_labels(12)
            .y_labels(6)
            .y_max_light_lines(0)
            .bold_line_style(GRID)
            .axis_style(INK)
            .label_style(letters(16))
            .x_label_formatter(&|value| whole_number(*value, from + 1.0, from + n))
            .y_label_formatter(&|value| tick(*value))
            .x_desc(what.x)
            .y_desc(what.y)
            .axis_desc_style(letters(17))
            .draw()?;
        let at = |n: usize| (what.first + n) as f64;
        let color = LINES[0];
        if what.joined {
            let points = what.values.iter().enumerate().map(|(n, (value, _))| (at(n), *value));
            chart.draw_series(LineSeries::new(points, color.stroke_width(2)))?;
        }
        for (n, (value, ends)) in what.values.iter().enumerate() {
            if let Some((low, high)) = *ends {
                chart.draw_series([PathElement::new(vec![(at(n), low), (at(n), high)], color.stroke_width(2))])?;
            }
            let radius = if what.values.len() > 60 { 2 } else { 4 };
            chart.draw_series([Circle::new((at(n), *value), radius, color.filled())])?;
        }
        for (at, (first, last, level)) in what.levels.iter().enumerate() {
            let (begin, end) = (*first as f64 - 0.5, *last as f64 + 0.5);
            chart.draw_series([PathElement::new(vec![(begin, *level), (end, *level)], INK.stroke_width(2))])?;
            if at > 0 {
                let edge = vec![(begin, low - margin), (begin, high + margin)];
                chart.draw_series([PathElement::new(edge, LINES[1].stroke_width(2))])?;
            }
        }
        if !what.end.is_empty() {
            let edge = from + n + 0.5;
            chart.draw_series([PathElement::new(
                vec![(edge, low - margin), (edge, high + margin)],
                INK.stroke_width(2),
            )])?;
            let words = letters(16).pos(Pos::new(HPos::Right, VPos::Top));
            chart.draw_series([Text::new(what.end.to_owned(), (edge - n * 0.01, high + margin), words)])?;
        }
        Ok(())
    })
}

/// A number on the axis: there is nothing between one value and the next, before the first or after the last.
fn whole_number(value: f64, first: f64, last: f64) -> String {
    let whole = (value - value.round()).abs() < 1e-6 && (first..=last).contains(&value.round());
    if whole { tick(value.round()) } else { String::new() }
}

//! Power over time with what the harness did as bands behind it, and temperature under it.
//!
//! Must not know about other benches.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::super::bench::timeline::{Line, Stretches, Timeline};
use super::super::error::ReportError;
use super::palette::{GRID, INK, LINES, band};
use super::svg::{Drawing, letters, tick};
use super::thin::thin;
use crate::model::SpanKind;

/// Lines that can still be told apart.
pub(in super::super) const MOST_LINES: usize = LINES.len();
/// Stretches of time of which the lowest and the highest reading are drawn.
const BUCKETS: usize = 420;
const WIDTH: u32 = 960;
const POWER: u32 = 300;
const HEAT: u32 = 130;
const X_AXIS: u32 = 54;
const Y_AXIS: u32 = 70;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Drawn = Result<(), Box<dyn std::error::Error>>;

/// Draws the course; the reason in words when there is too little to draw.
pub(in super::super) fn draw(course: &Timeline, id: &str, title: &str) -> Result<Result<String, String>, ReportError> {
    let readings = course.lines.iter().flat_map(|line| &line.power).map(Vec::len).sum::<usize>();
    let end = course.end();
    if readings < 2 || end <= 0.0 {
        return Ok(Err("No plot: fewer than two readings of power were kept.".to_owned()));
    }
    let heated = course.lines.iter().any(|line| line.heat.iter().map(Vec::len).sum::<usize>() > 1);
    let size = (WIDTH, POWER + if heated { HEAT } else { 0 } + X_AXIS);
    let windows = course.bands.iter().filter(|band| band.kind == SpanKind::Window).count();
    let (low, high) = range(course.lines.iter().map(|line| &line.power));
    let description = format!(
        "{end:.0} seconds with {windows} measured windows; power between {low:.0} and {high:.0} watts. The table of \
         phases below holds mean and highest power of each stretch.",
    );
    let drawing = Drawing { size, class: "course", id, title, description: &description };
    let svg = drawing.svg("power over time", |area| {
        if heated {
            let (upper, lower) = area.split_vertically(POWER);
            power(&upper, course, end, high, false)?;
            heat(&lower, course, end)
        } else {
            power(area, course, end, high, true)
        }
    });
    svg.map(Ok)
}

fn power(area: &Area<'_>, course: &Timeline, end: f64, high: f64, with_time: bool) -> Drawn {
    let top = if high > 0.0 { high * 1.12 } else { 1.0 };
    let bottom = range(course.lines.iter().map(|line| &line.power)).0.min(0.0);
    let mut chart = ChartBuilder::on(area)
        .margin_top(8)
        .margin_right(14)
        .x_label_area_size(if with_time { X_AXIS } else { 6 })
        .y_label_area_size(Y_AXIS)
        .build_cartesian_2d(0.0..end, bottom..top)?;
    chart.draw_series(
        course
            .bands
            .iter()
            .map(|stretch| Rectangle::new([(stretch.from, bottom), (stretch.to, top)], band(stretch.kind).filled())),
    )?;
    let mut mesh = chart.configure_mesh();
    mesh.disable_x_mesh()
        .y_labels(6)
        .y_max_light_lines(0)
        .bold_line_style(GRID)
        .axis_style(INK)
        .label_style(letters(16))
        .axis_desc_style(letters(17))
        .y_label_formatter(&|value| tick(*value))
        .y_desc("power (W)");
    if with_time {
        mesh.x_labels(10).x_label_formatter(&|value| tick(*value)).x_desc("seconds since the warm-up began");
    } else {
        mesh.x_labels(0);
    }
    mesh.draw()?;
    // The colour is not the only sign of a window: each carries the number of its cycle.
    let centred = letters(15).pos(Pos::new(HPos::Center, VPos::Top));
    let wide = course.bands.iter().filter(|stretch| stretch.kind == SpanKind::Window);
    let room = end / f64::from(WIDTH) * 18.0;
    chart.draw_series(wide.filter(|stretch| stretch.to - stretch.from > room).map(|stretch| {
        let number = stretch.cycle.map(|cycle| (cycle + 1).to_string()).unwrap_or_default();
        Text::new(number, (f64::midpoint(stretch.from, stretch.to), top), centred.clone())
    }))?;
    lines(&mut chart, course, end, |line| &line.power)
}

fn heat(area: &Area<'_>, course: &Timeline, end: f64) -> Drawn {
    let (low, high) = range(course.lines.iter().map(|line| &line.heat));
    let margin = ((high - low) * 0.15).max(1.0);
    let (bottom, top) = (low - margin, high + margin);
    let mut chart = ChartBuilder::on(area)
        .margin_right(14)
        .margin_top(4)
        .x_label_area_size(X_AXIS)
        .y_label_area_size(Y_AXIS)
        .build_cartesian_2d(0.0..end, bottom..top)?;
    chart.draw_series(
        course
            .bands
            .iter()
            .map(|stretch| Rectangle::new([(stretch.from, bottom), (stretch.to, top)], band(stretch.kind).filled())),
    )?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .y_labels(4)
        .y_max_light_lines(0)
        .x_labels(10)
        .bold_line_style(GRID)
        .axis_style(INK)
        .label_style(letters(16))
        .axis_desc_style(letters(17))
        .x_label_formatter(&|value| tick(*value))
        .y_label_formatter(&|value| tick(*value))
        .x_desc("seconds since the warm-up began")
        .y_desc("°C")
        .draw()?;
    lines(&mut chart, course, end, |line| &line.heat)
}

type Chart<'a, 'b> = ChartContext<
    'a,
    SVGBackend<'b>,
    Cartesian2d<plotters::coord::types::RangedCoordf64, plotters::coord::types::RangedCoordf64>,
>;

fn lines(chart: &mut Chart<'_, '_>, course: &Timeline, end: f64, of: fn(&Line) -> &Stretches) -> Drawn {
    for (line, color) in course.lines.iter().zip(LINES) {
        for stretch in of(line) {
            let (Some(first), Some(last)) = (stretch.first(), stretch.last()) else { continue };
            let share = ((last.0 - first.0) / end * BUCKETS as f64).ceil() as usize;
            chart.draw_series(LineSeries::new(thin(stretch, share.max(1)), color.stroke_width(2)))?;
        }
    }
    Ok(())
}

fn range<'a>(of: impl Iterator<Item = &'a Stretches>) -> (f64, f64) {
    let values = of.flatten().flatten().map(|point| point.1);
    values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)))
}

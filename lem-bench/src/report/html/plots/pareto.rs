//! Energy against speed, with the front marked: where no other point is both cheaper and faster.
//!
//! Must not know what the points are.

use plotters::coord::ranged1d::{AsRangedCoord, ValueFormatter};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::super::error::ReportError;
use super::palette::{GRID, INK, LINES, PAPER};
use super::svg::{Drawing, letters, tick};

/// One case: low, value and high of each.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in super::super) struct Point {
    pub(in super::super) speed: [f64; 3],
    pub(in super::super) energy: [f64; 3],
    /// Whether it may be used: what may not is never on the front.
    pub(in super::super) usable: bool,
}

const SIZE: (u32, u32) = (960, 460);
/// Values further apart than this are drawn on a logarithmic scale.
const LOG_FROM: f64 = 20.0;

/// The places of the points that no other usable point beats in both (and in one of them strictly), cheapest first.
pub(in super::super) fn front(points: &[Point]) -> Vec<usize> {
    let beats = |a: &Point, b: &Point| {
        let (energy, speed) = (a.energy[1] <= b.energy[1], a.speed[1] >= b.speed[1]);
        energy && speed && (a.energy[1] < b.energy[1] || a.speed[1] > b.speed[1])
    };
    let on = |point: &Point| point.usable && !points.iter().any(|other| other.usable && beats(other, point));
    let mut front: Vec<usize> = (0..points.len()).filter(|&at| on(&points[at])).collect();
    front.sort_by(|&a, &b| points[a].energy[1].total_cmp(&points[b].energy[1]));
    front
}

/// Draws the points; the axes name what and the unit.
pub(in super::super) fn draw(
    points: &[Point],
    front: &[usize],
    energy: &str,
    speed: &str,
    id: &str,
    title: &str,
) -> Result<String, ReportError> {
    let description =
        format!("{} cases, {} of them on the front. The tables hold the same numbers.", points.len(), front.len());
    let drawing = Drawing { size: SIZE, class: "pareto", id, title, description: &description };
    let x = ends(points.iter().map(|point| point.speed));
    let y = ends(points.iter().map(|point| point.energy));
    let log = |(low, high): (f64, f64)| low > 0.0 && high / low > LOG_FROM;
    let scale = |ends| if log(ends) { ", logarithmic" } else { "" };
    let names = [format!("{speed}{}", scale(x)), format!("{energy}{}", scale(y))];
    drawing.svg("energy against speed", |area| match (log(x), log(y)) {
        (false, false) => on(area, points, front, &names, linear(x), linear(y)),
        (true, false) => on(area, points, front, &names, wide(x).log_scale(), linear(y)),
        (false, true) => on(area, points, front, &names, linear(x), wide(y).log_scale()),
        (true, true) => on(area, points, front, &names, wide(x).log_scale(), wide(y).log_scale()),
    })
}

fn ends(values: impl Iterator<Item = [f64; 3]>) -> (f64, f64) {
    values.flatten().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)))
}

fn linear((low, high): (f64, f64)) -> std::ops::Range<f64> {
    let span = if high > low { high - low } else { high.abs().max(1e-12) };
    let from = if low >= 0.0 && low < 2.0 * span { 0.0 } else { low - span * 0.1 };
    from..high + span * 0.1
}

fn wide((low, high): (f64, f64)) -> std::ops::Range<f64> {
    low / 1.4..high * 1.4
}

fn on<X, Y>(
    area: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>,
    points: &[Point],
    front: &[usize],
    names: &[String; 2],
    x: X,
    y: Y,
) -> Result<(), Box<dyn std::error::Error>>
where
    X: AsRangedCoord<Value = f64>,
    Y: AsRangedCoord<Value = f64>,
    X::CoordDescType: ValueFormatter<f64>,
    Y::CoordDescType: ValueFormatter<f64>,
{
    let mut chart = ChartBuilder::on(area)
        .margin_right(24)
        .margin_top(12)
        .x_label_area_size(54)
        .y_label_area_size(84)
        .build_cartesian_2d::<X, Y>(x, y)?;
    chart
        .configure_mesh()
        .x_labels(8)
        .y_labels(7)
        .x_max_light_lines(0)
        .y_max_light_lines(0)
        .bold_line_style(GRID)
        .axis_style(INK)
        .label_style(letters(16))
        .x_label_formatter(&|value| tick(*value))
        .y_label_formatter(&|value| tick(*value))
        .x_desc(&names[0])
        .y_desc(&names[1])
        .axis_desc_style(letters(17))
        .draw()?;
    let at = |point: &Point| (point.speed[1], point.energy[1]);
    chart.draw_series(LineSeries::new(front.iter().map(|&n| at(&points[n])), LINES[1].stroke_width(2)))?;
    for (n, point) in points.iter().enumerate() {
        let color = if front.contains(&n) { LINES[1] } else { LINES[0] };
        let (x, y) = at(point);
        chart.draw_series([
            PathElement::new(vec![(point.speed[0], y), (point.speed[2], y)], color.stroke_width(1)),
            PathElement::new(vec![(x, point.energy[0]), (x, point.energy[2])], color.stroke_width(1)),
        ])?;
        let fill = if point.usable { color } else { PAPER };
        chart.draw_series([Circle::new((x, y), 5, fill.filled())])?;
        if !point.usable {
            chart.draw_series([Circle::new((x, y), 5, color.stroke_width(2))])?;
        }
    }
    let number = letters(16).pos(Pos::new(HPos::Left, VPos::Top));
    chart.draw_series(front.iter().enumerate().map(|(n, &place)| {
        EmptyElement::at(at(&points[place])) + Text::new((n + 1).to_string(), (7, 5), number.clone())
    }))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(speed: f64, energy: f64) -> Point {
        Point { speed: [speed; 3], energy: [energy; 3], usable: true }
    }

    #[test]
    fn the_front_is_what_nothing_beats() {
        let points = [point(100.0, 0.4), point(200.0, 0.5), point(150.0, 0.6), point(50.0, 0.3), point(200.0, 0.5)];
        assert_eq!(front(&points), [3, 0, 1, 4], "equals are on it both; slower and dearer is not");
        let mut points = points;
        points[3].usable = false;
        assert_eq!(front(&points), [0, 1, 4], "what must not be used is not on it");
    }
}

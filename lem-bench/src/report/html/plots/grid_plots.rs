//! The plots of a grid of cases: energy against speed with the Pareto front, and energy over one parameter.

use crate::model::count_of;
use plotters::style::text_anchor::HPos;

use super::chart::{Axis, AxisRange, Chart, Figure, Scale, Shape, bounds};
use super::style::{LINES, PAPER, hex};
use crate::report::html::output::ReportError;
use crate::report::terminal_text::{clean, shorten};

/// Lines that can be distinguished by colour.
pub(in super::super) const MAX_LINES: usize = LINES.len();
/// Width of a value's label below the axis, in characters.
const LABEL_WIDTH: usize = 14;

/// Energy and speed of one case, each with its value between the ends of its interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in super::super) struct ParetoPoint {
    /// Low, value, high.
    pub speed: [f64; 3],
    /// Low, value, high.
    pub energy: [f64; 3],
    /// Whether the result may be used. A result that must not be used is never on the front.
    pub usable: bool,
}

/// The indices of the usable points that no other usable point beats: none is both at least as cheap and at least as
/// fast, and better in one of the two. Cheapest first.
pub(in super::super) fn pareto_front(points: &[ParetoPoint]) -> Vec<usize> {
    let beats = |a: &ParetoPoint, b: &ParetoPoint| {
        let (energy, speed) = (a.energy[1] <= b.energy[1], a.speed[1] >= b.speed[1]);
        energy && speed && (a.energy[1] < b.energy[1] || a.speed[1] > b.speed[1])
    };
    let is_on_front =
        |point: &ParetoPoint| point.usable && !points.iter().any(|other| other.usable && beats(other, point));
    let mut front: Vec<usize> = (0..points.len()).filter(|&index| is_on_front(&points[index])).collect();
    front.sort_by(|&a, &b| points[a].energy[1].total_cmp(&points[b].energy[1]));
    front
}

/// Draws energy against speed. `energy_title` and `speed_title` name the quantity and its unit.
///
/// # Errors
/// [`ReportError::Plot`] if the plotter fails.
pub(in super::super) fn draw_pareto(
    points: &[ParetoPoint],
    front: &[usize],
    energy_title: &str,
    speed_title: &str,
    id: &str,
    title: &str,
) -> Result<String, ReportError> {
    let range =
        |values: fn(&ParetoPoint) -> [f64; 3]| AxisRange::covering(bounds(points.iter().flat_map(values)), 0.1, 1.4);
    let (x, y) = (range(|point| point.speed), range(|point| point.energy));
    let axis_title = |title: &str, range: AxisRange| format!("{title}{}", if range.log { ", logarithmic" } else { "" });
    let (x_title, y_title) = (axis_title(speed_title, x), axis_title(energy_title, y));
    let center = |point: &ParetoPoint| (point.speed[1], point.energy[1]);
    let mut shapes = Vec::new();
    if !front.is_empty() {
        let corners = front.iter().map(|&index| center(&points[index])).collect();
        shapes.push(Shape::Line { points: corners, color: LINES[1], width: 2 });
    }
    for (index, point) in points.iter().enumerate() {
        let color = if front.contains(&index) { LINES[1] } else { LINES[0] };
        let (x, y) = center(point);
        shapes.push(Shape::segment((point.speed[0], y), (point.speed[2], y), color, 1));
        shapes.push(Shape::segment((x, point.energy[0]), (x, point.energy[2]), color, 1));
        let fill = if point.usable { color } else { PAPER };
        shapes.push(Shape::Dot { center: (x, y), radius: 5, color: fill });
        if !point.usable {
            shapes.push(Shape::Circle { center: (x, y), radius: 5, color });
        }
    }
    shapes.extend(front.iter().enumerate().map(|(rank, &index)| Shape::Label {
        position: center(&points[index]),
        offset: (7, 5),
        align: HPos::Left,
        size: 16,
        text: (rank + 1).to_string(),
    }));
    let chart = Chart {
        margin_top: 12,
        vertical_lines: true,
        shapes,
        ..Chart::new(460, Axis::over(x, 8, &x_title), Axis::over(y, 7, &y_title))
    };
    let description = format!(
        "{}, {} of them on the front. The tables contain the same numbers.",
        count_of(points.len(), "case"),
        front.len()
    );
    let figure = Figure {
        subject: "energy against speed",
        class: "pareto",
        id,
        title,
        description: &description,
        charts: &[chart],
    };
    figure.to_svg()
}

/// The energy of one case at a value of the parameter.
#[derive(Debug, Clone, PartialEq)]
pub(in super::super) struct LinePoint {
    /// The index of the parameter's value.
    pub index: usize,
    pub energy: f64,
    /// The ends of the energy's interval.
    pub interval: (f64, f64),
    /// Whether the result may be used; drawn hollow otherwise.
    pub usable: bool,
}

/// The cases that differ in one parameter only.
#[derive(Debug, Clone, PartialEq)]
pub(in super::super) struct ParameterLine {
    /// The values of the other parameters, `dtype=bf16`; empty if there are none.
    pub name: String,
    /// In the order of the parameter's values.
    pub points: Vec<LinePoint>,
}

/// Colour and name of each line.
pub(in super::super) fn legend(lines: &[ParameterLine]) -> Vec<(String, String)> {
    let named = lines.iter().zip(LINES).filter(|(line, _)| !line.name.is_empty());
    named.map(|(line, color)| (hex(color), line.name.clone())).collect()
}

/// Draws energy over the `values` of the parameter `key`. `energy_title` names the energy and its unit.
///
/// # Errors
/// [`ReportError::Plot`] if the plotter fails.
pub(in super::super) fn draw_parameter_lines(
    lines: &[ParameterLine],
    values: &[&str],
    key: &str,
    energy_title: &str,
    id: &str,
    title: &str,
) -> Result<String, ReportError> {
    let points = || lines.iter().flat_map(|line| &line.points);
    let (low, high) = bounds(points().flat_map(|point| [point.interval.0, point.interval.1]));
    let margin = (high - low).max(high.abs() * 0.01) * 0.08;
    let bottom = if low >= 0.0 && low < 2.0 * (high - low) { 0.0 } else { low - margin };
    let label = |position: &f64| {
        let value = if *position < 0.0 { None } else { values.get(position.round() as usize) };
        value.map(|value| shorten(&clean(value), LABEL_WIDTH, 5)).unwrap_or_default()
    };
    let key = clean(key);
    let x = Axis {
        scale: Scale::Integers,
        range: -1.0..values.len() as f64,
        max_ticks: values.len() + 2,
        title: &key,
        label: &label,
    };
    let y = Axis::linear(bottom..high + margin, 6, energy_title);
    let mut shapes = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let color = if lines.len() > MAX_LINES { LINES[0] } else { LINES[index] };
        if !line.points.is_empty() {
            let points = line.points.iter().map(|point| (point.index as f64, point.energy)).collect();
            shapes.push(Shape::Line { points, color, width: 2 });
        }
        for point in &line.points {
            let x = point.index as f64;
            let center = (x, point.energy);
            shapes.push(Shape::segment((x, point.interval.0), (x, point.interval.1), color, 2));
            shapes.push(Shape::Dot { center, radius: 5, color: if point.usable { color } else { PAPER } });
            shapes.push(Shape::Circle { center, radius: 5, color });
        }
    }
    let chart = Chart { margin_top: 12, shapes, ..Chart::new(360, x, y) };
    let description = format!(
        "{} over {}. The table above contains the same numbers.",
        count_of(lines.len(), "line"),
        count_of(values.len(), "value")
    );
    let figure = Figure {
        subject: "energy over a parameter",
        class: "axis-lines",
        id,
        title,
        description: &description,
        charts: &[chart],
    };
    figure.to_svg()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(speed: f64, energy: f64) -> ParetoPoint {
        ParetoPoint { speed: [speed; 3], energy: [energy; 3], usable: true }
    }

    #[test]
    fn front_has_unbeaten_usable_points() {
        let mut points = [point(100.0, 0.4), point(200.0, 0.5), point(150.0, 0.6), point(50.0, 0.3), point(200.0, 0.5)];
        assert_eq!(pareto_front(&points), [3, 0, 1, 4], "equal points are both on the front");
        points[3].usable = false;
        assert_eq!(pareto_front(&points), [0, 1, 4]);
    }
}

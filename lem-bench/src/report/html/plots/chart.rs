//! A figure as plain data, and its drawing as SVG.
//!
//! Plotters is generic over axes and elements, and each combination is compiled separately. All charts are drawn by one
//! function over one axis type, which keeps the binary small.

use std::error::Error;
use std::fmt::Write as _;
use std::ops::Range;

use plotters::coord::Shift;
use plotters::coord::combinators::{IntoLogRange, LogCoord};
use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::backend::ShortSvg;
use super::style::{GRID, INK, escape, text_style};
use crate::report::html::output::ReportError;

/// Width of every figure, in its own units.
pub(super) const WIDTH: u32 = 960;

/// Height of the labels and the title of an x axis.
pub(super) const X_AXIS_HEIGHT: u32 = 54;

/// Values whose ratio is larger than this are drawn on a logarithmic axis.
const MAX_LINEAR_RATIO: f64 = 20.0;

/// A point in the units of the axes.
pub(super) type Point = (f64, f64);

/// Charts above each other, with a name and a description.
pub(super) struct Figure<'a> {
    /// What it shows, for error messages.
    pub subject: &'static str,
    /// Its class in the style sheet.
    pub class: &'a str,
    /// An id that is unique on the page.
    pub id: &'a str,
    pub title: &'a str,
    pub description: &'a str,
    /// Its charts from top to bottom.
    pub charts: &'a [Chart<'a>],
}

/// One pair of axes with shapes.
pub(super) struct Chart<'a> {
    /// Height with axes and margins.
    pub height: u32,
    pub margin_top: u32,
    pub margin_right: u32,
    pub x_axis_height: u32,
    pub y_axis_width: u32,
    /// Whether the ticks of the x axis have grid lines. Those of the y axis always have.
    pub vertical_lines: bool,
    pub x: Axis<'a>,
    pub y: Axis<'a>,
    /// Shapes behind the grid lines.
    pub background: Vec<Shape>,
    /// Shapes in front of the grid lines.
    pub shapes: Vec<Shape>,
}

impl<'a> Chart<'a> {
    /// An empty chart of this height with the usual margins.
    pub fn new(height: u32, x: Axis<'a>, y: Axis<'a>) -> Self {
        Self {
            height,
            margin_top: 10,
            margin_right: 24,
            x_axis_height: X_AXIS_HEIGHT,
            y_axis_width: 84,
            vertical_lines: false,
            x,
            y,
            background: Vec::new(),
            shapes: Vec::new(),
        }
    }
}

/// How an axis maps values to positions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scale {
    Linear,
    Logarithmic,
    /// Linear, with a tick at every integer.
    Integers,
}

/// One axis.
pub(super) struct Axis<'a> {
    pub scale: Scale,
    pub range: Range<f64>,
    /// The largest number of ticks; 0 for an axis without labels.
    pub max_ticks: usize,
    /// The title, or nothing.
    pub title: &'a str,
    /// Turns a tick's value into its label.
    pub label: &'a dyn Fn(&f64) -> String,
}

impl<'a> Axis<'a> {
    /// A linear axis that labels its ticks with plain numbers.
    pub fn linear(range: Range<f64>, max_ticks: usize, title: &'a str) -> Self {
        Self { scale: Scale::Linear, range, max_ticks, title, label: &|value| tick_label(*value) }
    }

    /// An axis over `range` that labels its ticks with plain numbers.
    pub fn over(range: AxisRange, max_ticks: usize, title: &'a str) -> Self {
        let scale = if range.log { Scale::Logarithmic } else { Scale::Linear };
        Self { scale, ..Self::linear(range.from..range.to, max_ticks, title) }
    }
}

/// A shape in the units of the axes; widths, radii and offsets are in pixels.
pub(super) enum Shape {
    /// Connected points.
    Line { points: Vec<Point>, color: RGBColor, width: u32 },
    /// A filled rectangle between two opposite corners.
    Rectangle { corners: [Point; 2], color: RGBColor },
    /// A filled polygon.
    Polygon { corners: Vec<Point>, color: RGBColor },
    /// A filled dot.
    Dot { center: Point, radius: u32, color: RGBColor },
    /// A circle that is not filled.
    Circle { center: Point, radius: u32, color: RGBColor },
    /// Text below `position`, moved by `offset`.
    Label { position: Point, offset: (i32, i32), align: HPos, size: u32, text: String },
}

impl Shape {
    /// A straight line.
    pub fn segment(from: Point, to: Point, color: RGBColor, width: u32) -> Self {
        Self::Line { points: vec![from, to], color, width }
    }
}

impl Figure<'_> {
    /// Draws the figure as an `<svg>` element.
    ///
    /// # Errors
    /// [`ReportError::Plot`] if the plotter fails.
    pub fn to_svg(&self) -> Result<String, ReportError> {
        let mut svg = String::new();
        let Self { id, class, .. } = self;
        // Writing to a `String` does not fail.
        let _ = writeln!(
            svg,
            "<svg class=\"plot {class}\" font-family=\"sans-serif\" role=\"img\" aria-labelledby=\"{id}-t {id}-d\" viewBox=\"0 0 {WIDTH} {}\" \
             xmlns=\"http://www.w3.org/2000/svg\"><title id=\"{id}-t\">{}</title><desc id=\"{id}-d\">{}</desc>",
            self.height(),
            escape(self.title),
            escape(self.description),
        );
        self.draw(&mut svg).map_err(|error| ReportError::Plot { plot: self.subject, detail: error.to_string() })?;
        svg.push_str("</svg>\n");
        Ok(svg)
    }

    fn height(&self) -> u32 {
        self.charts.iter().map(|chart| chart.height).sum()
    }

    fn draw(&self, svg: &mut String) -> Result<(), Box<dyn Error>> {
        let root = ShortSvg::new(svg, (WIDTH, self.height())).into_drawing_area();
        let mut rest = root.clone();
        for (index, chart) in self.charts.iter().enumerate() {
            if index + 1 == self.charts.len() {
                draw_chart(&rest, chart)?;
            } else {
                let (upper, lower) = rest.split_vertically(chart.height);
                draw_chart(&upper, chart)?;
                rest = lower;
            }
        }
        root.present()?;
        Ok(())
    }
}

fn draw_chart(area: &DrawingArea<ShortSvg<'_>, Shift>, chart: &Chart<'_>) -> Result<(), Box<dyn Error>> {
    let mut context = ChartBuilder::on(area)
        .margin_top(chart.margin_top)
        .margin_right(chart.margin_right)
        .x_label_area_size(chart.x_axis_height)
        .y_label_area_size(chart.y_axis_width)
        .build_cartesian_2d(AxisCoord::new(&chart.x), AxisCoord::new(&chart.y))?;
    draw_shapes(&context, &chart.background)?;
    let mut mesh = context.configure_mesh();
    mesh.x_labels(chart.x.max_ticks)
        .y_labels(chart.y.max_ticks)
        .x_max_light_lines(0)
        .y_max_light_lines(0)
        .bold_line_style(GRID)
        .axis_style(INK)
        .label_style(text_style(16))
        .axis_desc_style(text_style(17))
        .x_label_formatter(chart.x.label)
        .y_label_formatter(chart.y.label);
    if !chart.vertical_lines {
        mesh.disable_x_mesh();
    }
    if !chart.x.title.is_empty() {
        mesh.x_desc(chart.x.title);
    }
    if !chart.y.title.is_empty() {
        mesh.y_desc(chart.y.title);
    }
    mesh.draw()?;
    draw_shapes(&context, &chart.shapes)
}

type Context<'a, 'b> = ChartContext<'a, ShortSvg<'b>, Cartesian2d<AxisCoord, AxisCoord>>;

fn draw_shapes(context: &Context<'_, '_>, shapes: &[Shape]) -> Result<(), Box<dyn Error>> {
    let area = context.plotting_area();
    for shape in shapes {
        match shape {
            Shape::Line { points, color, width } => {
                area.draw(&PathElement::new(points.as_slice(), color.stroke_width(*width)))?;
            }
            Shape::Rectangle { corners, color } => area.draw(&Rectangle::new(*corners, color.filled()))?,
            Shape::Polygon { corners, color } => area.draw(&Polygon::new(corners.as_slice(), color.filled()))?,
            Shape::Dot { center, radius, color } => area.draw(&Circle::new(*center, *radius, color.filled()))?,
            Shape::Circle { center, radius, color } => {
                area.draw(&Circle::new(*center, *radius, color.stroke_width(2)))?;
            }
            Shape::Label { position, offset, align, size, text } => {
                let style = text_style(*size).pos(Pos::new(*align, VPos::Top));
                area.draw(&(EmptyElement::at(*position) + Text::new(text.clone(), *offset, style)))?;
            }
        }
    }
    Ok(())
}

/// The one axis type that plotters is compiled for.
enum AxisCoord {
    Linear(RangedCoordf64),
    Logarithmic(LogCoord<f64>),
    Integers(RangedCoordf64),
}

impl AxisCoord {
    fn new(axis: &Axis<'_>) -> Self {
        let range = axis.range.clone();
        match axis.scale {
            Scale::Linear => Self::Linear(range.into()),
            Scale::Logarithmic => Self::Logarithmic(range.log_scale().into()),
            Scale::Integers => Self::Integers(range.into()),
        }
    }
}

impl Ranged for AxisCoord {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        match self {
            Self::Linear(coord) | Self::Integers(coord) => coord.map(value, limit),
            Self::Logarithmic(coord) => coord.map(value, limit),
        }
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        match self {
            Self::Linear(coord) => coord.key_points(hint),
            Self::Logarithmic(coord) => coord.key_points(hint),
            Self::Integers(_) if hint.max_num_points() == 0 => Vec::new(),
            Self::Integers(coord) => {
                let range = coord.range();
                (range.start.ceil() as i32..=range.end.floor() as i32).map(f64::from).collect()
            }
        }
    }

    fn range(&self) -> Range<f64> {
        match self {
            Self::Linear(coord) | Self::Integers(coord) => coord.range(),
            Self::Logarithmic(coord) => coord.range(),
        }
    }
}

impl ValueFormatter<f64> for AxisCoord {
    fn format(value: &f64) -> String {
        tick_label(*value)
    }
}

/// The smallest and the largest of `values`; infinities in reverse order if there are none.
pub(super) fn bounds(values: impl IntoIterator<Item = f64>) -> (f64, f64) {
    let empty = (f64::INFINITY, f64::NEG_INFINITY);
    values.into_iter().fold(empty, |(min, max), value| (min.min(value), max.max(value)))
}

/// The part of an axis that is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct AxisRange {
    pub from: f64,
    pub to: f64,
    /// Whether the axis is logarithmic.
    pub log: bool,
}

impl AxisRange {
    /// A range that covers the values from `min` to `max`.
    ///
    /// It is logarithmic if the values are positive and differ by more than a factor of 20; both ends are then moved out
    /// by `log_factor`. Otherwise it is linear, with `margin` times the span added at both ends. A linear range starts at
    /// zero if zero is near, so that lengths are comparable.
    pub fn covering((min, max): (f64, f64), margin: f64, log_factor: f64) -> Self {
        if min > 0.0 && max / min > MAX_LINEAR_RATIO {
            return Self { from: min / log_factor, to: max * log_factor, log: true };
        }
        let span = if max > min { max - min } else { max.abs().max(1e-12) };
        let from = if min >= 0.0 && min < 2.0 * span { 0.0 } else { min - span * margin };
        Self { from, to: max + span * margin, log: false }
    }

    /// Where `value` is between the ends: 0 at `from`, 1 at `to`.
    pub fn position(self, value: f64) -> f64 {
        if self.log {
            (value / self.from).ln() / (self.to / self.from).ln()
        } else {
            (value - self.from) / (self.to - self.from)
        }
    }

    /// Round values in the range, about `max_count` of them.
    pub fn ticks(self, max_count: u8) -> Vec<f64> {
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

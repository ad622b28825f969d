//! Plots of one kind of value: a numbered series of values, and a histogram.

use plotters::style::text_anchor::HPos;

use super::chart::{Axis, Chart, Figure, Scale, Shape, bounds, tick_label};
use super::style::{INK, LINES, span_tint};
use crate::model::{SpanKind, count_of};
use crate::report::html::output::ReportError;

/// A histogram's axis is logarithmic, as the bins are, if the last edge exceeds the first by more than this factor.
const MAX_LINEAR_RATIO: f64 = 10.0;

/// A value and, if it has one, the ends of its interval.
pub(in super::super) type SeriesValue = (f64, Option<(f64, f64)>);

/// Values over their number: cycles with their intervals, the probes of a warm-up, or the sessions of a history.
#[derive(Debug, Default)]
pub(in super::super) struct Series<'a> {
    pub values: &'a [SeriesValue],
    /// Value, low and high of all together, drawn as a line and a band.
    pub overall: Option<(f64, f64, f64)>,
    /// The number of the first value.
    pub first: usize,
    /// Levels: the numbers of the first and the last value that a level covers, and its value. A vertical line
    /// separates a level from the one before it.
    pub levels: &'a [(usize, usize, f64)],
    /// Whether consecutive values are connected.
    pub connected: bool,
    /// The label of a line after the last value, or nothing for no line.
    pub end_label: &'a str,
    pub x_title: &'a str,
    pub y_title: &'a str,
}

/// Draws the series.
///
/// # Errors
/// [`ReportError::Plot`] if the plotter fails.
pub(in super::super) fn draw_series(
    series: &Series<'_>,
    id: &str,
    title: &str,
    description: &str,
) -> Result<String, ReportError> {
    let interval = |(value, interval): &SeriesValue| {
        let (low, high) = interval.unwrap_or((*value, *value));
        [*value, low, high]
    };
    let overall = series.overall.iter().flat_map(|(value, low, high)| [*value, *low, *high]);
    let (low, high) = bounds(series.values.iter().flat_map(interval).chain(overall));
    let margin = (high - low).max(high.abs() * 0.002) * 0.12;
    let (bottom, top) = (low - margin, high + margin);
    let (from, count) = (series.first as f64 - 1.0, series.values.len() as f64);
    let to = from + count + 1.0;
    let label = |value: &f64| integer_label(*value, from + 1.0, from + count);
    let x = Axis { label: &label, ..Axis::linear(from..to, 12, series.x_title) };
    let mut chart = Chart::new(300, x, Axis::linear(bottom..top, 6, series.y_title));
    if let Some((value, low, high)) = series.overall {
        chart.background = vec![
            Shape::Rectangle { corners: [(from, low), (to, high)], color: span_tint(SpanKind::Window) },
            Shape::segment((from, value), (to, value), INK, 1),
        ];
    }
    chart.shapes = value_shapes(series);
    for (index, &(first, last, level)) in series.levels.iter().enumerate() {
        let (begin, end) = (first as f64 - 0.5, last as f64 + 0.5);
        chart.shapes.push(Shape::segment((begin, level), (end, level), INK, 2));
        if index > 0 {
            chart.shapes.push(Shape::segment((begin, bottom), (begin, top), LINES[1], 2));
        }
    }
    if !series.end_label.is_empty() {
        let end = from + count + 0.5;
        chart.shapes.push(Shape::segment((end, bottom), (end, top), INK, 2));
        chart.shapes.push(Shape::Label {
            position: (end - count * 0.01, top),
            offset: (0, 0),
            align: HPos::Right,
            size: 16,
            text: series.end_label.to_owned(),
        });
    }
    Figure { subject: "a series of values", class: "numbered", id, title, description, charts: &[chart] }.to_svg()
}

/// The values as dots with intervals.
fn value_shapes(series: &Series<'_>) -> Vec<Shape> {
    let x = |index: usize| (series.first + index) as f64;
    let color = LINES[0];
    let radius = if series.values.len() > 60 { 2 } else { 4 };
    let mut shapes = Vec::new();
    if series.connected && !series.values.is_empty() {
        let points = series.values.iter().enumerate().map(|(index, (value, _))| (x(index), *value)).collect();
        shapes.push(Shape::Line { points, color, width: 2 });
    }
    // Equal shapes in a row are drawn as one path.
    let values = || series.values.iter().enumerate().map(|(index, (value, interval))| (x(index), *value, *interval));
    let bar = |(x, _, interval): (f64, f64, Option<(f64, f64)>)| {
        interval.map(|(low, high)| Shape::segment((x, low), (x, high), color, 2))
    };
    shapes.extend(values().filter_map(bar));
    shapes.extend(values().map(|(x, value, _)| Shape::Dot { center: (x, value), radius, color }));
    shapes
}

/// The label of an integer from `first` to `last`; nothing for other values.
fn integer_label(value: f64, first: f64, last: f64) -> String {
    let integer = value.round();
    if (value - integer).abs() < 1e-6 && (first..=last).contains(&integer) {
        tick_label(integer)
    } else {
        String::new()
    }
}

/// Bars over bins, with quantiles as vertical lines.
#[derive(Debug)]
pub(in super::super) struct Histogram<'a> {
    /// The edges of the bins, one more than there are bins. Bins whose width grows make the axis logarithmic.
    pub edges: &'a [f64],
    pub counts: &'a [u64],
    /// Name and value of each quantile.
    pub quantiles: &'a [(&'a str, f64)],
    pub x_title: &'a str,
}

/// Draws the histogram.
///
/// # Errors
/// [`ReportError::Plot`] if the plotter fails.
pub(in super::super) fn draw_histogram(
    histogram: &Histogram<'_>,
    id: &str,
    title: &str,
) -> Result<String, ReportError> {
    let Histogram { edges, counts, quantiles, .. } = histogram;
    let (from, to) = (edges.first().copied().unwrap_or(0.0), edges.last().copied().unwrap_or(1.0));
    let log = from > 0.0 && to / from > MAX_LINEAR_RATIO;
    let x_title = format!("{}{}", histogram.x_title, if log { ", logarithmic" } else { "" });
    let x = Axis {
        scale: if log { Scale::Logarithmic } else { Scale::Linear },
        label: &|value| tick_label((*value * 1000.0).round() / 1000.0),
        ..Axis::linear(from..to, 8, &x_title)
    };
    let top = counts.iter().copied().max().unwrap_or(1) as f64 * 1.25;
    let mut chart = Chart::new(260, x, Axis::linear(0.0..top, 5, "samples"));
    let tops =
        counts.iter().zip(edges.windows(2)).flat_map(|(count, edge)| edge.iter().map(move |x| (*x, *count as f64)));
    let corners = std::iter::once((from, 0.0)).chain(tops).chain([(to, 0.0)]).collect();
    chart.shapes = vec![Shape::Polygon { corners, color: LINES[0] }];
    for (index, (name, value)) in quantiles.iter().enumerate() {
        chart.shapes.push(Shape::segment((*value, 0.0), (*value, top), LINES[1], 2));
        // The names have different heights because quantiles may be close together.
        let height = top * (1.0 - 0.075 * index as f64);
        let text = (*name).to_owned();
        chart.shapes.push(Shape::Label {
            position: (*value, height),
            offset: (4, 0),
            align: HPos::Left,
            size: 15,
            text,
        });
    }
    let samples: u64 = counts.iter().sum();
    let description = format!(
        "{} between {} and {}. The table below lists the quantiles.",
        count_of(samples, "sample"),
        tick_label(from),
        tick_label(to)
    );
    let figure = Figure {
        subject: "a distribution",
        class: "histogram",
        id,
        title,
        description: &description,
        charts: &[chart],
    };
    figure.to_svg()
}

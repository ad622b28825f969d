//! Power over time, with the spans of the measurement behind it and temperature below it.

use std::collections::BTreeMap;

use plotters::prelude::{Color, RGBColor};
use plotters::style::text_anchor::HPos;

use super::chart::{Axis, Chart, Figure, Point, Shape, WIDTH, X_AXIS_HEIGHT, bounds};
use super::style::{LINES, span_tint};
use crate::analysis::BenchSummary;
use crate::model::{DomainId, SpanKind, Trace, TracePoint, count_of};
use crate::report::html::output::ReportError;
use crate::units::Stamp;

/// Domains that are drawn: more lines cannot be distinguished by colour.
pub(in super::super) const MAX_LINES: usize = LINES.len();

/// Time intervals of which the lowest and the highest reading are drawn.
const BUCKETS: usize = 300;

/// Height of the power chart, in pixels.
const POWER_HEIGHT: u32 = 300;

/// Height of the temperature chart, in pixels.
const TEMPERATURE_HEIGHT: u32 = 130;

const TIME_TITLE: &str = "seconds since the warm-up began";

/// A time span in which the harness did one thing.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::report::html) struct TimelineSpan {
    pub kind: SpanKind,
    /// The index of its cycle; `None` for a span before the first cycle.
    pub cycle: Option<u32>,
    pub from_s: f64,
    pub to_s: f64,
}

/// Readings as time in seconds and value, split where a reading is missing.
pub(in crate::report::html) type Segments = Vec<Vec<(f64, f64)>>;

/// The readings of one domain.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::report::html) struct DomainTrace {
    pub domain: DomainId,
    pub power_w: Segments,
    pub temperature_c: Segments,
}

/// The course of a bench.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::report::html) struct Timeline {
    /// In order of time.
    pub spans: Vec<TimelineSpan>,
    /// The readings of the headline domains, or of all domains if no headline domain was read.
    pub traces: Vec<DomainTrace>,
}

impl Timeline {
    /// The timeline of `bench`, from the traces in it and others, with the domains of the `headline`.
    pub fn new(bench: &BenchSummary, others: &[Trace], headline: &[DomainId]) -> Self {
        let warm_up = bench.warm_up.as_ref();
        let starts = bench.cycles.iter().flat_map(|cycle| &cycle.spans).map(|span| span.start);
        let zero = warm_up.map(|warm_up| warm_up.start).into_iter().chain(starts).min().unwrap_or_default();
        let seconds = |stamp: Stamp| stamp.seconds_from(zero);
        let span = |kind, cycle, start, stop| TimelineSpan { kind, cycle, from_s: seconds(start), to_s: seconds(stop) };
        let mut spans = Vec::new();
        spans.extend(warm_up.map(|warm_up| span(SpanKind::WarmUp, None, warm_up.start, warm_up.stop)));
        for cycle in &bench.cycles {
            spans.extend(cycle.spans.iter().map(|s| span(s.kind, Some(cycle.index), s.start, s.stop)));
        }
        let warm_up_traces = warm_up.map_or(&[][..], |warm_up| &warm_up.traces).iter();
        let traces: Vec<&Trace> =
            warm_up_traces.chain(bench.cycles.iter().flat_map(|cycle| &cycle.traces)).chain(others).collect();
        let was_read = |domain: &DomainId| traces.iter().any(|trace| trace.domain == *domain);
        let headline_only = headline.iter().any(was_read);
        let mut by_domain: BTreeMap<&DomainId, DomainTrace> = BTreeMap::new();
        for trace in &traces {
            if headline_only && !headline.contains(&trace.domain) {
                continue;
            }
            let merged = by_domain.entry(&trace.domain).or_insert_with(|| DomainTrace {
                domain: trace.domain.clone(),
                power_w: Vec::new(),
                temperature_c: Vec::new(),
            });
            merged.power_w.extend(segments(&trace.power_w, zero));
            merged.temperature_c.extend(segments(&trace.temperature_c, zero));
        }
        Self { spans, traces: by_domain.into_values().collect() }
    }

    /// Where the last span or reading ends, in seconds.
    fn end_s(&self) -> f64 {
        let segments = self.traces.iter().flat_map(|trace| trace.power_w.iter().chain(&trace.temperature_c));
        let times = segments.flatten().map(|point| point.0);
        self.spans.iter().map(|span| span.to_s).chain(times).fold(0.0, f64::max)
    }
}

/// The values read during the span.
pub(in crate::report::html) fn readings_during<'a>(
    segments: &'a Segments,
    span: &TimelineSpan,
) -> impl Iterator<Item = f64> + use<'a> {
    let (from_s, to_s) = (span.from_s, span.to_s);
    let in_span = move |segment: &'a Vec<Point>| -> &'a [Point] {
        let first_after = |time: f64| segment.partition_point(|point| point.0 < time);
        // A damaged file can contain readings that are not in order.
        segment.get(first_after(from_s)..first_after(to_s)).unwrap_or_default()
    };
    segments.iter().flat_map(in_span).map(|point| point.1)
}

/// Splits the readings where a value is not finite, so that no line is drawn across the gap.
fn segments(points: &[TracePoint], zero: Stamp) -> Segments {
    let pieces = points.split(|point| !point.1.is_finite()).filter(|piece| !piece.is_empty());
    pieces.map(|piece| piece.iter().map(|point| (point.0.seconds_from(zero), point.1)).collect()).collect()
}

/// Draws the timeline; `None` if there are fewer than two readings of power.
///
/// # Errors
/// [`ReportError::Plot`] if the plotter fails.
pub(in super::super) fn draw_power(timeline: &Timeline, id: &str, title: &str) -> Result<Option<String>, ReportError> {
    let end = timeline.end_s();
    let readings: usize = timeline.traces.iter().flat_map(|trace| &trace.power_w).map(Vec::len).sum();
    if readings < 2 || end <= 0.0 {
        return Ok(None);
    }
    let has_temperature =
        timeline.traces.iter().any(|trace| trace.temperature_c.iter().map(Vec::len).sum::<usize>() > 1);
    let windows = timeline.spans.iter().filter(|span| span.kind == SpanKind::Window).count();
    let (low, high) = value_bounds(timeline.traces.iter().map(|trace| &trace.power_w));
    let description = format!(
        "{end:.0} seconds with {}; power between {low:.0} and {high:.0} watts. The table of phases below lists the mean \
         and the highest power of each span.",
        count_of(windows, "measured window")
    );
    let mut charts = vec![power_chart(timeline, end, (low, high), !has_temperature)];
    if has_temperature {
        charts.push(temperature_chart(timeline, end));
    }
    let figure =
        Figure { subject: "power over time", class: "course", id, title, description: &description, charts: &charts };
    figure.to_svg().map(Some)
}

fn power_chart(timeline: &Timeline, end: f64, (low, high): (f64, f64), with_time: bool) -> Chart<'static> {
    let top = if high > 0.0 { high * 1.12 } else { 1.0 };
    let bottom = low.min(0.0);
    let x = if with_time { Axis::linear(0.0..end, 10, TIME_TITLE) } else { Axis::linear(0.0..end, 0, "") };
    let y = Axis::linear(bottom..top, 6, "power (W)");
    let x_axis_height = if with_time { X_AXIS_HEIGHT } else { 6 };
    let mut shapes = cycle_numbers(timeline, end, top);
    shapes.extend(trace_lines(timeline, end, |trace| &trace.power_w));
    Chart {
        margin_top: 8,
        margin_right: 14,
        x_axis_height,
        y_axis_width: 70,
        background: span_backgrounds(timeline, bottom, top),
        shapes,
        ..Chart::new(POWER_HEIGHT + if with_time { X_AXIS_HEIGHT } else { 0 }, x, y)
    }
}

fn temperature_chart(timeline: &Timeline, end: f64) -> Chart<'static> {
    let (low, high) = value_bounds(timeline.traces.iter().map(|trace| &trace.temperature_c));
    let margin = ((high - low) * 0.15).max(1.0);
    let (bottom, top) = (low - margin, high + margin);
    let x = Axis::linear(0.0..end, 10, TIME_TITLE);
    let y = Axis::linear(bottom..top, 4, "°C");
    Chart {
        margin_top: 4,
        margin_right: 14,
        y_axis_width: 70,
        background: span_backgrounds(timeline, bottom, top),
        shapes: trace_lines(timeline, end, |trace| &trace.temperature_c),
        ..Chart::new(TEMPERATURE_HEIGHT + X_AXIS_HEIGHT, x, y)
    }
}

fn span_backgrounds(timeline: &Timeline, bottom: f64, top: f64) -> Vec<Shape> {
    let rectangle = |span: &TimelineSpan| Shape::Rectangle {
        corners: [(span.from_s, bottom), (span.to_s, top)],
        color: span_tint(span.kind),
    };
    // Spans do not overlap. Equal colours in a row are drawn as one path.
    let mut spans: Vec<&TimelineSpan> = timeline.spans.iter().collect();
    spans.sort_by_key(|span| span_tint(span.kind).rgb());
    spans.into_iter().map(rectangle).collect()
}

/// The number of each window's cycle, so that colour is not the only sign of a window.
fn cycle_numbers(timeline: &Timeline, end: f64, top: f64) -> Vec<Shape> {
    let min_length = end / f64::from(WIDTH) * 18.0;
    let windows = timeline.spans.iter().filter(|span| span.kind == SpanKind::Window);
    windows
        .filter(|span| span.to_s - span.from_s > min_length)
        .map(|span| Shape::Label {
            position: (f64::midpoint(span.from_s, span.to_s), top),
            offset: (0, 0),
            align: HPos::Center,
            size: 15,
            text: span.cycle.map(|cycle| (cycle + 1).to_string()).unwrap_or_default(),
        })
        .collect()
}

fn trace_lines(timeline: &Timeline, end: f64, segments: fn(&DomainTrace) -> &Segments) -> Vec<Shape> {
    let mut lines = Vec::new();
    for (trace, color) in timeline.traces.iter().zip(LINES) {
        lines.extend(segments(trace).iter().filter_map(|segment| segment_line(segment, end, color)));
    }
    lines
}

fn segment_line(segment: &[Point], end: f64, color: RGBColor) -> Option<Shape> {
    let (first, last) = (segment.first()?, segment.last()?);
    let buckets = ((last.0 - first.0) / end * BUCKETS as f64).ceil() as usize;
    Some(Shape::Line { points: downsample(segment, buckets.max(1)), color, width: 2 })
}

fn value_bounds<'a>(segments: impl Iterator<Item = &'a Segments>) -> (f64, f64) {
    bounds(segments.flatten().flatten().map(|point| point.1))
}

/// Reduces `points` (ordered by their first coordinate) to at most `2 · buckets + 2`: the lowest and the highest point of
/// each of `buckets` equal intervals, the first and the last. Shorter input is returned unchanged.
///
/// The points must be finite. Every returned point is one of `points`, in their order.
fn downsample(points: &[Point], buckets: usize) -> Vec<Point> {
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return Vec::new() };
    if points.len() <= 2 * buckets + 2 || last.0 <= first.0 {
        return points.to_vec();
    }
    let bucket_of = |x: f64| (((x - first.0) / (last.0 - first.0) * buckets as f64) as usize).min(buckets - 1);
    let mut kept = vec![0];
    let mut start = 0;
    for bucket in points.chunk_by(|a, b| bucket_of(a.0) == bucket_of(b.0)) {
        let (mut lowest, mut highest) = (0, 0);
        for (index, point) in bucket.iter().enumerate() {
            if point.1 < bucket[lowest].1 {
                lowest = index;
            }
            if point.1 > bucket[highest].1 {
                highest = index;
            }
        }
        kept.extend([start + lowest.min(highest), start + lowest.max(highest)]);
        start += bucket.len();
    }
    kept.push(points.len() - 1);
    kept.dedup();
    kept.into_iter().map(|index| points[index]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;
    use rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};

    #[test]
    fn downsample_keeps_peak_and_dip() {
        let mut hour: Vec<Point> = (0..36_000).map(|i| (f64::from(i) / 10.0, 335.0)).collect();
        hour[17_123].1 = 702.5;
        hour[17_124].1 = 12.25;
        let reduced = downsample(&hour, 400);
        assert!(reduced.len() <= 802, "{}", reduced.len());
        assert!(reduced.contains(&(1712.3, 702.5)) && reduced.contains(&(1712.4, 12.25)));
        assert_eq!((reduced.first(), reduced.last()), (hour.first(), hour.last()));
    }

    #[test]
    fn downsample_keeps_extremes_and_order() {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(7);
        for _ in 0..200 {
            let n = rng.random_range(0..500);
            let buckets = rng.random_range(1..40);
            let mut x = 0.0;
            let points: Vec<Point> = (0..n)
                .map(|_| {
                    x += rng.random_range(0.0..3.0);
                    (x, rng.random_range(-5.0..5.0))
                })
                .collect();
            let reduced = downsample(&points, buckets);
            assert!(reduced.len() <= 2 * buckets + 2);
            assert!(reduced.windows(2).all(|pair| pair[0].0 <= pair[1].0));
            assert!(reduced.iter().all(|point| points.contains(point)));
            let extremes = |points: &[Point]| bounds(points.iter().map(|point| point.1));
            assert_eq!(extremes(&points), extremes(&reduced));
        }
    }

    #[test]
    fn downsample_accepts_equal_times() {
        let points = vec![(1.0, 2.0); 50];
        assert_eq!(downsample(&points, 4), points);
    }

    #[test]
    fn spans_begin_with_warm_up() {
        let summary = fixture::on_a_card();
        let timeline = Timeline::new(&summary.benches[0], &[], &summary.run.headline);
        let first = &timeline.spans[0];
        assert_eq!((first.kind, first.from_s, first.to_s), (SpanKind::WarmUp, 0.0, 12.0));
        assert_eq!(timeline.spans.iter().filter(|span| span.kind == SpanKind::Window).count(), 10);
        assert!((timeline.end_s() - 136.0).abs() < 0.1, "{}", timeline.end_s());
        assert_eq!(timeline.traces.len(), 1);
    }

    #[test]
    fn non_finite_readings_split_segments() {
        let summary = fixture::hostile();
        let split = Timeline::new(&summary.benches[0], &[], &summary.run.headline);
        let whole = Timeline::new(&summary.benches[1], &[], &summary.run.headline);
        assert_eq!(split.traces[0].power_w.len(), whole.traces[0].power_w.len() + 1);
        assert!(split.traces[0].power_w.iter().flatten().all(|point| point.1.is_finite()));
    }
}

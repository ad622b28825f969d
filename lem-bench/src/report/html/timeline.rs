//! When a bench did what, in seconds since it began, and what the sensors read meanwhile.

use std::collections::BTreeMap;

use crate::analysis::BenchSummary;
use crate::model::{DomainId, SpanKind, Trace, TracePoint};
use crate::units::Stamp;

/// A time span in which the harness did one thing.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TimelineSpan {
    pub(super) kind: SpanKind,
    /// The index of its cycle; `None` for a span before the first cycle.
    pub(super) cycle: Option<u32>,
    pub(super) from_s: f64,
    pub(super) to_s: f64,
}

/// Readings as time in seconds and value, split where a reading is missing.
pub(super) type Segments = Vec<Vec<(f64, f64)>>;

/// The readings of one domain.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct DomainTrace {
    pub(super) domain: DomainId,
    pub(super) power_w: Segments,
    pub(super) temperature_c: Segments,
}

/// The course of a bench.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Timeline {
    /// In order of time.
    pub(super) spans: Vec<TimelineSpan>,
    /// The readings of the headline domains, or of all domains if no headline domain was read.
    pub(super) traces: Vec<DomainTrace>,
}

impl Timeline {
    /// The timeline of `bench` with the domains of the `headline`.
    pub(super) fn new(bench: &BenchSummary, headline: &[DomainId]) -> Self {
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
        let traces: Vec<&Trace> = warm_up_traces.chain(bench.cycles.iter().flat_map(|cycle| &cycle.traces)).collect();
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
    pub(super) fn end_s(&self) -> f64 {
        let segments = self.traces.iter().flat_map(|trace| trace.power_w.iter().chain(&trace.temperature_c));
        let times = segments.flatten().map(|point| point.0);
        self.spans.iter().map(|span| span.to_s).chain(times).fold(0.0, f64::max)
    }
}

/// Splits the readings where a value is not finite, so that no line is drawn across the gap.
fn segments(points: &[TracePoint], zero: Stamp) -> Segments {
    let pieces = points.split(|point| !point.1.is_finite()).filter(|piece| !piece.is_empty());
    pieces.map(|piece| piece.iter().map(|point| (point.0.seconds_from(zero), point.1)).collect()).collect()
}

/// The values read during the span.
pub(super) fn readings_during(segments: &Segments, span: &TimelineSpan) -> Vec<f64> {
    let in_span = |point: &&(f64, f64)| (span.from_s..span.to_s).contains(&point.0);
    segments.iter().flatten().filter(in_span).map(|point| point.1).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn spans_begin_with_warm_up() {
        let summary = fixture::on_a_card();
        let timeline = Timeline::new(&summary.benches[0], &summary.run.headline);
        let first = &timeline.spans[0];
        assert_eq!((first.kind, first.from_s, first.to_s), (SpanKind::WarmUp, 0.0, 12.0));
        assert_eq!(timeline.spans.iter().filter(|span| span.kind == SpanKind::Window).count(), 10);
        assert!((timeline.end_s() - 136.0).abs() < 0.1, "{}", timeline.end_s());
        assert_eq!(timeline.traces.len(), 1);
    }

    #[test]
    fn non_finite_readings_split_segments() {
        let summary = fixture::hostile();
        let split = Timeline::new(&summary.benches[0], &summary.run.headline);
        let whole = Timeline::new(&summary.benches[1], &summary.run.headline);
        assert_eq!(split.traces[0].power_w.len(), whole.traces[0].power_w.len() + 1);
        assert!(split.traces[0].power_w.iter().flatten().all(|point| point.1.is_finite()));
    }
}

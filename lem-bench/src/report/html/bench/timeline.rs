//! One bench's course in seconds since it began: what the harness did when, and what the sensors read meanwhile.
//!
//! Must not know how it is drawn.

use std::collections::BTreeMap;

use crate::analysis::BenchSummary;
use crate::model::{DomainId, SpanKind, Trace, TracePoint};
use crate::units::Stamp;

/// A stretch in which the harness did one thing.
#[derive(Debug, Clone, PartialEq)]
pub(in super::super) struct Band {
    /// What it did.
    pub(in super::super) kind: SpanKind,
    /// The cycle to which it belongs, from 0; `None` for what came before the cycles.
    pub(in super::super) cycle: Option<u32>,
    /// From and to, in seconds since the bench began.
    pub(in super::super) from: f64,
    pub(in super::super) to: f64,
}

/// Readings in stretches without holes: seconds and value.
pub(in super::super) type Stretches = Vec<Vec<(f64, f64)>>;

/// One domain's readings.
#[derive(Debug, Clone, PartialEq)]
pub(in super::super) struct Line {
    /// The domain.
    pub(in super::super) domain: DomainId,
    /// Power in W.
    pub(in super::super) power: Stretches,
    /// Temperature in °C.
    pub(in super::super) heat: Stretches,
}

/// A bench's course.
#[derive(Debug, Clone, PartialEq)]
pub(in super::super) struct Timeline {
    /// Its bands, in order.
    pub(in super::super) bands: Vec<Band>,
    /// One line a domain: of `headline` if they were read, else of all that were.
    pub(in super::super) lines: Vec<Line>,
}

impl Timeline {
    /// The course of `bench`.
    pub(in super::super) fn of(bench: &BenchSummary, headline: &[DomainId]) -> Self {
        let warm_up = bench.warm_up.as_ref();
        let starts = bench.cycles.iter().flat_map(|cycle| &cycle.spans).map(|span| span.start);
        let zero = warm_up.map(|warm_up| warm_up.start).into_iter().chain(starts).min().unwrap_or_default();
        let seconds = |at: Stamp| at.seconds_from(zero);
        let mut bands: Vec<Band> = warm_up
            .map(|warm_up| Band {
                kind: SpanKind::WarmUp,
                cycle: None,
                from: seconds(warm_up.start),
                to: seconds(warm_up.stop),
            })
            .into_iter()
            .collect();
        for cycle in &bench.cycles {
            bands.extend(cycle.spans.iter().map(|span| Band {
                kind: span.kind,
                cycle: Some(cycle.index),
                from: seconds(span.start),
                to: seconds(span.stop),
            }));
        }
        let traces = warm_up.map_or(&[][..], |warm_up| &warm_up.traces).iter();
        let traces: Vec<&Trace> = traces.chain(bench.cycles.iter().flat_map(|cycle| &cycle.traces)).collect();
        let read = |domain: &DomainId| traces.iter().any(|trace| trace.domain == *domain);
        let mut lines: BTreeMap<&DomainId, Line> = BTreeMap::new();
        for trace in &traces {
            if !headline.contains(&trace.domain) && headline.iter().any(read) {
                continue;
            }
            let line = lines.entry(&trace.domain).or_insert_with(|| Line {
                domain: trace.domain.clone(),
                power: Vec::new(),
                heat: Vec::new(),
            });
            line.power.extend(stretches(&trace.power_w, seconds));
            line.heat.extend(stretches(&trace.temperature_c, seconds));
        }
        Self { bands, lines: lines.into_values().collect() }
    }

    /// Where it ends, in seconds.
    pub(in super::super) fn end(&self) -> f64 {
        let points = self.lines.iter().flat_map(|line| line.power.iter().chain(&line.heat)).flatten().map(|p| p.0);
        self.bands.iter().map(|band| band.to).chain(points).fold(0.0, f64::max)
    }
}

/// Readings cut where one is not a number: a hole is not bridged.
fn stretches(points: &[TracePoint], seconds: impl Fn(Stamp) -> f64) -> Stretches {
    let pieces = points.split(|point| !point.1.is_finite()).filter(|piece| !piece.is_empty());
    pieces.map(|piece| piece.iter().map(|point| (seconds(point.0), point.1)).collect()).collect()
}

/// The readings from `from` until before `to`.
pub(in super::super) fn within(stretches: &Stretches, from: f64, to: f64) -> impl Iterator<Item = f64> + '_ {
    stretches.iter().flatten().filter(move |point| (from..to).contains(&point.0)).map(|point| point.1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn a_course_begins_with_its_warm_up_and_holds_every_cycle() {
        let summary = fixture::on_a_card();
        let course = Timeline::of(&summary.benches[0], &summary.run.headline);
        assert_eq!((course.bands[0].kind, course.bands[0].from, course.bands[0].to), (SpanKind::WarmUp, 0.0, 12.0));
        assert_eq!(course.bands.iter().filter(|band| band.kind == SpanKind::Window).count(), 10);
        assert!((course.end() - 136.0).abs() < 0.1, "{}", course.end());
        assert_eq!(course.lines.len(), 1);
    }

    #[test]
    fn a_reading_that_is_no_number_leaves_a_hole() {
        let summary = fixture::hostile();
        let course = Timeline::of(&summary.benches[0], &summary.run.headline);
        let whole = Timeline::of(&summary.benches[1], &summary.run.headline);
        assert_eq!(course.lines[0].power.len(), whole.lines[0].power.len() + 1);
        assert!(course.lines[0].power.iter().flatten().all(|point| point.1.is_finite()));
    }
}

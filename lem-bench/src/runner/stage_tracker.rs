//! The stages of a case: spans for the trace, and progress for people who watch.

use std::time::Duration;

use super::context::MeasureContext;
use super::event::{Progress, Stage};
use crate::model::{Span, SpanKind};
use crate::protocol::Protocol;
use crate::units::Stamp;

/// Tracks the current stage of one case.
#[derive(Debug)]
pub(super) struct StageTracker {
    bench: String,
    spans: Vec<Span>,
    open: Option<(SpanKind, Stamp)>,
    stage: Option<Stage>,
}

impl StageTracker {
    pub(super) fn new(bench: String) -> Self {
        Self { bench, spans: Vec::new(), open: None, stage: None }
    }

    /// Enters a stage now, which takes at least `lasts`.
    pub(super) fn enter(
        &mut self,
        context: &mut MeasureContext,
        protocol: &Protocol,
        (kind, stage): (SpanKind, Stage),
        lasts: Duration,
    ) {
        let now = context.now();
        if self.open.is_none_or(|(open, _)| open != kind) {
            self.close(now);
            self.open = Some((kind, now));
        }
        if self.stage != Some(stage) {
            self.stage = Some(stage);
            let schedule = protocol.schedule();
            let cycles_left = schedule.cycles.saturating_sub(protocol.cycle());
            let time_per_cycle = schedule.expected() / schedule.cycles.max(1);
            context.report_progress(Progress {
                bench: Some(&self.bench),
                stage,
                cycle: (protocol.cycle(), schedule.max_cycles()),
                lasts,
                left: time_per_cycle * cycles_left,
            });
        }
    }

    /// Closes the open span.
    pub(super) fn close(&mut self, now: Stamp) {
        if let Some((kind, start)) = self.open.take() {
            self.spans.push(Span { kind, start, stop: now });
        }
    }

    /// Takes the closed spans. The next stage is reported even if it is the same.
    pub(super) fn take_spans(&mut self) -> Vec<Span> {
        self.stage = None;
        std::mem::take(&mut self.spans)
    }

    /// Drops the closed spans.
    pub(super) fn clear(&mut self) {
        self.spans.clear();
    }
}

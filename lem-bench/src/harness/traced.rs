//! What a run tells, as `tracing` events: where the time goes, and what came of it.
//!
//! It is told between windows, never inside one. Must not know who reads the events.

use std::time::Instant;

use crate::model::Record;
use crate::runner::{Event, Observer, ObserverError, Progress, Stage};

/// Turns what a run tells into events.
#[derive(Debug, Default)]
pub(super) struct TracingObserver {
    /// What is done now, for which bench, and since when.
    now: Option<(Stage, String, Instant)>,
}

impl TracingObserver {
    fn goes_on(&mut self, progress: &Progress<'_>) {
        let bench = progress.bench.unwrap_or_default();
        if self.now.as_ref().is_some_and(|(stage, of, _)| *stage == progress.stage && of == bench) {
            return;
        }
        self.ends();
        let planned_s = progress.lasts.as_secs_f64();
        tracing::debug!(bench, stage = ?progress.stage, cycle = progress.cycle.0, planned_s, "stage begins");
        self.now = Some((progress.stage, bench.to_owned(), Instant::now()));
    }

    fn ends(&mut self) {
        if let Some((stage, bench, began)) = self.now.take() {
            tracing::debug!(bench, ?stage, seconds = began.elapsed().as_secs_f64(), "stage ended");
        }
    }
}

impl Observer for TracingObserver {
    fn on(&mut self, event: &Event<'_>) -> Result<(), ObserverError> {
        let record = match event {
            Event::Progress(progress) => {
                self.goes_on(progress);
                return Ok(());
            }
            Event::Record(record) => record,
        };
        match record {
            Record::Run(run) => tracing::info!(run = run.run_id, target = run.target, "run begins"),
            Record::Resume(_) => tracing::info!("run goes on"),
            Record::Idle(idle) => {
                let bench = idle.bench.as_deref().unwrap_or_default();
                tracing::debug!(bench, kind = ?idle.kind, blocks = idle.blocks.len(), "idle measured");
            }
            Record::Bench(bench) => tracing::info!(bench = bench.id, "bench begins"),
            Record::WarmUp(warm_up) => {
                let seconds = warm_up.stop.seconds_from(warm_up.start);
                let (bench, probes) = (&warm_up.bench, warm_up.probes_s.len());
                tracing::info!(bench, seconds, probes, how = ?warm_up.code, "warmed up");
            }
            Record::Cycle(cycle) => {
                let seconds: f64 = cycle.windows.iter().map(|window| window.stop.seconds_from(window.start)).sum();
                tracing::info!(bench = cycle.bench, cycle = cycle.index, window_s = seconds, "cycle kept");
            }
            Record::BenchEnd(end) => {
                self.ends();
                tracing::info!(bench = end.bench, outcome = ?end.outcome, "bench ended");
            }
            Record::RunEnd(_) => tracing::info!("run ended"),
        }
        Ok(())
    }
}

//! A session: the benches of one process, measured one at a time with one context; or each run once as a test.

use std::sync::Arc;
use std::time::Duration;

use super::case_driver::BenchThread;
use super::context::{MeasureContext, SessionConfig};
use super::event::{ObserverError, Progress, Stage};
use super::job::{Body, Job, call_body};
use super::lease::{BodyEnd, Reply, StepResult, Until};
use crate::bench::{Driver, EdgeCalls, Fixtures, InputChoice, Iteration, Run, Step};
use crate::clock::{Clock, RealClock};
use crate::model::{BenchEnd, IdleKind, IdleRecord, Outcome, Record, RunEnd};
use crate::protocol::Schedule;
use crate::sampler::Sampler;
use crate::units::Stamp;

/// Measures benches, one at a time.
#[derive(Debug)]
pub struct Session {
    /// `None` after a bench thread has ended without returning it.
    context: Option<Box<MeasureContext>>,
    benches: u32,
}

impl Session {
    /// Starts a session with its first record: the header of a journal, or, when another process started the journal, the
    /// record that this one resumes it.
    ///
    /// # Errors
    /// An observer cannot take the record.
    pub fn start(config: SessionConfig, first: &Record) -> Result<Self, ObserverError> {
        // The energy at an edge is computed from a read before it and one after it.
        config.sampler.wait_until_sampled(Stamp::default());
        let mut context = Box::new(MeasureContext::new(config));
        context.record(first);
        let session = Self { context: Some(context), benches: 0 };
        session.check()?;
        Ok(session)
    }

    /// The time of the session's clock; zero when the session has lost its context.
    pub fn now(&self) -> Stamp {
        self.context.as_ref().map(|context| context.now()).unwrap_or_default()
    }

    /// Records something that belongs to the session as a whole.
    ///
    /// # Errors
    /// An observer cannot take the record.
    pub fn record(&mut self, record: &Record) -> Result<(), ObserverError> {
        if let Some(context) = self.context.as_mut() {
            context.record(record);
        }
        self.check()
    }

    /// Measures bare idle: power before any bench has set up, with the idle blocks of `schedule`.
    ///
    /// # Errors
    /// An observer cannot take the record.
    pub fn measure_bare_idle(&mut self, schedule: &Schedule) -> Result<(), ObserverError> {
        let Some(context) = self.context.as_mut().filter(|_| schedule.idle_blocks > 0) else { return Ok(()) };
        let lasts = schedule.idle_block * schedule.idle_blocks;
        let (stage, cycle) = (Stage::BareIdle, (0, 0));
        context.report_progress(Progress { bench: None, stage, cycle, lasts, left: lasts, call: Duration::ZERO });
        let mut edges = vec![context.rest_to_edge(schedule.guard)];
        for _ in 0..schedule.idle_blocks {
            edges.push(context.rest_to_edge(schedule.idle_block));
        }
        context.rest_until(context.now() + schedule.guard + Duration::from_millis(1));
        // An interrupted rest is too short to be recorded.
        if context.config.interrupt.is_requested() {
            return Ok(());
        }
        let SessionConfig { sampler, domains, .. } = &context.config;
        sampler.wait_until_sampled(edges[edges.len() - 1]);
        let blocks = edges.windows(2).map(|pair| sampler.idle_block(pair[0], pair[1], domains)).collect();
        sampler.discard_before(context.now());
        context.record(&Record::Idle(IdleRecord { kind: IdleKind::Bare, bench: None, blocks }));
        self.check()
    }

    /// Measures with another sampler from now on: the meter was opened again after it had lost its device. It must have
    /// the same domains.
    pub fn replace_sampler(&mut self, sampler: Sampler) {
        if let Some(context) = self.context.as_mut() {
            context.replace_sampler(sampler);
        }
    }

    /// Continues without the lost domains of the headline: measures times and the other domains.
    pub fn continue_without_headline(&mut self) {
        if let Some(context) = self.context.as_mut() {
            context.continue_without_headline();
        }
    }

    /// Measures one bench from start to end. A failure of the bench is its outcome, not an error. `None` when it was
    /// interrupted: then the journal has its complete cycles and no end.
    ///
    /// # Errors
    /// An observer cannot take a record; nothing more is measured.
    pub fn run(&mut self, job: &Job) -> Result<Option<Outcome>, ObserverError> {
        let bench = self.start_bench(job)?;
        match self.step(&bench, Until::End)? {
            StepResult::Ended(end) => Ok(end.outcome),
            StepResult::Waiting => {
                Err(ObserverError(format!("bench `{}` asked for a step after its last one", job.record.id)))
            }
        }
    }

    /// Starts a bench, which waits for its first step.
    ///
    /// # Errors
    /// An observer cannot take the record, or the system cannot start a thread.
    pub fn start_bench(&mut self, job: &Job) -> Result<BenchThread, ObserverError> {
        // A bench that an earlier process started is in the journal already.
        if job.from_cycle == 0 {
            self.record(&Record::Bench(job.record.clone()))?;
        }
        BenchThread::start(job)
            .map_err(|error| ObserverError(format!("bench `{}` could not be run: {error}", job.record.id)))
    }

    /// Runs one step of a bench. Records its end, unless it was interrupted.
    ///
    /// # Errors
    /// An observer cannot take a record; nothing more is measured.
    pub fn step(&mut self, bench: &BenchThread, until: Until) -> Result<StepResult, ObserverError> {
        let Some(context) = self.context.take() else {
            return Err(ObserverError("the session lost its meter with an earlier bench".to_owned()));
        };
        let Reply { mut context, result } = bench
            .step(context, until)
            .map_err(|error| ObserverError(format!("bench `{}` could not be run: {error}", bench.bench())))?;
        if let StepResult::Ended(BodyEnd { outcome: Some(outcome), last_failure, precision }) = &result {
            self.benches += 1;
            let (bench, at) = (bench.bench().to_owned(), context.now());
            let (outcome, last_failure, precision) = (outcome.clone(), last_failure.clone(), *precision);
            context.record(&Record::BenchEnd(BenchEnd { bench, outcome, last_failure, precision, at }));
        }
        self.context = Some(context);
        self.check()?;
        Ok(result)
    }

    /// Ends the session: writes its last record.
    ///
    /// # Errors
    /// An observer cannot take the record.
    pub fn end(mut self) -> Result<(), ObserverError> {
        if let Some(context) = self.context.as_mut() {
            let (at, benches) = (context.now(), self.benches);
            context.record(&Record::RunEnd(RunEnd { at, benches }));
        }
        self.check()
    }

    fn check(&self) -> Result<(), ObserverError> {
        match self.context.as_ref().and_then(|context| context.observer_error.clone()) {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }
}

/// A driver that asks for one iteration.
#[derive(Default)]
struct SingleIteration {
    has_run: bool,
    failure: Option<String>,
    /// The first value of a custom metric that is not finite.
    not_finite: Option<String>,
}

impl SingleIteration {
    fn check_metric(&mut self, name: &str, value: f64) {
        if !value.is_finite() {
            self.not_finite
                .get_or_insert_with(|| format!("the metric `{name}` is {value}, which is not a finite number"));
        }
    }
}

impl Driver for SingleIteration {
    fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(RealClock)
    }

    fn seed(&self) -> u64 {
        0
    }

    fn next(&mut self, in_flight: usize, edges: &mut dyn EdgeCalls) -> Step {
        match (self.has_run, in_flight) {
            (false, _) => Step::Run(Run::new(InputChoice::First, 1)),
            (true, 0) => {
                edges.synchronize();
                for reading in edges.read_gauges() {
                    self.check_metric(&reading.name, reading.value);
                }
                Step::Stop
            }
            (true, _) => Step::Drain,
        }
    }

    fn done(&mut self, iteration: Iteration<'_>) {
        self.has_run = true;
        if iteration.failed > 0 {
            self.failure = iteration.failure.map(str::to_owned);
        }
        for mark in iteration.metrics {
            self.check_metric(mark.name, mark.value);
        }
    }
}

/// Runs a body on this thread for one iteration.
///
/// # Errors
/// The text of a panic, of the function's error, or of the failed request; or a custom metric that is not finite.
pub fn run_once(body: &Body, fixtures: Fixtures) -> Result<(), String> {
    let mut driver = SingleIteration::default();
    call_body(body, &mut driver, fixtures).map_err(|panic| format!("panicked: {panic}"))??;
    match driver.failure {
        Some(failure) => Err(format!("the request failed: {failure}")),
        None if !driver.has_run => Err("the bench has no inputs: nothing was run".to_owned()),
        None => driver.not_finite.map_or(Ok(()), Err),
    }
}

/// Returns a body that runs `body` once before it is measured, so that a second call of `iter…` fails at once.
pub fn run_once_first(body: Body) -> Body {
    Arc::new(move |bencher| {
        run_once(&body, bencher.fixtures().clone())?;
        body(bencher)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::mpsc::{Sender, channel};

    use super::*;
    use crate::meter::{Channel, Estimate, Meter, ReadError, Value};
    use crate::model::{BenchRecord, CycleRecord, Domain, Origin};
    use crate::protocol::{Overrides, Profile};
    use crate::runner::{Event, HostMonitor, Interrupt, Observer};
    use crate::sampler::{ProbeEffort, SamplerConfig, probe};

    /// An estimate whose thread yields to all others, as if the cores were busy.
    #[derive(Debug)]
    struct Late(Estimate);

    impl Meter for Late {
        fn name(&self) -> &'static str {
            "late"
        }

        fn origin(&self) -> Origin {
            self.0.origin()
        }

        fn domains(&self) -> &[Domain] {
            self.0.domains()
        }

        fn channels(&self) -> &[Channel] {
            self.0.channels()
        }

        fn read(&mut self, channel: usize) -> Result<Value, ReadError> {
            // SAFETY: sets the priority of the calling thread; no memory is accessed.
            unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, 10) };
            self.0.read(channel)
        }
    }

    struct Cycles(Sender<CycleRecord>);

    impl Observer for Cycles {
        fn on(&mut self, event: &Event<'_>) -> Result<(), ObserverError> {
            if let Event::Record(Record::Cycle(cycle)) = event {
                self.0.send((**cycle).clone()).map_err(|error| ObserverError(error.to_string()))?;
            }
            Ok(())
        }
    }

    #[test]
    fn cycle_waits_for_a_late_sampler() {
        let mut meter = Estimate::default();
        let ms = Duration::from_millis;
        let probe = probe(&mut meter, &RealClock, ProbeEffort { min: ms(10), max: ms(20) });
        let headline = vec![meter.domains()[0].id.clone()];
        let short = Some(ms(20));
        let overrides =
            Overrides { cycles: Some(3), gap: short, min_window: short, warm_up: short, ..Overrides::default() };
        let schedule = Schedule::plan(Profile::Quick, &probe, &headline, &overrides);
        let clock: Arc<dyn Clock> = Arc::new(RealClock);
        let config = SamplerConfig::for_meter(&probe);
        let sampler = Sampler::start(Box::new(Late(meter)), Arc::clone(&clock), &probe, config).unwrap();
        let (sender, cycles) = channel();
        let config = SessionConfig {
            clock,
            sampler,
            domains: headline.clone(),
            headline,
            host: HostMonitor::default(),
            observers: vec![Box::new(Cycles(sender))],
            seed: 1,
            interrupt: Interrupt::default(),
            barrier: None,
        };
        let record = BenchRecord {
            id: "late".to_owned(),
            name: "late".to_owned(),
            group: None,
            module: String::new(),
            description: None,
            place: String::new(),
            params: Vec::new(),
            tags: Vec::new(),
            schedule: BTreeMap::new(),
        };
        let mut session = Session::start(config, &Record::RunEnd(RunEnd { at: Stamp::default(), benches: 0 })).unwrap();
        let body: Body = Arc::new(|b| {
            b.iter(|| RealClock.sleep(Duration::from_millis(1)));
            Ok(())
        });
        let job = Job { record, schedule, body, from_cycle: 0, earlier: Vec::new() };
        let is_over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let spin = || {
                while !is_over.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            };
            (0..3 * std::thread::available_parallelism().unwrap().get()).for_each(|_| drop(scope.spawn(spin)));
            assert_eq!(session.run(&job).unwrap(), Some(Outcome::Completed));
            is_over.store(true, Ordering::Relaxed);
        });
        let energies: Vec<usize> = cycles.try_iter().map(|cycle| cycle.windows[0].energy.len()).collect();
        assert_eq!(energies, [1, 1, 1]);
    }
}

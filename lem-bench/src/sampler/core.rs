//! The stepper: which channel is due, what it read, and the energy of a stretch of time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use super::counter::{Step, Unwrapper};
use super::due::{Reads, is_due, patience};
use super::edge::{CounterSample, IdleSide, SLOW};
use super::power_now::LivePower;
use super::readings::{CounterTrack, GaugeTrack, Readings};
use crate::clock::Clock;
use crate::meter::{Meter, Quantity, ReadError, Value};
use crate::model::{ChannelProbe, Coverage, DomainId, MeterProbe, SensorEvent, SensorEventKind, Trace, TracePoint};
use crate::units::Stamp;

/// How often the sampler reads.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SamplerConfig {
    /// Between two points of the trace.
    pub trace_interval: Duration,
    /// Between two looks at what changes slowly: all gauges but power, which is read at the trace's rate.
    pub slow_interval: Duration,
    /// Between two reads of a counter around an edge.
    pub dense_interval: Duration,
    /// The update period that all counters around an edge must have ticked within; zero when they are continuous.
    pub tick: Duration,
    /// Updates that are awaited on that side of an edge on which the machine rests.
    pub rest_ticks: u32,
    /// Whether counters are also read densely before an edge, so that the tick before it is seen and not inferred from
    /// the one after it and the period: only where reads are cheap.
    pub before_edges: bool,
}

impl SamplerConfig {
    /// The rates for a meter: the trace at 10 Hz, reads around edges as [`MeterProbe::edge_spacing`] says. An H200's
    /// counter takes 3 ms a read (its power field 6 µs) and ticks every 100 ms: read at a twentieth, it cost 1.8 % of a
    /// core. A counter that showed no period is taken for a slow one.
    pub fn for_meter(probe: &MeterProbe) -> Self {
        let counters = probe.channels.iter().filter(|p| p.counter);
        let period =
            |p: &ChannelProbe| p.update_period_s.and_then(|s| Duration::try_from_secs_f64(s).ok()).unwrap_or(SLOW);
        let tick = counters.map(period).max().unwrap_or_default();
        let dense_interval = probe.edge_spacing();
        Self {
            trace_interval: Duration::from_millis(100),
            // A look at what holds the clocks down stands for a twentieth of a window of ten seconds.
            slow_interval: Duration::from_millis(500),
            dense_interval,
            tick,
            // The tail of a load falls within a second: where that is many ticks, its slope is worth a third one.
            rest_ticks: if tick <= Duration::from_millis(200) { 3 } else { 2 },
            before_edges: dense_interval * 4 < tick,
        }
    }

    /// The time before or after an edge in which its ticks on a side at rest are seen.
    pub fn rest_time(&self) -> Duration {
        self.tick.mul_f64(f64::from(self.rest_ticks) + 0.2) + self.dense_interval * 2
    }
}

/// What the measured side tells the sampler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EdgeEvent {
    /// An edge comes at or after this moment: read the counters densely from one tick before it on.
    Expect(Stamp, IdleSide),
    /// The edge was here: read at once, and densely until the next tick has been seen.
    Edge(Stamp, IdleSide),
}

/// Reads a meter when it is due and remembers what it read.
pub(super) struct SamplerState {
    meter: Box<dyn Meter>,
    clock: Arc<dyn Clock>,
    config: SamplerConfig,
    readings: Readings,
    /// Domains whose device is gone, each with the reason. They are not read again.
    lost: Vec<(DomainId, String)>,
    next_trace: Stamp,
    /// When all gauges are read with a point of the trace, and not power alone.
    next_slow: Stamp,
    /// Counters are read densely until then: an edge was just before.
    after_edge: Option<Stamp>,
    /// The last edge, and how many ticks after it are awaited.
    edge: (Stamp, u32),
    /// Counters are read densely from then on, until the edge comes.
    before_edge: Option<Stamp>,
    last_dense: Stamp,
    /// When counters were last read for no other reason than that they wrap soon.
    last_alive: Stamp,
    pub(super) cpu: Option<Duration>,
    pub(super) gist: Arc<LiveStatus>,
    pub(super) board: Arc<LivePower>,
}

/// What the measured side may ask at any moment without waiting for a read.
#[derive(Debug)]
pub(super) struct LiveStatus {
    hottest_bits: AtomicU64,
    losses: AtomicUsize,
}

impl LiveStatus {
    /// The highest of the last temperatures read, in °C.
    pub(super) fn hottest(&self) -> Option<f64> {
        Some(f64::from_bits(self.hottest_bits.load(Ordering::Relaxed))).filter(|t| !t.is_nan())
    }

    /// How many domains are gone.
    pub(super) fn losses(&self) -> usize {
        self.losses.load(Ordering::Relaxed)
    }
}

impl SamplerState {
    pub(super) fn new(meter: Box<dyn Meter>, clock: Arc<dyn Clock>, probe: &MeterProbe, config: SamplerConfig) -> Self {
        let channels = meter.channels().to_vec();
        let has_gauge =
            |domain: &DomainId| channels.iter().any(|c| c.quantity == Quantity::Power && c.domain == *domain);
        let (mut counters, mut gauges) = (Vec::new(), Vec::new());
        for (channel, c) in channels.iter().enumerate() {
            if let Quantity::Energy { unit_j, modulus } = c.quantity {
                let found = probe.channel(&c.domain, true);
                counters.push(CounterTrack {
                    channel,
                    domain: c.domain.clone(),
                    period: found.and_then(|p| Duration::try_from_secs_f64(p.update_period_s?).ok()),
                    sight: found.map_or(Coverage::Unknown, ChannelProbe::sight),
                    least_gap: found
                        .and_then(|p| Duration::try_from_secs_f64(p.safe_interval_s?).ok())
                        .unwrap_or_default(),
                    unwrapper: Unwrapper::new(unit_j, modulus),
                    samples: Vec::with_capacity(4096),
                    lost: Vec::new(),
                    // A counter that reads at the trace's rate would disturb draws none.
                    traced: !has_gauge(&c.domain) && found.is_none_or(|p| p.safe_interval_s.is_none_or(|s| s <= 0.1)),
                });
            } else {
                let (domain, points) = (c.domain.clone(), Vec::with_capacity(4096));
                let found = probe.channel(&domain, false).filter(|_| c.quantity == Quantity::Power);
                let period = found.and_then(|p| Duration::try_from_secs_f64(p.update_period_s?).ok());
                gauges.push(GaugeTrack { channel, domain, quantity: c.quantity, period, points });
            }
        }
        let now = clock.now();
        let board = LivePower::new(meter.domains());
        Self {
            meter,
            clock,
            config,
            readings: Readings { counters, gauges, ..Readings::default() },
            lost: Vec::new(),
            next_trace: now,
            next_slow: now,
            after_edge: None,
            edge: (now, 0),
            before_edge: None,
            last_dense: now,
            last_alive: now,
            cpu: None,
            board,
            gist: Arc::new(LiveStatus {
                hottest_bits: AtomicU64::new(f64::NAN.to_bits()),
                losses: AtomicUsize::new(0),
            }),
        }
    }

    pub(super) fn handle_edge(&mut self, notice: EdgeEvent) {
        match notice {
            // At rest nobody is disturbed by reads, and the ticks before the edge tell the power at rest.
            EdgeEvent::Expect(at, IdleSide::Before) => self.before_edge = Some(at.earlier(self.config.rest_time())),
            EdgeEvent::Expect(at, _) => {
                // Continuous counters need no reads before an edge: the one right after it is enough.
                if self.config.before_edges && self.config.tick > self.config.dense_interval {
                    self.before_edge = Some(at.earlier(self.config.tick + self.config.tick / 5));
                }
            }
            EdgeEvent::Edge(at, rest) => {
                self.read_counters(Reads::All);
                if rest != IdleSide::Neither {
                    self.readings.rests.push((at, rest));
                }
                let ticks = if rest == IdleSide::After { self.config.rest_ticks } else { 1 };
                self.edge = (at, ticks);
                self.before_edge = None;
                // From now on and not from the edge: the meter may have been slow to answer.
                let now = self.clock.now();
                self.next_slow = self.next_slow.min(now);
                let patience = self.config.tick.mul_f64(f64::from(ticks) + 0.2) + self.config.dense_interval;
                self.after_edge = Some(now + patience);
                self.last_dense = now;
            }
        }
    }

    /// When the counters are to be read densely next.
    fn next_dense(&self) -> Option<Stamp> {
        let next = self.last_dense + self.config.dense_interval;
        match (self.after_edge, self.before_edge) {
            (Some(_), _) => Some(next),
            (None, Some(from)) => Some(next.max(from)),
            (None, None) => None,
        }
    }

    /// When [`SamplerState::poll_due`] wants to run next.
    pub(super) fn next_due(&self) -> Stamp {
        let others = self.next_dense().into_iter().chain(self.next_alive());
        others.fold(self.next_trace, Stamp::min)
    }

    /// When a counter must be read that wraps within a few points of the trace.
    fn next_alive(&self) -> Option<Stamp> {
        let alive = |track: &CounterTrack| {
            let patience = Some(patience(track)).filter(|patience| *patience < self.config.trace_interval)?;
            Some(self.last_alive.max(track.samples.last()?.at) + patience)
        };
        self.readings.counters.iter().filter_map(alive).min()
    }

    /// Reads what is due at `now`.
    pub(super) fn poll_due(&mut self, now: Stamp) {
        if now >= self.next_trace {
            let late = now.since(self.next_trace);
            if late > self.config.trace_interval * 3 {
                self.late(now, late);
                self.next_trace = now;
            }
            let all = now >= self.next_slow;
            self.read_gauges(all);
            self.next_slow = if all { now + self.config.slow_interval } else { self.next_slow };
            self.read_counters(Reads::Trace);
            self.publish();
            self.next_trace = self.next_trace + self.config.trace_interval;
        }
        if self.next_alive().is_some_and(|due| now >= due) {
            self.last_alive = now;
            self.read_counters(Reads::Trace);
        }
        if self.next_dense().is_some_and(|due| now >= due) {
            let (edge, ticks) = self.edge;
            let foretold = self.before_edge.is_some_and(|from| now >= from);
            self.read_counters(if foretold { Reads::All } else { Reads::Ticks(edge, ticks as usize) });
            self.last_dense = self.clock.now();
            // An edge that was foretold and did not come is read from its other side alone.
            let patience = self.config.tick * (5 + self.config.rest_ticks);
            self.before_edge = self.before_edge.filter(|from| now < *from + patience);
            self.after_edge =
                self.after_edge.filter(|until| now < *until && !self.readings.have_ticked(edge, ticks as usize));
        }
    }

    fn publish(&self) {
        let hottest = self.readings.temperatures().into_iter().map(|(_, celsius)| celsius).fold(f64::NAN, f64::max);
        self.gist.hottest_bits.store(hottest.to_bits(), Ordering::Relaxed);
        self.gist.losses.store(self.lost.len(), Ordering::Relaxed);
        self.board.publish(&self.readings);
    }

    fn late(&mut self, now: Stamp, late: Duration) {
        if let Some(domain) = self.meter.domains().first().map(|domain| domain.id.clone()) {
            let detail = format!("the sampler came {:.0} ms late", late.as_secs_f64() * 1e3);
            self.readings.events.push(SensorEvent { at: now, domain, kind: SensorEventKind::SamplerLate, detail });
        }
    }

    /// Reads the counters: all of them around an edge, else those that draw the trace.
    fn read_counters(&mut self, reads: Reads) {
        for track in &mut self.readings.counters {
            if !is_due(track, reads, self.clock.now()) || is_lost(&self.lost, &track.domain) {
                continue;
            }
            let before = self.clock.now();
            let value = self.meter.read(track.channel);
            let after = self.clock.now();
            let at = middle(before, after);
            match value {
                Ok(Value::Count(raw)) => {
                    let half = after.since(before) / 2;
                    let last = track.samples.last().map_or(before, |last| last.at.earlier(last.half));
                    let seconds = after.seconds_from(last) + track.period.unwrap_or(SLOW).as_secs_f64();
                    let (joules, step) = track.unwrapper.push(raw, seconds);
                    track.samples.push(CounterSample { at, half, joules });
                    if !step.is_known() {
                        track.lost.push((last, after));
                    }
                    let (kind, what) = match step {
                        Step::Forward => continue,
                        Step::Wrapped => (SensorEventKind::CounterWrapped, "passed its range"),
                        Step::Reset => (SensorEventKind::CounterReset, "started again"),
                        Step::Backwards => (SensorEventKind::CounterBackwards, "went back"),
                        Step::Unread => (SensorEventKind::CounterUnread, "may have passed its whole range unseen"),
                    };
                    let gap = at.seconds_from(last);
                    let detail = format!("the counter {what}: it read {raw}, {gap:.2} s after the read before");
                    self.readings.events.push(SensorEvent { at, domain: track.domain.clone(), kind, detail });
                }
                Ok(other) => {
                    let error = ReadError::Failed(format!("the counter gave {other:?}, which is no count"));
                    failed(&mut self.readings.events, &mut self.lost, at, &track.domain, &error);
                }
                Err(error) => failed(&mut self.readings.events, &mut self.lost, at, &track.domain, &error),
            }
        }
    }

    /// Reads the gauges: power, and all others where their time has come.
    fn read_gauges(&mut self, all: bool) {
        for track in self.readings.gauges.iter_mut().filter(|track| all || track.quantity == Quantity::Power) {
            if is_lost(&self.lost, &track.domain) {
                continue;
            }
            let before = self.clock.now();
            let value = self.meter.read(track.channel);
            let at = middle(before, self.clock.now());
            match value {
                // No set of flags that a driver defines has more than the 53 bits of a float's integers.
                Ok(Value::Bits(bits)) => track.points.push(TracePoint(at, bits as f64)),
                Ok(Value::Level(level)) if level.is_finite() => track.points.push(TracePoint(at, level)),
                Ok(Value::Level(level)) => {
                    let error = ReadError::Failed(format!("the meter gave {level}"));
                    failed(&mut self.readings.events, &mut self.lost, at, &track.domain, &error);
                }
                Ok(Value::Count(count)) => track.points.push(TracePoint(at, count as f64)),
                Err(error) => failed(&mut self.readings.events, &mut self.lost, at, &track.domain, &error),
            }
        }
    }

    /// What was read.
    pub(super) fn readings(&mut self) -> &mut Readings {
        &mut self.readings
    }

    /// What was read from `start` to `stop`, for the picture.
    pub(super) fn traces(&self, start: Stamp, stop: Stamp) -> Vec<Trace> {
        self.readings.traces(self.meter.domains(), start, stop)
    }

    /// Forgets what was read before `before`, but for the last reads that an edge soon after it may need.
    pub(super) fn forget(&mut self, before: Stamp) {
        self.readings
            .forget(before.earlier(self.config.tick * (2 + self.config.rest_ticks) + self.config.trace_interval * 2));
    }

    /// The domains whose device is gone, each with the reason.
    pub(super) fn lost(&self) -> &[(DomainId, String)] {
        &self.lost
    }
}

fn middle(before: Stamp, after: Stamp) -> Stamp {
    Stamp(before.nanos().midpoint(after.nanos()))
}

fn is_lost(lost: &[(DomainId, String)], domain: &DomainId) -> bool {
    lost.iter().any(|(gone, _)| gone == domain)
}

fn failed(
    events: &mut Vec<SensorEvent>,
    lost: &mut Vec<(DomainId, String)>,
    at: Stamp,
    domain: &DomainId,
    error: &ReadError,
) {
    let kind = match error {
        ReadError::Failed(_) => SensorEventKind::ReadFailed,
        ReadError::Lost(why) => {
            if is_lost(lost, domain) {
                return;
            }
            lost.push((domain.clone(), why.clone()));
            SensorEventKind::Lost
        }
    };
    events.push(SensorEvent { at, domain: domain.clone(), kind, detail: error.to_string() });
}

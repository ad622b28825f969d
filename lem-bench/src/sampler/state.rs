//! The sampler's state: reads the channels that are due and stores the samples.

use std::sync::Arc;
use std::time::Duration;

use super::counter::{CounterTrack, GaugeTrack, Step, Unwrapper};
use super::dense_reads::{ReadReason, SamplerConfig, is_due, max_read_interval};
use super::edge::{ASSUMED_PERIOD, CounterSample, IdleSide};
use super::live_power::{LivePower, LiveStatus};
use super::readings::Readings;
use crate::clock::Clock;
use crate::meter::{Channel, Meter, Quantity, ReadError, Value};
use crate::model::{ChannelProbe, Coverage, DomainId, MeterProbe, SensorEvent, SensorEventKind, Trace, TracePoint};
use crate::units::Stamp;

/// Room for samples that is allocated at the start.
const INITIAL_CAPACITY: usize = 4096;

/// A counter that may only be read less often than this, in seconds, provides no trace.
const MAX_TRACE_INTERVAL_S: f64 = 0.1;

/// A message from the measured thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EdgeEvent {
    /// An edge follows at or after this moment: read the counters densely from one tick before it.
    Expected(Stamp, IdleSide),
    /// There was an edge: read at once, then densely until the next tick.
    Occurred(Stamp, IdleSide),
}

/// A meter, its samples, and when to read next.
pub(super) struct SamplerState {
    meter: Box<dyn Meter>,
    clock: Arc<dyn Clock>,
    config: SamplerConfig,
    readings: Readings,
    /// Domains whose device is lost, with the reason. They are not read again.
    lost: Vec<(DomainId, String)>,
    next_trace: Stamp,
    /// When to read all gauges with a point of the trace, not only power.
    next_slow: Stamp,
    /// The end of the dense reads after an edge.
    after_edge: Option<Stamp>,
    /// The last edge, and the number of ticks to wait for after it.
    edge: (Stamp, u32),
    /// The start of the dense reads before an expected edge.
    before_edge: Option<Stamp>,
    last_dense: Stamp,
    /// When counters were last read only because they wrap soon.
    last_keep_alive: Stamp,
    pub cpu: Option<Duration>,
    pub status: Arc<LiveStatus>,
    pub power: Arc<LivePower>,
}

impl SamplerState {
    pub fn new(meter: Box<dyn Meter>, clock: Arc<dyn Clock>, probe: &MeterProbe, config: SamplerConfig) -> Self {
        let now = clock.now();
        Self {
            config,
            readings: empty_readings(meter.channels(), probe),
            lost: Vec::new(),
            next_trace: now,
            next_slow: now,
            after_edge: None,
            edge: (now, 0),
            before_edge: None,
            last_dense: now,
            last_keep_alive: now,
            cpu: None,
            status: LiveStatus::new(),
            power: LivePower::new(meter.domains()),
            meter,
            clock,
        }
    }

    pub fn handle_edge(&mut self, event: EdgeEvent) {
        match event {
            // At idle, reads disturb nothing, and the ticks before the edge give the idle power.
            EdgeEvent::Expected(at, IdleSide::Before) => {
                self.before_edge = Some(at.earlier(self.config.rest_time()));
            }
            EdgeEvent::Expected(at, _) => {
                // A continuous counter needs no reads before an edge: the one right after it is enough.
                if self.config.before_edges && self.config.tick > self.config.dense_interval {
                    self.before_edge = Some(at.earlier(self.config.tick + self.config.tick / 5));
                }
            }
            EdgeEvent::Occurred(at, idle) => self.start_dense_reads(at, idle),
        }
    }

    fn start_dense_reads(&mut self, edge: Stamp, idle: IdleSide) {
        self.read_counters(ReadReason::NearEdge);
        if idle != IdleSide::Neither {
            self.readings.idle_edges.push((edge, idle));
        }
        let ticks = if idle == IdleSide::After { self.config.rest_ticks } else { 1 };
        self.edge = (edge, ticks);
        self.before_edge = None;
        // Counted from now, not from the edge: the read may have been slow.
        let now = self.clock.now();
        self.next_slow = self.next_slow.min(now);
        let timeout = self.config.tick.mul_f64(f64::from(ticks) + 0.2) + self.config.dense_interval;
        self.after_edge = Some(now + timeout);
        self.last_dense = now;
    }

    /// Returns when the counters are next read densely.
    fn next_dense(&self) -> Option<Stamp> {
        let next = self.last_dense + self.config.dense_interval;
        match (self.after_edge, self.before_edge) {
            (Some(_), _) => Some(next),
            (None, Some(from)) => Some(next.max(from)),
            (None, None) => None,
        }
    }

    /// Returns when [`SamplerState::poll_due`] is next needed.
    pub fn next_due(&self) -> Stamp {
        self.next_dense().into_iter().chain(self.next_keep_alive()).fold(self.next_trace, Stamp::min)
    }

    /// Returns when to read the counters that may wrap between two points of the trace.
    fn next_keep_alive(&self) -> Option<Stamp> {
        let due = |track: &CounterTrack| {
            let interval = Some(max_read_interval(track)).filter(|it| *it < self.config.trace_interval)?;
            Some(self.last_keep_alive.max(track.samples.last()?.at) + interval)
        };
        self.readings.counters.iter().filter_map(due).min()
    }

    /// Reads what is due at `now`.
    pub fn poll_due(&mut self, now: Stamp) {
        if now >= self.next_trace {
            self.read_trace(now);
        }
        if self.next_keep_alive().is_some_and(|due| now >= due) {
            self.last_keep_alive = now;
            self.read_counters(ReadReason::Trace);
        }
        if self.next_dense().is_some_and(|due| now >= due) {
            self.read_densely(now);
        }
    }

    fn read_trace(&mut self, now: Stamp) {
        let delay = now.since(self.next_trace);
        if delay > self.config.trace_interval * 3 {
            self.report_delay(now, delay);
            self.next_trace = now;
        }
        let all = now >= self.next_slow;
        self.read_gauges(all);
        self.next_slow = if all { now + self.config.slow_interval } else { self.next_slow };
        self.read_counters(ReadReason::Trace);
        self.status.publish(&self.readings, self.lost.len());
        self.power.publish(&self.readings);
        self.next_trace = self.next_trace + self.config.trace_interval;
    }

    fn read_densely(&mut self, now: Stamp) {
        let (edge, ticks) = self.edge;
        let is_expected = self.before_edge.is_some_and(|from| now >= from);
        let reason = if is_expected { ReadReason::NearEdge } else { ReadReason::AwaitTicks(edge, ticks as usize) };
        self.read_counters(reason);
        self.last_dense = self.clock.now();
        // Gives up on an expected edge that did not occur.
        let timeout = self.config.tick * (5 + self.config.rest_ticks);
        self.before_edge = self.before_edge.filter(|from| now < *from + timeout);
        self.after_edge =
            self.after_edge.filter(|until| now < *until && !self.readings.have_ticked(edge, ticks as usize));
    }

    fn report_delay(&mut self, now: Stamp, delay: Duration) {
        if let Some(domain) = self.meter.domains().first().map(|domain| domain.id.clone()) {
            let detail = format!("the sampler was {:.0} ms late", delay.as_secs_f64() * 1e3);
            self.readings.events.push(SensorEvent { at: now, domain, kind: SensorEventKind::SamplerLate, detail });
        }
    }

    fn read_counters(&mut self, reason: ReadReason) {
        for track in &mut self.readings.counters {
            if !is_due(track, reason, self.clock.now()) || is_lost(&self.lost, &track.domain) {
                continue;
            }
            let before = self.clock.now();
            let value = self.meter.read(track.channel);
            let after = self.clock.now();
            let error = match value {
                Ok(Value::Count(raw)) => {
                    self.readings.events.extend(add_count(track, raw, before, after));
                    continue;
                }
                Ok(other) => ReadError::Failed(format!("the counter returned {other:?} instead of a count")),
                Err(error) => error,
            };
            let at = middle(before, after);
            self.readings.events.extend(read_failure(&mut self.lost, at, &track.domain, &error));
        }
    }

    /// Reads the power gauges, or all gauges.
    fn read_gauges(&mut self, all: bool) {
        for track in self.readings.gauges.iter_mut().filter(|track| all || track.quantity == Quantity::Power) {
            if is_lost(&self.lost, &track.domain) {
                continue;
            }
            let before = self.clock.now();
            let value = self.meter.read(track.channel);
            let at = middle(before, self.clock.now());
            match value.and_then(gauge_value) {
                Ok(value) => track.points.push(TracePoint(at, value)),
                Err(error) => self.readings.events.extend(read_failure(&mut self.lost, at, &track.domain, &error)),
            }
        }
    }

    pub fn readings(&mut self) -> &mut Readings {
        &mut self.readings
    }

    /// Returns the readings from `start` to `stop` for plots.
    pub fn traces(&self, start: Stamp, stop: Stamp) -> Vec<Trace> {
        self.readings.traces(self.meter.domains(), start, stop)
    }

    /// Returns whether the reads after `edge` that its energy needs are there.
    pub fn has_passed(&self, edge: Stamp) -> bool {
        self.readings.have_passed(edge, &self.lost)
    }

    /// Removes the samples before `before`, except for those that an edge soon after it may need.
    pub fn discard_before(&mut self, before: Stamp) {
        let margin = self.config.tick * (2 + self.config.rest_ticks) + self.config.trace_interval * 2;
        self.readings.discard_before(before.earlier(margin));
    }

    /// Returns the domains whose device is lost, with the reason.
    pub fn lost(&self) -> &[(DomainId, String)] {
        &self.lost
    }
}

/// Returns empty tracks for the channels of a meter.
fn empty_readings(channels: &[Channel], probe: &MeterProbe) -> Readings {
    let has_power = |domain: &DomainId| channels.iter().any(|c| c.quantity == Quantity::Power && c.domain == *domain);
    let (mut counters, mut gauges) = (Vec::new(), Vec::new());
    for (index, channel) in channels.iter().enumerate() {
        let domain = &channel.domain;
        if let Quantity::Energy { unit_j, modulus } = channel.quantity {
            let probe = probe.channel(domain, true);
            let safe_interval_s = probe.and_then(|p| p.safe_interval_s);
            counters.push(CounterTrack {
                channel: index,
                domain: domain.clone(),
                period: probe.and_then(update_period),
                coverage: probe.map_or(Coverage::Unknown, ChannelProbe::coverage),
                min_interval: safe_interval_s.and_then(|s| Duration::try_from_secs_f64(s).ok()).unwrap_or_default(),
                unwrapper: Unwrapper::new(unit_j, modulus),
                samples: Vec::with_capacity(INITIAL_CAPACITY),
                gaps: Vec::new(),
                // Reads at the trace's rate must not change the counter's value.
                provides_trace: !has_power(domain) && safe_interval_s.is_none_or(|s| s <= MAX_TRACE_INTERVAL_S),
            });
        } else {
            let probe = probe.channel(domain, false).filter(|_| channel.quantity == Quantity::Power);
            gauges.push(GaugeTrack {
                channel: index,
                domain: domain.clone(),
                quantity: channel.quantity,
                period: probe.and_then(update_period),
                averaging: channel.averaging,
                points: Vec::with_capacity(INITIAL_CAPACITY),
            });
        }
    }
    Readings::new(counters, gauges)
}

fn update_period(probe: &ChannelProbe) -> Option<Duration> {
    Duration::try_from_secs_f64(probe.update_period_s?).ok()
}

/// Adds a raw count that was read between `before` and `after`; returns an event unless it simply moved forward.
fn add_count(track: &mut CounterTrack, raw: u64, before: Stamp, after: Stamp) -> Option<SensorEvent> {
    let at = middle(before, after);
    let last = track.samples.last().map_or(before, |last| last.at.earlier(last.half));
    let seconds = after.seconds_from(last) + track.period.unwrap_or(ASSUMED_PERIOD).as_secs_f64();
    let (joules, step) = track.unwrapper.push(raw, seconds);
    track.samples.push(CounterSample { at, half: after.since(before) / 2, joules });
    if !step.is_known() {
        track.gaps.push((last, after));
    }
    let (kind, what) = match step {
        Step::Forward => return None,
        Step::Wrapped => (SensorEventKind::CounterWrapped, "wrapped"),
        Step::Reset => (SensorEventKind::CounterReset, "was reset"),
        Step::Backwards => (SensorEventKind::CounterBackwards, "went back"),
        Step::Unread => (SensorEventKind::CounterUnread, "may have wrapped unnoticed"),
    };
    let detail = format!("the counter {what}: it read {raw}, {:.2} s after the previous read", at.seconds_from(last));
    Some(SensorEvent { at, domain: track.domain.clone(), kind, detail })
}

fn gauge_value(value: Value) -> Result<f64, ReadError> {
    match value {
        // Drivers define fewer flags than the 53 bits that an f64 represents exactly.
        Value::Bits(bits) => Ok(bits as f64),
        Value::Count(count) => Ok(count as f64),
        Value::Level(level) if level.is_finite() => Ok(level),
        Value::Level(level) => Err(ReadError::Failed(format!("the meter returned {level}"))),
    }
}

fn middle(before: Stamp, after: Stamp) -> Stamp {
    Stamp(before.nanos().midpoint(after.nanos()))
}

fn is_lost(lost: &[(DomainId, String)], domain: &DomainId) -> bool {
    lost.iter().any(|(id, _)| id == domain)
}

/// Returns the event of a failed read, and adds the domain to `lost` if its device is lost; `None` if it was lost before.
fn read_failure(
    lost: &mut Vec<(DomainId, String)>,
    at: Stamp,
    domain: &DomainId,
    error: &ReadError,
) -> Option<SensorEvent> {
    let kind = match error {
        ReadError::Failed(_) => SensorEventKind::ReadFailed,
        ReadError::Lost(_) if is_lost(lost, domain) => return None,
        ReadError::Lost(why) => {
            lost.push((domain.clone(), why.clone()));
            SensorEventKind::Lost
        }
    };
    Some(SensorEvent { at, domain: domain.clone(), kind, detail: error.to_string() })
}

//! What was read: counters and gauges over time, and the answers that they give about a stretch of it.
//!
//! Must not know when or why anything is read.

use std::time::Duration;

use super::counter::Unwrapper;
use super::edge::{CounterSample, EdgeValue, IdleSide, SLOW, value_at};
use super::gauge::{GaugeEnergy, Known, integrate_knowing, scatter};
use crate::meter::Quantity;
use crate::model::{Coverage, Domain, DomainEnergy, DomainId, Method, SensorEvent, SensorEventKind, Trace, TracePoint};
use crate::units::{Joules, Stamp};

/// Periods of a sensor that may see part of the time that are too few to say anything.
const FEW_PERIODS: f64 = 20.0;

/// How many times what it shows may have been there where it saw too few periods: the least share of its period that a
/// known class of sensor sees is a fifth (20 of 100 ms, GH200: Yang et al., SC24).
const LEAST_SHARE: f64 = 0.2;

/// A counter does not gain more in a period than this many times what its domain's gauge showed at most around it.
const LEAP: f64 = 2.0;

/// How far around an edge the gauge is looked at for that.
const AROUND: Duration = Duration::from_secs(2);

/// What was read of one counter.
pub(super) struct CounterTrack {
    pub(super) channel: usize,
    pub(super) domain: DomainId,
    pub(super) period: Option<Duration>,
    pub(super) sight: Coverage,
    /// Reads closer than this change what the counter says.
    pub(super) least_gap: Duration,
    pub(super) unwrapper: Unwrapper,
    pub(super) samples: Vec<CounterSample>,
    /// Stretches between two reads whose energy the counter lost: it was reset, went back, or wrapped unseen.
    pub(super) lost: Vec<(Stamp, Stamp)>,
    /// Whether this counter also draws the trace, because its domain has no power gauge.
    pub(super) traced: bool,
}

impl CounterTrack {
    /// Whether it has been seen to tick `ticks` times since the first read after `edge`.
    pub(super) fn has_ticked(&self, edge: Stamp, ticks: usize) -> bool {
        let after = &self.samples[self.samples.partition_point(|sample| sample.at <= edge)..];
        after.windows(2).filter(|pair| pair[0].joules != pair[1].joules).count() >= ticks
    }
}

/// What was read of one gauge.
pub(super) struct GaugeTrack {
    pub(super) channel: usize,
    pub(super) domain: DomainId,
    pub(super) quantity: Quantity,
    pub(super) period: Option<Duration>,
    pub(super) points: Vec<TracePoint>,
}

/// All that was read and not yet forgotten.
#[derive(Default)]
pub(super) struct Readings {
    pub(super) counters: Vec<CounterTrack>,
    pub(super) gauges: Vec<GaugeTrack>,
    pub(super) events: Vec<SensorEvent>,
    /// The edges on one side of which the machine rests.
    pub(super) rests: Vec<(Stamp, IdleSide)>,
    /// Windows for which a stuck counter has been reported.
    pub(super) reported_stuck: Vec<(DomainId, Stamp, Stamp)>,
}

/// The energy of a counter over a window, in J.
type CounterEnergy = (f64, f64, f64);

impl Readings {
    /// Whether every counter has been seen to tick `ticks` times since the first read after `edge`: there is nothing
    /// more to learn about that edge.
    pub(super) fn have_ticked(&self, edge: Stamp, ticks: usize) -> bool {
        self.counters.iter().all(|track| track.has_ticked(edge, ticks))
    }

    /// The last tick seen of the counter that ticks most slowly.
    pub(super) fn last_tick(&self) -> Option<Stamp> {
        let track = self.counters.iter().max_by_key(|track| track.period)?;
        let pair = track.samples.windows(2).rev().find(|pair| pair[0].joules != pair[1].joules)?;
        Some(Stamp(pair[0].at.nanos().midpoint(pair[1].at.nanos())))
    }

    /// Whether every source of energy was read after `edge`.
    pub(super) fn have_passed(&self, edge: Stamp) -> bool {
        let power = |track: &&GaugeTrack| track.quantity == Quantity::Power;
        let gauges = self.gauges.iter().filter(power).map(|track| track.points.last().map(|point| point.0));
        let counters = self.counters.iter().map(|track| track.samples.last().map(|sample| sample.at));
        gauges.chain(counters).all(|last| last.is_some_and(|at| at > edge))
    }

    /// The energy of each of `domains` from `start` to `stop`: by its counter where that ticked at both edges, else by
    /// its gauge; a domain about which nothing was read in that time is left out.
    pub(super) fn energy(&mut self, start: Stamp, stop: Stamp, domains: &[DomainId]) -> Vec<DomainEnergy> {
        let mut out = Vec::with_capacity(domains.len());
        for domain in domains {
            let (counted, stuck) = self.counted(start, stop, domain);
            self.report_stuck(start, stop, domain, stuck);
            let integrated = self.integrated(start, stop, domain);
            let of = |(low, joules, high): (f64, f64, f64), method, other: Option<GaugeEnergy>| DomainEnergy {
                domain: domain.clone(),
                joules: Joules(joules),
                low: Joules(low),
                high: Joules(high),
                method,
                cross_check: other.map(|energy| Joules(energy.joules)),
                cross_check_bounds: other.map(|energy| (Joules(energy.low), Joules(energy.high))),
            };
            let energy = match (counted, integrated) {
                (Some(counted), other) => of(counted, Method::Counter, other),
                (None, Some(energy)) => of((energy.low, energy.joules, energy.high), Method::IntegratedPower, None),
                (None, None) => continue,
            };
            out.push(energy);
        }
        out
    }

    /// On which side of an edge the machine rests.
    fn rest(&self, edge: Stamp) -> IdleSide {
        self.rests.iter().find(|(at, _)| *at == edge).map_or(IdleSide::Neither, |(_, rest)| *rest)
    }

    /// What is known of a window's readings of a sensor with this period.
    fn known(&self, period: Option<Duration>, start: Stamp, stop: Stamp) -> Option<Known> {
        let rests = (self.rest(start) == IdleSide::Before, self.rest(stop) == IdleSide::After);
        Some(Known { update_s: period?.as_secs_f64(), rests })
    }

    /// Adds the events of a stuck counter, unless a window that overlaps this one was reported already: ranks ask for
    /// their common window and for their own.
    fn report_stuck(&mut self, start: Stamp, stop: Stamp, domain: &DomainId, events: Vec<SensorEvent>) {
        let overlaps = |known: &(DomainId, Stamp, Stamp)| known.0 == *domain && known.1 < stop && start < known.2;
        if events.is_empty() || self.reported_stuck.iter().any(overlaps) {
            return;
        }
        self.reported_stuck.push((domain.clone(), start, stop));
        self.events.extend(events);
    }

    /// The energy of a domain by its counter (lower bound, estimate, upper bound), and what shows that the counter was
    /// stuck.
    fn counted(&self, start: Stamp, stop: Stamp, domain: &DomainId) -> (Option<CounterEnergy>, Vec<SensorEvent>) {
        let mut events = Vec::new();
        let energy = self.counted_with(start, stop, domain, &mut |at, detail| {
            let kind = SensorEventKind::CounterStuck;
            events.push(SensorEvent { at, domain: domain.clone(), kind, detail });
        });
        (energy, events)
    }

    fn counted_with(
        &self,
        start: Stamp,
        stop: Stamp,
        domain: &DomainId,
        stuck: &mut dyn FnMut(Stamp, String),
    ) -> Option<CounterEnergy> {
        let track = self.counters.iter().find(|track| track.domain == *domain)?;
        let edges = [start, stop].map(|edge| value_at(&track.samples, edge, track.period, self.rest(edge)));
        let [Some(first), Some(last)] = edges else {
            // Samples there are and no tick: said aloud, because the gauge that steps in measures something else.
            if track.samples.len() > 1 {
                stuck(stop, "the counter showed no new value around a window's edge".to_owned());
            }
            return None;
        };
        let (from, to) = (first.rests_on.0, last.rests_on.1);
        // What was lost between two reads is not known by anybody, so the window has no energy by this counter.
        if track.lost.iter().any(|lost| lost.0 < to && lost.1 > from) {
            return None;
        }
        // Nothing that runs costs nothing: a counter that did not move over a whole window is not working.
        if last.high <= first.low {
            stuck(stop, "the counter did not move over a whole window".to_owned());
            return None;
        }
        let lows = [(&first, start), (&last, stop)].map(|(edge, at)| least_at(&self.gauges, edge, at, domain));
        for (edge, at) in [(first, start), (last, stop)] {
            if let Some(still) = edge.stuck {
                stuck(at, format!("the counter stood still for {:.1} s at a window's edge", still.as_secs_f64()));
            }
            let period = track.period.unwrap_or(SLOW).as_secs_f64();
            if let Some((leap, most)) = edge.leap.zip(highest(&self.gauges, domain, at))
                && leap > LEAP * most * period
            {
                let periods = leap / (most * period);
                stuck(at, format!("the counter gained as much as in {periods:.0} updates at once at a window's edge"));
            }
        }
        let EdgeValue { joules, high, .. } = last;
        let joules = (joules - first.joules).max(0.0);
        // Each of the two values was rounded to a count.
        let unit = track.unwrapper.unit_j();
        let (over, under) = self.unseen(track, start, stop, joules);
        Some(((lows[1] - first.high - unit - over).max(0.0), joules, high - lows[0] + unit + under))
    }

    /// The energies, in J, that a counter that may see part of the time can show too much and too little of a window:
    /// what the scatter of the power over the window allows, a period of each change from one level to another, and one
    /// period at each end, of which it may have seen none. Of a window of a few periods it may have seen nothing that is
    /// typical, and no scatter that would tell.
    fn unseen(&self, track: &CounterTrack, start: Stamp, stop: Stamp, joules: f64) -> (f64, f64) {
        if track.sight == Coverage::WholeTime {
            return (0.0, 0.0);
        }
        let within = |point: &&TracePoint| point.0 > start && point.0 <= stop;
        let of = |gauge: &&GaugeTrack| gauge.quantity == Quantity::Power && gauge.domain == track.domain;
        let gauge = self.gauges.iter().find(of);
        let watts: Vec<f64> = match gauge {
            Some(gauge) => gauge.points.iter().filter(within).map(|point| point.1).collect(),
            None => counter_trace(track).iter().filter(within).map(|point| point.1).collect(),
        };
        let seconds = stop.seconds_from(start).max(1e-9);
        let period = track.period.unwrap_or(SLOW).as_secs_f64();
        if seconds < FEW_PERIODS * period {
            return (joules, joules / LEAST_SHARE);
        }
        let known = self.known(gauge.map_or(track.period, |gauge| gauge.period), start, stop);
        let half = scatter(&watts, seconds, period, known) + joules * (period / seconds);
        (half, half)
    }

    fn integrated(&self, start: Stamp, stop: Stamp, domain: &DomainId) -> Option<GaugeEnergy> {
        let of = |track: &&GaugeTrack| track.quantity == Quantity::Power && track.domain == *domain;
        let track = self.gauges.iter().find(of)?;
        integrate_knowing(&track.points, start, stop, self.known(track.period, start, stop))
    }

    /// The last temperature read of each domain that has one, in °C.
    pub(super) fn temperatures(&self) -> Vec<(DomainId, f64)> {
        let of = |track: &&GaugeTrack| track.quantity == Quantity::Temperature;
        let last = |track: &GaugeTrack| Some((track.domain.clone(), track.points.last()?.1));
        self.gauges.iter().filter(of).filter_map(last).collect()
    }

    /// The temperature of each domain that has one at a moment of the past, in °C.
    pub(super) fn temperatures_at(&self, at: Stamp) -> Vec<(DomainId, f64)> {
        let of = |track: &&GaugeTrack| track.quantity == Quantity::Temperature;
        let value = |track: &GaugeTrack| {
            let after = track.points.partition_point(|point| point.0 <= at);
            track.points.get(after.saturating_sub(1)).map(|point| (track.domain.clone(), point.1))
        };
        self.gauges.iter().filter(of).filter_map(value).collect()
    }

    /// What was read from `start` to `stop`, for the picture.
    pub(super) fn traces(&self, domains: &[Domain], start: Stamp, stop: Stamp) -> Vec<Trace> {
        let within = |points: &[TracePoint]| -> Vec<TracePoint> {
            points.iter().filter(|point| point.0 >= start && point.0 <= stop).copied().collect()
        };
        let points = |quantity: Quantity, domain: &DomainId| {
            let of = |track: &&GaugeTrack| track.quantity == quantity && track.domain == *domain;
            self.gauges.iter().find(of).map(|track| within(&track.points))
        };
        let mut traces = Vec::new();
        for domain in domains {
            let counted = || self.counters.iter().find(|track| track.domain == domain.id).map(counter_trace);
            let power = points(Quantity::Power, &domain.id).or_else(|| counted().map(|points| within(&points)));
            if let Some(power_w) = power {
                let gauge = |quantity| points(quantity, &domain.id).unwrap_or_default();
                traces.push(Trace {
                    domain: domain.id.clone(),
                    power_w,
                    temperature_c: gauge(Quantity::Temperature),
                    utilisation: gauge(Quantity::Utilisation),
                    memory_bytes: gauge(Quantity::MemoryUsed),
                });
            }
        }
        traces
    }

    /// Takes the events so far out.
    pub(super) fn take_events(&mut self) -> Vec<SensorEvent> {
        std::mem::take(&mut self.events)
    }

    /// Forgets what was read before `keep_from`, but for the last read before it.
    pub(super) fn forget(&mut self, keep_from: Stamp) {
        for track in &mut self.counters {
            let cut = track.samples.partition_point(|sample| sample.at < keep_from).saturating_sub(1);
            track.samples.drain(..cut);
            track.lost.retain(|lost| lost.1 >= keep_from);
        }
        self.rests.retain(|(at, _)| *at >= keep_from);
        self.reported_stuck.retain(|(_, _, stop)| *stop >= keep_from);
        for track in &mut self.gauges {
            let cut = track.points.partition_point(|point| point.0 < keep_from).saturating_sub(1);
            track.points.drain(..cut);
        }
    }
}

/// What the counter surely stood at at an edge. The last read before it may be seconds old, where reads are costly;
/// the first one after it shows a tick of which nobody saw when it came, and which may be too new by what its device
/// used in a period: not more than twice what its gauge showed at most.
fn least_at(gauges: &[GaugeTrack], edge: &EdgeValue, at: Stamp, domain: &DomainId) -> f64 {
    let shown = edge.shown.zip(highest(gauges, domain, at));
    shown.map_or(edge.low, |((joules, over), most)| edge.low.max(joules - LEAP * most * over.as_secs_f64()))
}

/// The highest power that the gauge of a domain showed around a moment, in W.
fn highest(gauges: &[GaugeTrack], domain: &DomainId, at: Stamp) -> Option<f64> {
    let track = gauges.iter().find(|track| track.quantity == Quantity::Power && track.domain == *domain)?;
    let around = track.points.iter().filter(|point| point.0 >= at.earlier(AROUND) && point.0 <= at + AROUND);
    around.map(|point| point.1).max_by(f64::total_cmp)
}

/// Mean power between the reads of a counter at the trace's rate: dense reads around edges show single ticks, which
/// are no power, so points closer than a trace interval (or a tick) are left out.
fn counter_trace(track: &CounterTrack) -> Vec<TracePoint> {
    let least = track.period.unwrap_or_default().max(Duration::from_millis(80));
    let mut points = Vec::new();
    let mut last: Option<CounterSample> = None;
    for sample in &track.samples {
        match last {
            Some(from) if sample.at.since(from.at) < least => {}
            Some(from) => {
                points.push(TracePoint(sample.at, (sample.joules - from.joules) / sample.at.seconds_from(from.at)));
                last = Some(*sample);
            }
            None => last = Some(*sample),
        }
    }
    points
}

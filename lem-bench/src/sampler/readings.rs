//! All samples of a meter, and what they give for a window: energy, temperatures, traces.

use std::time::Duration;

use super::counter::{CounterTrack, GaugeTrack};
use super::edge::{ASSUMED_PERIOD, EdgeValue, IdleSide, value_at};
use super::gauge::{GaugeEnergy, WindowContext, integrate_with, noise_half_width};
use super::uncertainty::{CounterEdges, FEW_PERIODS, MIN_SEEN_SHARE, PowerAround, of_integral};
use crate::meter::Quantity;
use crate::model::{
    Coverage, Domain, DomainEnergy, DomainId, Method, SensorEvent, SensorEventKind, Trace, TracePoint, Uncertainty,
};
use crate::units::{Joules, Stamp};

/// A counter gains at most this many times the energy of a period at the highest power that the gauge read nearby.
const MAX_STEP: f64 = 2.0;

/// How far from an edge the gauge is searched for that highest power.
const NEARBY: Duration = Duration::from_secs(2);

/// Lower bound, estimate and upper bound of an energy in J, and its standard uncertainty.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    low: f64,
    joules: f64,
    high: f64,
    uncertainty: Uncertainty,
}

/// All samples that have not been discarded.
#[derive(Default)]
pub(super) struct Readings {
    pub counters: Vec<CounterTrack>,
    pub gauges: Vec<GaugeTrack>,
    pub events: Vec<SensorEvent>,
    /// The edges with an idle side.
    pub idle_edges: Vec<(Stamp, IdleSide)>,
    /// Windows for which a stuck counter has been reported.
    reported_stuck: Vec<(DomainId, Stamp, Stamp)>,
}

impl Readings {
    pub fn new(counters: Vec<CounterTrack>, gauges: Vec<GaugeTrack>) -> Self {
        Self { counters, gauges, ..Self::default() }
    }

    /// Returns whether every counter ticked at least `ticks` times since the first read after `edge`, so that no more
    /// reads are needed for that edge.
    pub fn have_ticked(&self, edge: Stamp, ticks: usize) -> bool {
        self.counters.iter().all(|track| track.has_ticked(edge, ticks))
    }

    /// Returns the latest tick of the counter with the longest period.
    pub fn last_tick(&self) -> Option<Stamp> {
        let track = self.counters.iter().max_by_key(|track| track.period)?;
        let pair = track.samples.windows(2).rev().find(|pair| pair[0].joules != pair[1].joules)?;
        Some(Stamp(pair[0].at.nanos().midpoint(pair[1].at.nanos())))
    }

    /// Returns whether the reads after `edge` that its energy needs are there, in all domains except `lost` ones: of each
    /// counter one that shows the next tick, and of each power gauge without a counter any.
    pub fn have_passed(&self, edge: Stamp, lost: &[(DomainId, String)]) -> bool {
        let is_lost = |domain: &DomainId| lost.iter().any(|(id, _)| id == domain);
        let has_counter = |domain: &DomainId| self.counters.iter().any(|track| track.domain == *domain);
        let mut counters = self.counters.iter().filter(|track| !is_lost(&track.domain));
        let mut gauges = self.gauges.iter().filter(|track| {
            track.quantity == Quantity::Power && !has_counter(&track.domain) && !is_lost(&track.domain)
        });
        counters.all(|track| track.has_passed(edge))
            && gauges.all(|track| track.points.last().is_some_and(|point| point.0 > edge))
    }

    /// Returns the energy of each of `domains` from `start` to `stop`: from its counter if that ticked at both edges,
    /// else from its gauge. A domain without readings in that time is left out.
    ///
    /// Adds an event if a counter is stuck, once per window.
    pub fn energy(&mut self, start: Stamp, stop: Stamp, domains: &[DomainId]) -> Vec<DomainEnergy> {
        let mut energies = Vec::with_capacity(domains.len());
        for domain in domains {
            let (counted, stuck) = self.counter_energy(start, stop, domain);
            self.report_stuck(start, stop, domain, stuck);
            energies.extend(domain_energy(domain, counted, self.gauge_energy(start, stop, domain)));
        }
        energies
    }

    /// Adds the events of a stuck counter, unless one was reported for a window that overlaps this one: a rank asks for
    /// the common window of all ranks and may then ask for its own.
    fn report_stuck(&mut self, start: Stamp, stop: Stamp, domain: &DomainId, events: Vec<SensorEvent>) {
        let overlaps = |known: &(DomainId, Stamp, Stamp)| known.0 == *domain && known.1 < stop && start < known.2;
        if events.is_empty() || self.reported_stuck.iter().any(overlaps) {
            return;
        }
        self.reported_stuck.push((domain.clone(), start, stop));
        self.events.extend(events);
    }

    /// Returns the side of an edge on which the machine is idle.
    fn idle_side(&self, edge: Stamp) -> IdleSide {
        self.idle_edges.iter().find(|(at, _)| *at == edge).map_or(IdleSide::Neither, |(_, side)| *side)
    }

    /// Returns what is known about a window's readings of a sensor with this period.
    fn context(&self, period: Option<Duration>, start: Stamp, stop: Stamp) -> Option<WindowContext> {
        let idle = (self.idle_side(start) == IdleSide::Before, self.idle_side(stop) == IdleSide::After);
        Some(WindowContext { update_s: period?.as_secs_f64(), idle })
    }

    /// Returns the energy of a domain from its counter, and an event for each sign that the counter is stuck.
    fn counter_energy(&self, start: Stamp, stop: Stamp, domain: &DomainId) -> (Option<Bounds>, Vec<SensorEvent>) {
        let mut events = Vec::new();
        let energy = self.counter_energy_with(start, stop, domain, &mut |at, detail| {
            let kind = SensorEventKind::CounterStuck;
            events.push(SensorEvent { at, domain: domain.clone(), kind, detail });
        });
        (energy, events)
    }

    fn counter_energy_with(
        &self,
        start: Stamp,
        stop: Stamp,
        domain: &DomainId,
        report: &mut dyn FnMut(Stamp, String),
    ) -> Option<Bounds> {
        let track = self.counters.iter().find(|track| track.domain == *domain)?;
        let edges = [start, stop].map(|edge| value_at(&track.samples, edge, track.period, self.idle_side(edge)));
        let [Some(first), Some(last)] = edges else {
            // There are samples and no tick. This is reported because the gauge, used instead, measures something else.
            if track.samples.len() > 1 {
                report(stop, "the counter showed no new value around a window's edge".to_owned());
            }
            return None;
        };
        let (from, to) = (first.read_span.0, last.read_span.1);
        // The energy of a gap is unknown, so the counter gives no energy for the window.
        if track.gaps.iter().any(|gap| gap.0 < to && gap.1 > from) {
            return None;
        }
        // Every running device takes energy: a counter that did not move over a whole window does not work.
        if last.high <= first.low {
            report(stop, "the counter did not change during a whole window".to_owned());
            return None;
        }
        let lows = [(&first, start), (&last, stop)].map(|(edge, at)| min_value_at(&self.gauges, edge, at, domain));
        for (edge, at) in [(first, start), (last, stop)] {
            self.report_edge_faults(track, &edge, at, report);
        }
        let joules = (last.joules - first.joules).max(0.0);
        // Each of the two values was rounded to a count.
        let unit = track.unwrapper.unit_j();
        let power = self.power_around(track, start, stop, joules);
        let (excess, missing) = unseen(track, power, joules);
        let edges = CounterEdges {
            divisions: [first.division, last.division],
            period: track.period.unwrap_or(ASSUMED_PERIOD),
            unit_j: unit,
            coverage: track.coverage,
        };
        Some(Bounds {
            low: (lows[1] - first.high - unit - excess).max(0.0),
            joules,
            high: last.high - lows[0] + unit + missing,
            uncertainty: edges.uncertainty(power),
        })
    }

    /// Reports a counter that was stalled at an edge, or that gained more at once than its domain can have used.
    fn report_edge_faults(
        &self,
        track: &CounterTrack,
        edge: &EdgeValue,
        at: Stamp,
        report: &mut dyn FnMut(Stamp, String),
    ) {
        if let Some(stalled) = edge.stalled_for {
            report(at, format!("the counter did not change for {:.1} s at a window's edge", stalled.as_secs_f64()));
        }
        let period = track.period.unwrap_or(ASSUMED_PERIOD).as_secs_f64();
        if let Some((step, watts)) = edge.step.zip(max_power_near(&self.gauges, &track.domain, at))
            && step > MAX_STEP * watts * period
        {
            let periods = step / (watts * period);
            report(at, format!("the counter gained the energy of {periods:.0} updates at once at a window's edge"));
        }
    }

    /// Returns the power of a window with this energy: from the readings of its domain's gauge, or of the counter without
    /// one.
    fn power_around(&self, track: &CounterTrack, start: Stamp, stop: Stamp, joules: f64) -> PowerAround {
        let in_window = |point: &&TracePoint| point.0 > start && point.0 <= stop;
        let gauge = GaugeTrack::find(&self.gauges, Quantity::Power, &track.domain);
        let watts: Vec<f64> = match gauge {
            Some(gauge) => gauge.points.iter().filter(in_window).map(|point| point.1).collect(),
            None => track.power_trace().iter().filter(in_window).map(|point| point.1).collect(),
        };
        let seconds = stop.seconds_from(start).max(1e-9);
        let context = self.context(gauge.map_or(track.period, |gauge| gauge.period), start, stop);
        let period = track.period.unwrap_or(ASSUMED_PERIOD).as_secs_f64();
        PowerAround {
            watts: joules / seconds,
            sd_w: gauge.filter(|gauge| gauge.is_faster_than(period)).and_then(|_| sd_between_readings(&watts)),
            noise_j: noise_half_width(&watts, seconds, period, context),
            seconds,
        }
    }

    fn gauge_energy(&self, start: Stamp, stop: Stamp, domain: &DomainId) -> Option<Bounds> {
        let track = GaugeTrack::find(&self.gauges, Quantity::Power, domain)?;
        let GaugeEnergy { joules, low, high } =
            integrate_with(&track.points, start, stop, self.context(track.period, start, stop))?;
        let watts = joules / stop.seconds_from(start);
        let first = track.points.partition_point(|point| point.0 <= start);
        let next = track.points.partition_point(|point| point.0 <= stop);
        let outside = [first.checked_sub(1).and_then(|i| track.points.get(i)), track.points.get(next)];
        let steps_w = outside.map(|point| point.map_or(0.0, |point| (point.1 - watts).abs()));
        // A reading may be a period old when it is read, and covers its averaging time.
        let late_s = (track.period.unwrap_or(ASSUMED_PERIOD) + track.averaging.unwrap_or_default()).as_secs_f64();
        Some(Bounds { low, joules, high, uncertainty: of_integral((high - low) / 2.0, steps_w, late_s) })
    }

    fn temperature_tracks(&self) -> impl Iterator<Item = &GaugeTrack> {
        self.gauges.iter().filter(|track| track.quantity == Quantity::Temperature)
    }

    /// Returns the latest temperature of each domain that has one, in °C.
    pub fn temperatures(&self) -> impl Iterator<Item = (&DomainId, f64)> {
        self.temperature_tracks().filter_map(|track| Some((&track.domain, track.points.last()?.1)))
    }

    /// Returns the temperature of each domain that has one at `at`, in °C.
    pub fn temperatures_at(&self, at: Stamp) -> Vec<(DomainId, f64)> {
        let value_at = |track: &GaugeTrack| {
            let after = track.points.partition_point(|point| point.0 <= at);
            track.points.get(after.saturating_sub(1)).map(|point| (track.domain.clone(), point.1))
        };
        self.temperature_tracks().filter_map(value_at).collect()
    }

    /// Returns the readings from `start` to `stop` for plots.
    pub fn traces(&self, domains: &[Domain], start: Stamp, stop: Stamp) -> Vec<Trace> {
        let in_window = |points: &[TracePoint]| -> Vec<TracePoint> {
            points.iter().filter(|point| point.0 >= start && point.0 <= stop).copied().collect()
        };
        let gauge = |quantity: Quantity, domain: &DomainId| {
            GaugeTrack::find(&self.gauges, quantity, domain).map(|track| in_window(&track.points))
        };
        let counter = |domain: &DomainId| {
            let track = self.counters.iter().find(|track| track.domain == *domain)?;
            Some(in_window(&track.power_trace()))
        };
        let trace = |Domain { id, .. }: &Domain| {
            Some(Trace {
                domain: id.clone(),
                power_w: gauge(Quantity::Power, id).or_else(|| counter(id))?,
                temperature_c: gauge(Quantity::Temperature, id).unwrap_or_default(),
                utilisation: gauge(Quantity::Utilisation, id).unwrap_or_default(),
                memory_bytes: gauge(Quantity::MemoryUsed, id).unwrap_or_default(),
            })
        };
        domains.iter().filter_map(trace).collect()
    }

    /// Removes and returns the events so far.
    pub fn take_events(&mut self) -> Vec<SensorEvent> {
        std::mem::take(&mut self.events)
    }

    /// Removes the samples before `keep_from`, except for the last one of each channel.
    pub fn discard_before(&mut self, keep_from: Stamp) {
        self.counters.iter_mut().for_each(|track| track.discard_before(keep_from));
        self.gauges.iter_mut().for_each(|track| track.discard_before(keep_from));
        self.idle_edges.retain(|(at, _)| *at >= keep_from);
        self.reported_stuck.retain(|(_, _, stop)| *stop >= keep_from);
    }
}

/// Returns by how many joules a counter that may see part of the time can be too high and too low over a window: what the
/// noise of the power allows, a period of each change of the power level, and one period at each end, of which the counter
/// may have seen nothing. In a window of a few periods it may have seen nothing typical, and too little to measure noise.
fn unseen(track: &CounterTrack, power: PowerAround, joules: f64) -> (f64, f64) {
    if track.coverage == Coverage::WholeTime {
        return (0.0, 0.0);
    }
    let period = track.period.unwrap_or(ASSUMED_PERIOD).as_secs_f64();
    if power.seconds < FEW_PERIODS * period {
        return (joules, joules / MIN_SEEN_SHARE);
    }
    let half = power.noise_j + joules * (period / power.seconds);
    (half, half)
}

/// Returns the standard deviation of the power from one reading to the next, without slow changes; `None` with fewer than
/// three readings.
fn sd_between_readings(watts: &[f64]) -> Option<f64> {
    let changes = watts.len().checked_sub(1).filter(|changes| *changes > 1)?;
    let squares: f64 = watts.windows(2).map(|pair| (pair[1] - pair[0]).powi(2)).sum();
    // The difference of two independent values has twice their variance.
    Some((squares / (2 * changes) as f64).sqrt())
}

/// Returns the counter's energy with the gauge's as a cross-check, or the gauge's alone.
fn domain_energy(domain: &DomainId, counted: Option<Bounds>, integrated: Option<Bounds>) -> Option<DomainEnergy> {
    let (method, energy, cross_check) = match (counted, integrated) {
        (Some(counted), other) => (Method::Counter, counted, other),
        (None, Some(integrated)) => (Method::IntegratedPower, integrated, None),
        (None, None) => return None,
    };
    Some(DomainEnergy {
        domain: domain.clone(),
        joules: Joules(energy.joules),
        low: Joules(energy.low),
        high: Joules(energy.high),
        uncertainty: Some(energy.uncertainty.rounded()),
        method,
        cross_check: cross_check.map(|energy| Joules(energy.joules)),
        cross_check_bounds: cross_check.map(|energy| (Joules(energy.low), Joules(energy.high))),
    })
}

/// Returns the lowest value that the counter can have had at an edge.
///
/// Where reads are costly, the last read before the edge may be seconds old. The first read after it shows a tick at an
/// unknown moment, and its value may include energy from after the edge: at most [`MAX_STEP`] times the highest nearby
/// power over that time.
fn min_value_at(gauges: &[GaugeTrack], edge: &EdgeValue, at: Stamp, domain: &DomainId) -> f64 {
    let displayed = edge.displayed_at.zip(max_power_near(gauges, domain, at));
    displayed.map_or(edge.low, |((joules, newer), watts)| edge.low.max(joules - MAX_STEP * watts * newer.as_secs_f64()))
}

/// Returns the highest power that the gauge of a domain read within [`NEARBY`] of `at`, in W.
fn max_power_near(gauges: &[GaugeTrack], domain: &DomainId, at: Stamp) -> Option<f64> {
    let track = GaugeTrack::find(gauges, Quantity::Power, domain)?;
    let nearby = track.points.iter().filter(|point| point.0 >= at.earlier(NEARBY) && point.0 <= at + NEARBY);
    nearby.map(|point| point.1).max_by(f64::total_cmp)
}

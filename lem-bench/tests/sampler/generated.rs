//! A generated counter: any power over time, ticks with jitter, a quantum, wraps, resets and steps back.

use lem_bench::__private::clock::{Clock, VirtualClock};
use lem_bench::meter::{Channel, Meter, Quantity, ReadError, Value};
use lem_bench::meter::{Domain, DomainId, DomainKind, Origin};
use lem_bench::summary::{ChannelProbe, MeterProbe};
use lem_bench::units::Stamp;
use rand::{RngExt, rngs::Xoshiro256PlusPlus};

/// The parameters of a counter.
#[derive(Debug, Clone)]
pub(crate) struct Generated {
    /// Moments in s and the power in W from then on; the first is at 0.
    pub(crate) power: Vec<(f64, f64)>,
    pub(crate) period: f64,
    pub(crate) phase: f64,
    /// Ticks are late by up to this share of the period.
    pub(crate) jitter: f64,
    pub(crate) unit_j: f64,
    pub(crate) modulus: Option<u64>,
    /// The count at time zero.
    pub(crate) begins_at: u64,
    /// When it is reset to zero, in s.
    pub(crate) reset: Option<f64>,
    /// When it goes back, in s, and by how many joules.
    pub(crate) back: Option<(f64, f64)>,
    /// The share of reads that fail.
    pub(crate) failing: f64,
}

impl Generated {
    /// Returns a random counter for a run of `seconds`.
    pub(crate) fn random(rng: &mut Xoshiro256PlusPlus, seconds: f64) -> Self {
        let mut power = vec![(0.0, 20.0 + 600.0 * rng.random::<f64>())];
        let (mut at, pace) = (0.0, 0.005 + 0.3 * rng.random::<f64>());
        while at < seconds {
            at += pace * (0.2 + rng.random::<f64>());
            power.push((at, 20.0 + 680.0 * rng.random::<f64>()));
        }
        let period = 0.01 * 20f64.powf(rng.random::<f64>());
        let unit_j = [1e-3, 15.3e-6, 61e-6, 1e-6, 0.5][rng.random_range(0..5)];
        let modulus = [None, Some(1 << 28), Some(1 << 32)][rng.random_range(0..3)];
        // Near the end of the range, so that it wraps.
        let near_end = |modulus: u64| modulus - 1 - ((500.0 * rng.random::<f64>() / unit_j) as u64).min(modulus - 1);
        // The count must be lower after a reset than before, or the reset is not detectable.
        let begins_at = modulus.map_or((3000.0 / unit_j) as u64, near_end);
        let is_detectable = begins_at as f64 * unit_j > 2000.0;
        let mut random_moment =
            |probability: f64| (rng.random::<f64>() < probability).then(|| seconds * rng.random::<f64>());
        let (reset, back) =
            (random_moment(0.15).filter(|_| is_detectable), random_moment(0.15).filter(|_| is_detectable));
        Self {
            power,
            period,
            phase: period * rng.random::<f64>(),
            jitter: if rng.random::<f64>() < 0.5 { 0.0 } else { 0.1 * rng.random::<f64>() },
            unit_j,
            modulus,
            begins_at,
            reset,
            // Further back than it gains between two reads.
            back: back.map(|at| (at, 300.0 + 300.0 * rng.random::<f64>())),
            failing: if rng.random::<f64>() < 0.8 { 0.0 } else { 0.2 * rng.random::<f64>() },
        }
    }

    /// Returns the true energy from time zero to `at` seconds, in J.
    pub(crate) fn energy(&self, at: f64) -> f64 {
        let ends = self.power.iter().skip(1).map(|(from, _)| *from).chain([f64::INFINITY]);
        self.power.iter().zip(ends).map(|((from, watts), to)| watts * (to.min(at) - from).max(0.0)).sum()
    }

    /// Returns the last tick at or before `at`.
    fn tick(&self, at: f64) -> f64 {
        let n = ((at - self.phase) / self.period).floor();
        let moment = |n: f64| {
            // A hash of the tick's number, from 0 to 1.
            let hash = (n as i64 as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
            self.phase + n * self.period + self.jitter * self.period * hash as f64 / f64::from(1u32 << 24)
        };
        if moment(n) <= at { moment(n) } else { moment(n - 1.0) }.max(0.0)
    }

    fn count(&self, at: f64) -> u64 {
        let tick = self.tick(at);
        let counts = |joules: f64| (joules / self.unit_j) as u64;
        let shown = match self.reset.filter(|reset| *reset <= at) {
            Some(reset) => counts((self.energy(tick) - self.energy(reset)).max(0.0)),
            None => self.begins_at + counts(self.energy(tick)),
        };
        let back = self.back.filter(|(when, _)| *when <= at && self.reset.is_none_or(|reset| reset > at));
        let shown = shown.saturating_sub(back.map_or(0, |(_, joules)| counts(joules)));
        self.modulus.map_or(shown, |modulus| shown % modulus)
    }

    /// Returns what an exact probe of it would find.
    pub(crate) fn probe(&self) -> MeterProbe {
        let channel = {
            let mut channel = ChannelProbe::new(domain(), true);
            channel.update_period_s = Some(self.period);
            channel.quantum = Some(self.unit_j);
            channel.read_cost_s = 1e-6;
            channel.updates = 20;
            channel.averaging_s = Some(self.period);
            channel
        };
        MeterProbe::new("generated", Origin::Simulated, vec![channel])
    }

    /// Returns the counter as a meter on this clock.
    pub(crate) fn meter(self, clock: &VirtualClock) -> Box<dyn Meter> {
        let quantity = Quantity::Energy { unit_j: self.unit_j, modulus: self.modulus };
        let channels = vec![Channel::new(domain(), quantity)];
        let domains = vec![Domain::new(domain(), DomainKind::Gpu, "generated")];
        Box::new(GeneratedMeter { counter: self, clock: clock.clone(), channels, domains, reads: 0 })
    }
}

pub(crate) fn domain() -> DomainId {
    DomainId::new("gpu:0")
}

pub(crate) fn seconds(stamp: Stamp) -> f64 {
    stamp.nanos() as f64 * 1e-9
}

pub(crate) fn stamp(seconds: f64) -> Stamp {
    Stamp((seconds * 1e9).round() as u64)
}

struct GeneratedMeter {
    counter: Generated,
    clock: VirtualClock,
    channels: Vec<Channel>,
    domains: Vec<Domain>,
    reads: u64,
}

impl Meter for GeneratedMeter {
    fn name(&self) -> &'static str {
        "generated"
    }

    fn origin(&self) -> Origin {
        Origin::Simulated
    }

    fn domains(&self) -> &[Domain] {
        &self.domains
    }

    fn channels(&self) -> &[Channel] {
        &self.channels
    }

    fn read(&mut self, _channel: usize) -> Result<Value, ReadError> {
        self.reads += 1;
        let random = (self.reads.wrapping_mul(0xD134_2543_DE82_EF95) >> 40) as f64 / f64::from(1u32 << 24);
        if random < self.counter.failing {
            return Err(ReadError::Failed("random failure".into()));
        }
        Ok(Value::Count(self.counter.count(seconds(self.clock.now()))))
    }
}

//! Probing a meter: what its sensors really do, measured before anything depends on it.

use std::time::Duration;

use crate::clock::Clock;
use crate::meter::{Meter, Quantity, Value};
use crate::model::{ChannelProbe, MeterProbe};
use crate::units::Stamp;

/// How long to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProbeEffort {
    /// Always at least this long.
    pub least: Duration,
    /// Longer where a sensor has shown too few updates, up to this.
    pub most: Duration,
}

/// Updates after which the period of a sensor is known well enough.
const ENOUGH_UPDATES: u32 = 5;

/// Reads between two looks at the sensors, at first.
const SPACING: Duration = Duration::from_millis(1);

/// The share of reads with a new value above which a sensor is called continuous.
const CONTINUOUS_SHARE: f64 = 0.8;

struct Watch {
    channel: usize,
    unit: f64,
    last: Option<Value>,
    changes: Vec<Stamp>,
    steps: Vec<f64>,
    costs: Vec<f64>,
    reads: u32,
    known: Option<Duration>,
}

/// Reads every energy counter and power gauge of `meter` densely and says how often each updates, in which steps, and
/// what a read costs.
pub fn probe(meter: &mut dyn Meter, clock: &dyn Clock, effort: ProbeEffort) -> MeterProbe {
    let mut watches = watches(meter);
    let start = clock.now();
    let mut spacing = SPACING;
    loop {
        for watch in &mut watches {
            watch.look(meter, clock);
        }
        let passed = clock.now().since(start);
        if passed >= effort.least {
            // Sensors that have not shown themselves by now are slow; there is no need to look at them as often.
            spacing = SPACING * 10;
            if passed >= effort.most || watches.iter().all(Watch::is_known) {
                break;
            }
        }
        clock.sleep(spacing);
    }
    let channels = meter.channels().to_vec();
    MeterProbe {
        meter: meter.name().to_owned(),
        origin: meter.origin(),
        temperature: channels.iter().any(|c| c.quantity == Quantity::Temperature),
        channels: watches
            .iter()
            .map(|watch| {
                let channel = &channels[watch.channel];
                watch.result(channel.domain.clone(), channel.is_counter())
            })
            .collect(),
    }
}

fn watches(meter: &dyn Meter) -> Vec<Watch> {
    let of_energy = |(channel, c): (usize, &crate::meter::Channel)| {
        let unit = match c.quantity {
            Quantity::Energy { unit_j, .. } => unit_j,
            Quantity::Power => 1.0,
            _ => return None,
        };
        let (changes, steps, costs) = (Vec::new(), Vec::new(), Vec::new());
        Some(Watch { channel, unit, last: None, changes, steps, costs, reads: 0, known: c.update_period })
    };
    meter.channels().iter().enumerate().filter_map(of_energy).collect()
}

impl Watch {
    fn look(&mut self, meter: &mut dyn Meter, clock: &dyn Clock) {
        let before = clock.now();
        let Ok(value) = meter.read(self.channel) else { return };
        let after = clock.now();
        self.costs.push(after.since(before).as_secs_f64());
        self.reads += 1;
        if let Some(last) = self.last.filter(|last| *last != value) {
            self.changes.push(after);
            self.steps.push(step(last, value) * self.unit);
        }
        self.last = Some(value);
    }

    fn is_known(&self) -> bool {
        self.known.is_some() || self.changes.len() as u32 >= ENOUGH_UPDATES
    }

    fn result(&self, domain: crate::model::DomainId, counter: bool) -> ChannelProbe {
        let period = self.known.map(|known| known.as_secs_f64()).or_else(|| self.period());
        let least = self.steps.iter().copied().filter(|step| *step > 0.0).fold(f64::INFINITY, f64::min);
        ChannelProbe {
            domain,
            counter,
            update_period_s: period,
            quantum: least.is_finite().then_some(least),
            read_cost_s: median(&self.costs).unwrap_or(0.0),
            updates: self.changes.len() as u32,
        }
    }

    /// The median time between two changes. Zero where nearly every read saw a new value.
    fn period(&self) -> Option<f64> {
        if self.changes.len() < 3 {
            return None;
        }
        if self.changes.len() as f64 > CONTINUOUS_SHARE * f64::from(self.reads) {
            return Some(0.0);
        }
        let gaps: Vec<f64> = self.changes.windows(2).map(|pair| pair[1].seconds_from(pair[0])).collect();
        median(&gaps)
    }
}

fn step(last: Value, value: Value) -> f64 {
    match (last, value) {
        (Value::Count(last), Value::Count(value)) => value.abs_diff(last) as f64,
        (Value::Level(last), Value::Level(value)) => (value - last).abs(),
        _ => 0.0,
    }
}

fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied()
}

//! Observes one channel: when its value changes, by how much, and what a read costs.

use std::time::Duration;

use crate::clock::Clock;
use crate::meter::{Channel, Meter, Quantity, Value};
use crate::model::{ChannelProbe, DomainId};
use crate::units::Stamp;

/// Time between two reads while a channel is observed densely.
pub(super) const READ_SPACING: Duration = Duration::from_millis(1);

/// Number of updates that give a sensor's period.
const ENOUGH_UPDATES: u32 = 5;

/// The share of reads with a new value above which a sensor counts as continuous.
const CONTINUOUS_SHARE: f64 = 0.8;

/// An energy or power channel and its changes so far.
#[derive(Debug)]
pub(super) struct ChannelObserver {
    pub channel: usize,
    unit: f64,
    modulus: Option<u64>,
    last: Option<Value>,
    changes: Vec<Change>,
    read_costs: Vec<f64>,
    reads: u32,
    /// The period that the meter states.
    stated_period: Option<Duration>,
}

/// A change of a value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Change {
    /// The end of the read that returned the new value.
    pub at: Stamp,
    /// The step in J or W. For a counter: counts times its unit, wraps included.
    pub step: f64,
    counts: u64,
}

impl ChannelObserver {
    /// Returns an observer of a channel of energy or power; `None` for any other quantity.
    pub fn new(index: usize, channel: &Channel) -> Option<Self> {
        let (unit, modulus) = match channel.quantity {
            Quantity::Energy { unit_j, modulus } => (unit_j, modulus),
            Quantity::Power => (1.0, None),
            _ => return None,
        };
        Some(Self {
            channel: index,
            unit,
            modulus,
            last: None,
            changes: Vec::new(),
            read_costs: Vec::new(),
            reads: 0,
            stated_period: channel.update_period,
        })
    }

    /// Reads the channel once, and returns the change if its value is new.
    pub fn read(&mut self, meter: &mut dyn Meter, clock: &dyn Clock) -> Option<Change> {
        let before = clock.now();
        let value = meter.read(self.channel).ok()?;
        let at = clock.now();
        self.read_costs.push(at.since(before).as_secs_f64());
        self.reads += 1;
        let last = self.last.replace(value)?;
        if last == value {
            return None;
        }
        let (counts, step) = match (last, value) {
            (Value::Count(last), Value::Count(value)) => {
                let wrapped = self.modulus.filter(|_| value < last).map(|modulus| modulus - last + value);
                let counts = wrapped.unwrap_or(value.abs_diff(last));
                (counts, counts as f64 * self.unit)
            }
            (Value::Level(last), Value::Level(value)) => (0, (value - last).abs()),
            _ => return None,
        };
        let change = Change { at, step, counts };
        self.changes.push(change);
        Some(change)
    }

    /// Returns whether the period is stated or there were enough updates to compute it.
    pub fn has_period(&self) -> bool {
        self.stated_period.is_some() || self.changes.len() as u32 >= ENOUGH_UPDATES
    }

    /// Returns what was observed so far.
    pub fn result(&self, domain: DomainId, counter: bool, averaging: Option<Duration>) -> ChannelProbe {
        ChannelProbe {
            domain,
            counter,
            update_period_s: self.stated_period.map(|period| period.as_secs_f64()).or_else(|| self.period()),
            quantum: if counter { self.common_divisor() } else { self.smallest_step() },
            read_cost_s: median(self.read_costs.clone()).unwrap_or(0.0),
            updates: self.changes.len() as u32,
            averaging_s: averaging.map(|time| time.as_secs_f64()),
            dense_reads: None,
            safe_interval_s: None,
        }
    }

    /// Returns the median time between two changes in seconds; zero where nearly every read returned a new value.
    ///
    /// Some gaps are longer than the period, never shorter: a value may repeat the previous one, a tick may be missed,
    /// and a coarse counter may need several ticks at idle to move by one quantum. Where gaps differ by whole multiples,
    /// the shortest kind is the period.
    fn period(&self) -> Option<f64> {
        if self.changes.len() < 3 {
            return None;
        }
        if self.changes.len() as f64 > CONTINUOUS_SHARE * f64::from(self.reads) {
            return Some(0.0);
        }
        let gaps: Vec<f64> = self.changes.windows(2).map(|pair| pair[1].at.seconds_from(pair[0].at)).collect();
        let mut sorted = gaps.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        // A late read can make the next gap too short; this allows for one gap in ten.
        let short = sorted[sorted.len() / 10];
        let single: Vec<f64> = gaps.iter().copied().filter(|gap| *gap < 1.5 * short).collect();
        if single.len() * 5 >= gaps.len() { median(single) } else { median(gaps) }
    }

    /// Returns the largest energy that divides all steps. Several ticks between two reads don't hide it.
    fn common_divisor(&self) -> Option<f64> {
        let divisor = self.changes.iter().fold(0, |divisor, change| greatest_common_divisor(divisor, change.counts));
        (divisor > 0).then_some(divisor as f64 * self.unit)
    }

    fn smallest_step(&self) -> Option<f64> {
        self.changes.iter().map(|change| change.step).filter(|step| *step > 0.0).min_by(f64::total_cmp)
    }
}

fn greatest_common_divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

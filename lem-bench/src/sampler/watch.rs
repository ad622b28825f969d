//! One channel under watch: when it changed, by how much, and what reading it costs.

use std::time::Duration;

use crate::clock::Clock;
use crate::meter::{Channel, Meter, Quantity, Value};
use crate::model::{ChannelProbe, DomainId};
use crate::units::Stamp;

/// Updates after which the period of a sensor is known well enough.
const ENOUGH_UPDATES: u32 = 5;

/// The share of reads with a new value above which a sensor is called continuous.
const CONTINUOUS_SHARE: f64 = 0.8;

/// A channel under watch.
#[derive(Debug)]
pub(super) struct Watch {
    pub(super) channel: usize,
    unit: f64,
    modulus: Option<u64>,
    last: Option<Value>,
    changes: Vec<Change>,
    costs: Vec<f64>,
    reads: u32,
    known: Option<Duration>,
}

/// A change of a value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Change {
    /// The end of the read that showed the new value.
    pub(super) at: Stamp,
    /// The step, in J or W; counts of a counter times its unit, over a wrap too.
    pub(super) step: f64,
    counts: u64,
}

impl Watch {
    /// A watch over a channel of energy or power; `None` for any other.
    pub(super) fn new(channel: usize, c: &Channel) -> Option<Self> {
        let (unit, modulus) = match c.quantity {
            Quantity::Energy { unit_j, modulus } => (unit_j, modulus),
            Quantity::Power => (1.0, None),
            _ => return None,
        };
        let (changes, costs, known) = (Vec::new(), Vec::new(), c.update_period);
        Some(Self { channel, unit, modulus, last: None, changes, costs, reads: 0, known })
    }

    /// Reads it once, and returns the change where there is one.
    pub(super) fn look(&mut self, meter: &mut dyn Meter, clock: &dyn Clock) -> Option<Change> {
        let before = clock.now();
        let value = meter.read(self.channel).ok()?;
        let at = clock.now();
        self.costs.push(at.since(before).as_secs_f64());
        self.reads += 1;
        let last = self.last.replace(value)?;
        if last == value {
            return None;
        }
        let (counts, step) = match (last, value) {
            (Value::Count(last), Value::Count(value)) => {
                let over = self.modulus.filter(|_| value < last).map(|modulus| modulus - last + value);
                let counts = over.unwrap_or(value.abs_diff(last));
                (counts, counts as f64 * self.unit)
            }
            (Value::Level(last), Value::Level(value)) => (0, (value - last).abs()),
            _ => return None,
        };
        let change = Change { at, step, counts };
        self.changes.push(change);
        Some(change)
    }

    pub(super) fn is_known(&self) -> bool {
        self.known.is_some() || self.changes.len() as u32 >= ENOUGH_UPDATES
    }

    /// What was found.
    pub(super) fn result(&self, domain: DomainId, counter: bool, averaging: Option<Duration>) -> ChannelProbe {
        ChannelProbe {
            domain,
            counter,
            update_period_s: self.known.map(|known| known.as_secs_f64()).or_else(|| self.period()),
            quantum: if counter { self.common_divisor() } else { self.least_step() },
            read_cost_s: median(self.costs.clone()).unwrap_or(0.0),
            updates: self.changes.len() as u32,
            averaging_s: averaging.map(|time| time.as_secs_f64()),
            dense_reads: None,
            safe_interval_s: None,
        }
    }

    /// The median time between two changes. Zero where nearly every read saw a new value.
    ///
    /// A reading that happens to repeat the one before, a tick that was missed, and a counter whose quantum is so
    /// coarse that only every few ticks move it at rest, all make some gaps longer than the period, never shorter: where
    /// gaps differ by whole multiples, it is the shortest kind that counts.
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
        // One gap in ten may be too short, by a late read before it.
        let short = sorted[sorted.len() / 10];
        let single: Vec<f64> = gaps.iter().copied().filter(|gap| *gap < 1.5 * short).collect();
        if single.len() * 5 >= gaps.len() { median(single) } else { median(gaps) }
    }

    /// The largest energy of which all steps were multiples: several ticks between two reads don't hide it.
    fn common_divisor(&self) -> Option<f64> {
        let divisor = self.changes.iter().fold(0, |divisor, change| greatest_common(divisor, change.counts));
        (divisor > 0).then_some(divisor as f64 * self.unit)
    }

    fn least_step(&self) -> Option<f64> {
        self.changes.iter().map(|change| change.step).filter(|step| *step > 0.0).min_by(f64::total_cmp)
    }
}

fn greatest_common(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { greatest_common(b, a % b) }
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

//! Examines the sensors of one meter: cost of a read; update period, step and mean power at several read intervals;
//! difference between counter and gauge.

use std::error::Error;
use std::time::Duration;

use lem_bench::__private::clock::{Clock, RealClock};
use lem_bench::__private::sampler::{Unwrapper, integrate};
use lem_bench::__private::stats::PooledSamples;
use lem_bench::meter::{Channel, Meter, Quantity, Value as Reading};
use lem_bench::summary::TracePoint;
use serde_json::{Value, json};

use crate::record::record;

/// Number of timed reads of each channel.
const TIMED_READS: usize = 100;

/// Milliseconds between two reads, the shortest first.
const DENSITIES: [u64; 3] = [1, 20, 100];

/// The readings of a channel: joules since the first read, or the level.
pub(crate) type Samples = Vec<TracePoint>;

/// Examines a meter. Returns the report and the record.
pub(crate) fn check(meter: &mut dyn Meter, notes: &[String], seconds: f64) -> Result<(Value, Value), Box<dyn Error>> {
    let costs = costs(meter)?;
    let facts = meter.facts();
    let mut densities = Vec::new();
    let mut agreement = Vec::new();
    let mut recorded = Value::Null;
    for millis in DENSITIES {
        let samples = sample(meter, Duration::from_millis(millis), seconds);
        let report = |(channel, samples): (usize, &Samples)| sensor(meter, channel, samples);
        let sensors: Vec<_> = samples.iter().enumerate().filter_map(report).collect();
        densities.push(json!({"polled_every_ms": millis, "sensors": sensors}));
        if millis == 20 {
            agreement = agreements(meter, &samples);
            recorded = record(meter, &facts, &samples);
        }
    }
    let report = json!({
        "meter": meter.name(), "origin": format!("{:?}", meter.origin()).to_lowercase(), "seconds": seconds,
        "notes": notes, "facts": facts, "costs": costs, "densities": densities, "agreement": agreement,
    });
    Ok((report, recorded))
}

/// Returns the median and the 95th percentile of the time of a read, for each channel.
fn costs(meter: &mut dyn Meter) -> Result<Vec<Value>, Box<dyn Error>> {
    let mut times = vec![Vec::with_capacity(TIMED_READS); meter.channels().len()];
    let mut failed = vec![0; meter.channels().len()];
    for _ in 0..TIMED_READS {
        for channel in 0..times.len() {
            let before = RealClock.now();
            let read = meter.read(channel);
            times[channel].push(RealClock.now().since(before).as_secs_f64() * 1e6);
            failed[channel] += u32::from(read.is_err());
        }
        RealClock.sleep(Duration::from_millis(2));
    }
    let row = |(channel, times): (usize, Vec<f64>)| {
        let times = PooledSamples::new(&[&times], None)?;
        let (median, p95) = (times.quantile(0.5)?, times.quantile(0.95)?);
        Ok(json!({
            "channel": name(meter, channel), "median_us": median, "p95_us": p95, "failed": failed[channel],
        }))
    };
    times.into_iter().enumerate().map(row).collect()
}

pub(crate) fn name(meter: &dyn Meter, channel: usize) -> String {
    let channel = &meter.channels()[channel];
    let quantity = format!("{:?}", channel.quantity);
    format!("{} {}", channel.domain, quantity.split(' ').next().unwrap_or_default())
}

/// Reads all channels once per `interval`, for some seconds. A failed read adds no sample.
fn sample(meter: &mut dyn Meter, interval: Duration, seconds: f64) -> Vec<Samples> {
    let start = RealClock.now();
    let counter = |quantity: &Quantity| match *quantity {
        Quantity::Energy { unit_j, modulus } => Some(Unwrapper::new(unit_j, modulus)),
        _ => None,
    };
    let mut counters: Vec<_> = meter.channels().iter().map(|channel| counter(&channel.quantity)).collect();
    let mut samples = vec![Samples::new(); counters.len()];
    for round in 0.. {
        RealClock.sleep_until(start + interval * round);
        for channel in 0..samples.len() {
            let before = RealClock.now();
            let Ok(reading) = meter.read(channel) else { continue };
            let at = before + RealClock.now().since(before) / 2;
            let last = samples[channel].last().map_or(start, |point: &TracePoint| point.0);
            let value = match (reading, &mut counters[channel]) {
                (Reading::Count(count), Some(counter)) => counter.push(count, at.seconds_from(last)).0,
                (Reading::Count(count) | Reading::Bits(count), _) => count as f64,
                (Reading::Level(level), _) => level,
                _ => continue,
            };
            samples[channel].push(TracePoint(at, value));
        }
        if RealClock.now().since(start).as_secs_f64() >= seconds {
            break;
        }
    }
    samples
}

/// Returns the samples at which the value changed.
pub(crate) fn changes(samples: &Samples) -> Samples {
    samples.windows(2).filter(|pair| pair[0].1 != pair[1].1).map(|pair| pair[1]).collect()
}

/// Returns the update period, the step and the mean power of a counter or power gauge; `None` for other channels.
pub(crate) fn sensor(meter: &dyn Meter, channel: usize, samples: &Samples) -> Option<Value> {
    let quantity = meter.channels()[channel].quantity;
    let is_counter = matches!(quantity, Quantity::Energy { .. });
    if !is_counter && quantity != Quantity::Power {
        return None;
    }
    let changes = changes(samples);
    let gaps: Vec<_> = changes.windows(2).map(|pair| pair[1].0.seconds_from(pair[0].0) * 1e3).collect();
    let steps = samples.windows(2).map(|pair| (pair[1].1 - pair[0].1).abs()).filter(|step| *step > 0.0);
    let mean = match (changes.first(), changes.last()) {
        (Some(first), Some(last)) if is_counter && last.0 > first.0 => {
            Some((last.1 - first.1) / last.0.seconds_from(first.0))
        }
        _ if is_counter || samples.is_empty() => None,
        _ => Some(samples.iter().map(|point| point.1).sum::<f64>() / samples.len() as f64),
    };
    Some(json!({
        "channel": name(meter, channel), "reads": samples.len(), "updates": changes.len(),
        "period_ms": PooledSamples::new(&[&gaps], None).and_then(|gaps| gaps.quantile(0.5)).ok(),
        "quantum": steps.min_by(f64::total_cmp), "mean_w": mean,
    }))
}

/// Compares each counter with the integral of the power gauge of its domain, between the first and the last update of
/// the counter.
fn agreements(meter: &dyn Meter, samples: &[Samples]) -> Vec<Value> {
    let channels = meter.channels();
    let counters = channels.iter().enumerate().filter(|(_, channel)| channel.is_counter());
    let compare = |(counter, channel): (usize, &Channel)| {
        let is_gauge = |it: &Channel| it.domain == channel.domain && it.quantity == Quantity::Power;
        let gauge = channels.iter().position(is_gauge)?;
        let ticks = changes(&samples[counter]);
        let (first, last) = (ticks.first()?, ticks.last()?);
        let (counted, integrated) = (last.1 - first.1, integrate(&samples[gauge], first.0, last.0)?.joules);
        Some(json!({
            "domain": channel.domain, "seconds": last.0.seconds_from(first.0), "counter_j": counted,
            "integrated_j": integrated, "difference_percent": (counted / integrated - 1.0) * 100.0,
        }))
    };
    counters.filter_map(compare).collect()
}

//! What the sensors of one meter do: cost of a read, period, step and mean power at several densities, agreement.

use std::error::Error;
use std::time::Duration;

use lem_bench::__private::clock::{Clock, RealClock};
use lem_bench::__private::sampler::{Unwrapper, integrate};
use lem_bench::__private::stats::PooledSamples;
use lem_bench::meter::{Channel, Meter, Quantity, Value as Reading};
use lem_bench::summary::TracePoint;
use serde_json::{Value, json};

use crate::record::record;

/// Reads of each channel whose time is taken.
const TIMED_READS: usize = 100;

/// Milliseconds between two reads, densest first.
const DENSITIES: [u64; 3] = [1, 20, 100];

/// What was read of one channel: joules since the first read, or the level.
pub(crate) type Samples = Vec<TracePoint>;

/// Everything about one meter: the report and the record.
pub(crate) fn check(meter: &mut dyn Meter, notes: &[String], seconds: f64) -> Result<(Value, Value), Box<dyn Error>> {
    let costs = costs(meter)?;
    let facts = meter.facts();
    let mut densities = Vec::new();
    let mut agreement = Vec::new();
    let mut recorded = Value::Null;
    for millis in DENSITIES {
        let samples = watch(meter, Duration::from_millis(millis), seconds);
        let about = |(channel, samples): (usize, &Samples)| sensor(meter, channel, samples);
        let sensors: Vec<_> = samples.iter().enumerate().filter_map(about).collect();
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

/// Median and 95th percentile of the time that a read takes, for each channel.
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
        let name = name(meter, channel);
        Ok(
            json!({"channel": name, "median_us": times.quantile(0.5)?, "p95_us": times.quantile(0.95)?, "failed": failed[channel]}),
        )
    };
    times.into_iter().enumerate().map(row).collect()
}

pub(crate) fn name(meter: &dyn Meter, channel: usize) -> String {
    let channel = &meter.channels()[channel];
    let quantity = format!("{:?}", channel.quantity);
    format!("{} {}", channel.domain, quantity.split(' ').next().unwrap_or_default())
}

/// Reads every channel each `spacing` for so many seconds. A failed read leaves no sample.
fn watch(meter: &mut dyn Meter, spacing: Duration, seconds: f64) -> Vec<Samples> {
    let start = RealClock.now();
    let counter = |quantity: &Quantity| match *quantity {
        Quantity::Energy { unit_j, modulus } => Some(Unwrapper::new(unit_j, modulus)),
        _ => None,
    };
    let mut counters: Vec<_> = meter.channels().iter().map(|channel| counter(&channel.quantity)).collect();
    let mut samples = vec![Samples::new(); counters.len()];
    for round in 0.. {
        RealClock.sleep_until(start + spacing * round);
        for channel in 0..samples.len() {
            let before = RealClock.now();
            let Ok(reading) = meter.read(channel) else { continue };
            let at = before + RealClock.now().since(before) / 2;
            let last = samples[channel].last().map_or(start, |point: &TracePoint| point.0);
            let value = match (reading, &mut counters[channel]) {
                (Reading::Count(count), Some(counter)) => counter.push(count, at.seconds_from(last)).0,
                (Reading::Count(count) | Reading::Bits(count), _) => count as f64,
                (Reading::Level(level), _) => level,
            };
            samples[channel].push(TracePoint(at, value));
        }
        if RealClock.now().since(start).as_secs_f64() >= seconds {
            break;
        }
    }
    samples
}

/// The samples at which the value changed.
pub(crate) fn changes(samples: &Samples) -> Samples {
    samples.windows(2).filter(|pair| pair[0].1 != pair[1].1).map(|pair| pair[1]).collect()
}

/// How often a counter or power gauge updated, in which steps, and the mean power that it saw.
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

/// Each counter against the integral of its domain's power gauge, between the counter's first and last update.
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

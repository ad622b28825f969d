//! The encoding of traces in the samples file: stamps in µs, and values of 12 bits within the range of their series.

use super::columns::{push_varint, take_varint, unzigzag, zigzag};
use crate::model::{DomainId, Trace, TracePoint};
use crate::units::Stamp;

/// The code of a value that is not finite.
const NOT_FINITE: u16 = 0;
/// The code of the lowest value of a series.
const LOWEST: u16 = 1;
/// The code of the highest value of a series.
const HIGHEST: u16 = 4095;
/// How many codes the highest value is above the lowest.
const STEPS: f64 = (HIGHEST - LOWEST) as f64;

/// Whole numbers below this are exact, and those that a few steps are added to.
const MAX_WHOLE: f64 = 1e15;

const NS_PER_US: u64 = 1000;

/// Encodes traces. The layout is documented in [`super`].
pub(super) fn encode(traces: &[Trace]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for trace in traces {
        let domain = trace.domain.as_str().as_bytes();
        push_varint(&mut bytes, domain.len() as u64);
        bytes.extend_from_slice(domain);
        for series in [&trace.power_w, &trace.temperature_c, &trace.utilisation, &trace.memory_bytes] {
            encode_series(series, &mut bytes);
        }
    }
    bytes
}

fn encode_series(points: &[TracePoint], bytes: &mut Vec<u8>) {
    push_varint(bytes, points.len() as u64);
    if points.is_empty() {
        return;
    }
    let finite = points.iter().map(|point| point.1).filter(|value| value.is_finite());
    let (low, high) =
        finite.clone().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    // Whole degrees and percents are exact: a code is a step of one.
    let whole = high - low < STEPS && low.abs() < MAX_WHOLE && finite.clone().all(|value| value.fract() == 0.0);
    let high = if whole { low + STEPS } else { high };
    bytes.extend(low.to_le_bytes());
    bytes.extend(high.to_le_bytes());
    // Reads are nearly periodic, and most values are near the one before.
    let (mut last, mut interval, mut last_code) = (0_u64, 0_u64, NOT_FINITE);
    for TracePoint(stamp, value) in points {
        let stamp = stamp.0 / NS_PER_US;
        let next = stamp.wrapping_sub(last);
        push_varint(bytes, zigzag(next.wrapping_sub(interval)));
        (last, interval) = (stamp, next);
        let code = match value {
            value if !value.is_finite() => NOT_FINITE,
            // Half of each difference: the whole range may be wider than any number.
            value if high > low => {
                let share = (value / 2.0 - low / 2.0) / (high / 2.0 - low / 2.0);
                LOWEST + (share * STEPS).round() as u16
            }
            _ => LOWEST,
        };
        push_varint(bytes, zigzag(u64::from(code).wrapping_sub(u64::from(last_code))));
        last_code = code;
    }
}

/// Decodes traces; `None` when the bytes are not traces.
pub(super) fn decode(mut bytes: &[u8]) -> Option<Vec<Trace>> {
    let mut traces = Vec::new();
    while !bytes.is_empty() {
        let length = usize::try_from(take_varint(&mut bytes)?).ok()?;
        let (domain, rest) = bytes.split_at_checked(length)?;
        bytes = rest;
        let mut trace = Trace::new(DomainId::new(std::str::from_utf8(domain).ok()?));
        for series in [&mut trace.power_w, &mut trace.temperature_c, &mut trace.utilisation, &mut trace.memory_bytes] {
            *series = decode_series(&mut bytes)?;
        }
        traces.push(trace);
    }
    Some(traces)
}

fn decode_series(bytes: &mut &[u8]) -> Option<Vec<TracePoint>> {
    let count = usize::try_from(take_varint(bytes)?).ok()?;
    // A point has at least two bytes.
    if count == 0 || count > bytes.len() / 2 {
        return (count == 0).then(Vec::new);
    }
    let [low, high] = [take(bytes)?, take(bytes)?].map(f64::from_le_bytes);
    let range = high - low;
    let (mut last, mut interval, mut code) = (0_u64, 0_u64, u64::from(NOT_FINITE));
    let mut points = Vec::with_capacity(count);
    for _ in 0..count {
        interval = interval.wrapping_add(unzigzag(take_varint(bytes)?));
        last = last.wrapping_add(interval);
        code = code.wrapping_add(unzigzag(take_varint(bytes)?));
        let value = match u16::try_from(code).ok().filter(|code| *code <= HIGHEST)? {
            NOT_FINITE => f64::NAN,
            LOWEST => low,
            HIGHEST => high,
            code => {
                let steps = f64::from(code - LOWEST);
                let value = low + range * steps / STEPS;
                // The range may be wider than any number.
                if value.is_finite() { value } else { low * (1.0 - steps / STEPS) + high * (steps / STEPS) }
            }
        };
        points.push(TracePoint(Stamp(last.wrapping_mul(NS_PER_US)), value));
    }
    Some(points)
}

/// Removes `N` bytes from the start.
fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trace(values: &[f64]) -> Trace {
        let point = |(index, value): (u64, &f64)| {
            TracePoint(Stamp(1_000_007_000 + index * 100_000_000 + index % 3 * 17_123), *value)
        };
        let mut trace = Trace::new(DomainId::new("gpu:0"));
        trace.power_w = (0..).zip(values).map(point).collect();
        trace.memory_bytes = vec![TracePoint(Stamp(u64::MAX / 1000 * 1000), 8e10), TracePoint(Stamp(0), 1e10)];
        trace
    }

    #[test]
    fn stamps_and_values_are_within_the_resolution() {
        let values: Vec<f64> = (0..400).map(|i| 350.0 + 2.5 * f64::from(i * 37 % 101) - 75.3).collect();
        let traces = [trace(&values), Trace::new(DomainId::new("cpu"))];
        let bytes = encode(&traces);
        assert!(bytes.len() < 400 * 4, "{} bytes for 402 points", bytes.len());
        let read = decode(&bytes).unwrap();
        assert_eq!(read[1], traces[1]);
        assert_eq!(read[0].memory_bytes, traces[0].memory_bytes, "the ends of the range are exact");
        let resolution = 250.0 / 4094.0;
        for (read, written) in read[0].power_w.iter().zip(&traces[0].power_w) {
            assert_eq!(read.0, Stamp(written.0.0 / 1000 * 1000));
            assert!((read.1 - written.1).abs() <= 0.51 * resolution, "{read:?} {written:?}");
        }
        assert_eq!(read[0].power_w.len(), 400);
        assert_eq!(decode(&[]), Some(Vec::new()));
    }

    #[test]
    fn extreme_values_survive() {
        let values = [f64::NAN, f64::MAX, f64::MIN, 0.0, f64::INFINITY];
        let read = decode(&encode(&[trace(&values)])).unwrap();
        let read: Vec<f64> = read[0].power_w.iter().map(|point| point.1).collect();
        assert!(read[0].is_nan() && read[4].is_nan());
        assert_eq!(read[1..3], [f64::MAX, f64::MIN]);
        assert!(read[3].abs() < f64::MAX / 4_000.0, "{}", read[3]);
        let nothing = decode(&encode(&[trace(&[f64::NAN; 3])])).unwrap();
        assert!(nothing[0].power_w.iter().all(|point| point.1.is_nan()));
    }

    #[test]
    fn truncated_bytes_are_rejected() {
        let bytes = encode(&[trace(&[1.0, 2.0, 3.0])]);
        for cut in 1..bytes.len() {
            assert_eq!(decode(&bytes[..cut]), None, "cut at {cut}");
        }
        assert_eq!(decode(&[0xff; 40]), None);
    }

    #[test]
    fn whole_numbers_are_exact() {
        let values: Vec<f64> = (0..400).map(|i| f64::from(47 + i % 23 - i % 7)).chain([f64::NAN, -40.0]).collect();
        let (bytes, empty) = (encode(&[trace(&values)]), encode(&[trace(&[])]));
        let read: Vec<f64> = decode(&bytes).unwrap()[0].power_w.iter().map(|point| point.1).collect();
        let same = read.iter().zip(&values).all(|(read, value)| read == value || value.is_nan());
        assert!(same && read.len() == values.len(), "{read:?}");
        // A stamp and a value of one byte each, but where the interval changes.
        let per_point = (bytes.len() - empty.len()) as f64 / values.len() as f64;
        assert!(per_point < 4.1, "{per_point} bytes per point");
    }
}

//! The recorded readings, in a compact form that the NVML double can replay.

use lem_bench::meter::{Meter, Quantity};
use lem_bench::summary::TracePoint;
use serde_json::{Value, json};

use crate::measure::{Samples, changes, name, sensor};

/// Returns the readings, and for NVIDIA GPUs a machine description for the double.
pub(crate) fn record(meter: &dyn Meter, facts: &[(String, String)], samples: &[Samples]) -> Value {
    let start = samples.iter().filter_map(|samples| samples.first()).map(|point| point.0).min().unwrap_or_default();
    let at = |point: &TracePoint| json!([(point.0.seconds_from(start) * 1e6).round() / 1e6, point.1]);
    // Keeps the first sample and the changes: frequent reads of a slow sensor return the same value many times.
    let trace = |samples: &Samples| samples.iter().take(1).chain(&changes(samples)).map(at).collect::<Vec<_>>();
    let traces: Vec<_> = (0..samples.len())
        .map(|channel| json!({"channel": name(meter, channel), "points": trace(&samples[channel])}))
        .collect();
    let facts: Vec<_> = facts.iter().filter(|(name, _)| !name.ends_with("uuid") && !name.ends_with("pci")).collect();
    let devices: Vec<_> = meter
        .domains()
        .iter()
        .enumerate()
        .filter(|_| meter.name() == "nvml")
        .map(|(n, domain)| {
            let of = |is: fn(&Quantity) -> bool| {
                meter.channels().iter().position(|channel| channel.domain == domain.id && is(&channel.quantity))
            };
            let power =
                of(|quantity| *quantity == Quantity::Power).map_or_else(Vec::new, |gauge| trace(&samples[gauge]));
            let counter = of(|quantity| matches!(quantity, Quantity::Energy { .. }));
            let mode = if counter.is_some() { "exact" } else { "none" };
            let period = counter.and_then(|counter| sensor(meter, counter, &samples[counter])?["period_ms"].as_f64());
            json!({
                "name": domain.label, "uuid": format!("GPU-recorded-{n}"), "power_w": power,
                "counter": {"period_s": period.unwrap_or(100.0) / 1e3, "mode": mode},
            })
        })
        .collect();
    json!({"meter": meter.name(), "facts": facts, "traces": traces, "double": {"devices": devices}})
}

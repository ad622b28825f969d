//! Summaries for tests: runs on a GPU, on an estimate and on a grid, and one with hostile names.
//!
//! The numbers are invented but consistent.

use std::collections::BTreeMap;

use crate::analysis::{
    BenchSummary, Check, CycleSummary, Distribution, Finding, Interval, Metric, PhaseSummary, RunInfo, Severity,
    Summary, WarmUpSummary, status,
};
use crate::model::{
    BenchRecord, ChannelProbe, Domain, DomainId, DomainKind, Fact, MeterProbe, Method, Origin, Outcome, RunOrder,
    SCHEMA_VERSION, Setting, Source, Span, SpanKind, Trace, TracePoint, Uncertainty, WarmUpCode,
};
use crate::units::{Joules, Stamp, Watts};

/// A name with markup, control characters and template syntax.
pub(super) const HOSTILE: &str =
    "</script><script>alert(1)</script><img src=x onerror='a()'>\"'&amp;`|\u{202E}gnp\u{2066}\x1b[31m{{ 7*7 }}";

/// A run on a GPU: three valid benches, one of them without tokens, one with a warning, one invalid, one that panicked.
pub(super) fn on_a_card() -> Summary {
    let source = Source { meter: "nvml".to_owned(), origin: Origin::Measured, method: Method::Counter };
    let mut warm = decode("decode/batch=4/dtype=bf16", 0.1375, &source);
    warm.findings.push(Finding::new(
        Check::Temperature,
        Severity::Warning,
        "the windows began between 61 °C and 68 °C",
        "use --gap cool, or more cycles",
    ));
    let mut invalid = decode("decode/batch=1/dtype=f32", 0.9021, &source);
    invalid.findings.push(Finding::new(
        Check::FailedRequests,
        Severity::Invalid,
        "7 of 212 requests failed (3.3 %), the last with: out of memory",
        "make the requests succeed; above 1 % the energy per token is not the model's",
    ));
    let mut prefill = decode("prefill/len=512", 0.0031, &source);
    rename(&mut prefill, "j_per_output_token", "j_per_total_token");
    rename(&mut prefill, "net_j_per_output_token", "net_j_per_total_token");
    prefill.metrics.retain(|name, _| !name.starts_with("itl") && !name.starts_with("output"));
    prefill.headline_metric = Some("j_per_total_token".to_owned());
    let mut embed = decode("embed", 0.021, &source);
    rename(&mut embed, "j_per_output_token", "j_per_request");
    rename(&mut embed, "net_j_per_output_token", "net_j_per_request");
    for metric in embed.metrics.values_mut() {
        metric.unit = metric.unit.replace("token", "request");
    }
    embed
        .metrics
        .retain(|name, _| !name.starts_with("itl") && !name.starts_with("ttft") && !name.starts_with("output"));
    embed.headline_metric = Some("j_per_request".to_owned());
    for cycle in &mut embed.cycles {
        cycle.output_tokens = 0;
        cycle.input_tokens = 0;
    }
    let benches =
        vec![decode("decode/batch=1/dtype=bf16", 0.4123, &source), warm, invalid, prefill, embed, panicked(&source)];
    finish(benches, &source, Vec::new())
}

/// A run on the CPU estimate, without net energy and with the reason.
pub(super) fn on_an_estimate() -> Summary {
    let source = Source { meter: "estimate".to_owned(), origin: Origin::Estimated, method: Method::Counter };
    let mut benches = vec![decode("decode/batch=1", 0.0523, &source), decode("decode/batch=4", 0.0187, &source)];
    for bench in &mut benches {
        bench.findings.push(Finding::new(
            Check::Estimated,
            Severity::Note,
            "the energy is CPU time × 10 W per core: it compares two programs on one machine, and does not say what they draw",
            "measure on a machine with an energy sensor",
        ));
        bench.findings.retain(|found| found.check != Check::BoardGain);
        bench.loaded_idle_w.clear();
        if let Some(warm_up) = &mut bench.warm_up {
            warm_up.temperature_steady = None;
            warm_up.traces[0].temperature_c.clear();
        }
        for cycle in &mut bench.cycles {
            cycle.idle_w = None;
            cycle.cross_check_j = None;
            cycle.temperature_c = None;
            for trace in &mut cycle.traces {
                trace.temperature_c.clear();
            }
        }
        if let Some(net) = bench.metrics.get_mut("net_j_per_output_token") {
            (net.value, net.interval) = (None, None);
            net.missing = Some("estimates have no idle power".to_owned());
        }
    }
    let notes = vec!["estimated energy = CPU time of this process × 10 W per busy core (default)".to_owned()];
    finish(benches, &source, notes)
}

/// A run over a grid of batch and dtype: larger batches need less energy and are faster, f32 needs more.
#[cfg(feature = "html")]
pub(super) fn on_a_grid() -> Summary {
    let source = Source { meter: "nvml".to_owned(), origin: Origin::Measured, method: Method::Counter };
    let mut benches = Vec::new();
    for (dtype, factor) in [("bf16", 1.0), ("f16", 0.97), ("f32", 1.9)] {
        for batch in [1.0, 2.0, 4.0, 8.0, 16.0] {
            let mut bench =
                decode(&format!("decode/batch={batch}/dtype={dtype}"), 0.41 * factor / f64::powf(batch, 0.8), &source);
            bench.bench.group = Some("batched".to_owned());
            // f16 is slow, bf16 is fastest with 8: the Pareto front has three cases.
            let speed_factor = if dtype == "f16" {
                0.6
            } else if batch == 8.0 {
                2.0
            } else {
                1.0
            };
            if let Some(speed) = bench.metrics.get_mut("output_tokens_per_s") {
                *speed = metric(speed.value.unwrap_or_default() * speed_factor, "tokens/s", 0.004, &source);
            }
            benches.push(bench);
        }
    }
    benches.push(decode("short", 0.32, &source));
    finish(benches, &source, Vec::new())
}

/// A run in which all names are hostile and some numbers are not finite.
pub(super) fn hostile() -> Summary {
    let source = Source { meter: HOSTILE.to_owned(), origin: Origin::Simulated, method: Method::IntegratedPower };
    let mut bench = decode(HOSTILE, 0.4, &source);
    bench.bench.params = vec![(HOSTILE.to_owned(), HOSTILE.to_owned())];
    bench.bench.description = Some(HOSTILE.to_owned());
    bench.bench.module = HOSTILE.to_owned();
    bench.findings.push(Finding::new(Check::Foreign, Severity::Invalid, HOSTILE, HOSTILE));
    let unit = format!("J/{HOSTILE}");
    let nan = Metric { value: Some(f64::NAN), ..metric(1.0, &unit, 0.1, &source) };
    bench.metrics.insert(format!("j_per_{HOSTILE}"), nan);
    bench
        .metrics
        .insert("energy_j".to_owned(), Metric { value: Some(f64::INFINITY), ..metric(1.0, "J", 0.1, &source) });
    bench.cycles[0].energy_j = Some(Joules(f64::NAN));
    bench.cycles[1].traces[0].power_w[3].1 = f64::NAN;
    bench.cycles[1].traces[0].power_w[4].1 = f64::INFINITY;
    let long = decode(&"x".repeat(300), 0.5, &source);
    let mut summary = finish(vec![bench, long], &source, vec![HOSTILE.to_owned()]);
    summary.run.target = HOSTILE.to_owned();
    summary.run.environment.push(Fact { name: HOSTILE.to_owned(), value: HOSTILE.to_owned() });
    summary.run.settings.push(Setting {
        name: HOSTILE.to_owned(),
        value: HOSTILE.to_owned(),
        from: HOSTILE.to_owned(),
    });
    summary.run.domains[0].label = HOSTILE.to_owned();
    summary.findings.push(Finding::new(Check::Completeness, Severity::Invalid, HOSTILE, HOSTILE));
    summary
}

fn rename(bench: &mut BenchSummary, from: &str, to: &str) {
    if let Some(metric) = bench.metrics.remove(from) {
        bench.metrics.insert(to.to_owned(), metric);
    }
}

fn finish(mut benches: Vec<BenchSummary>, source: &Source, notes: Vec<String>) -> Summary {
    for bench in &mut benches {
        bench.status = status(&bench.findings);
    }
    let domain = domain(source);
    let fact = |name: &str, value: &str| Fact { name: name.to_owned(), value: value.to_owned() };
    let setting = |name: &str, value: &str, from: &str| Setting {
        name: name.to_owned(),
        value: value.to_owned(),
        from: from.to_owned(),
    };
    let channel = ChannelProbe {
        domain: domain.clone(),
        counter: true,
        update_period_s: Some(0.1),
        quantum: Some(0.001),
        read_cost_s: 31e-6,
        updates: 20,
        averaging_s: None,
        dense_reads: None,
        safe_interval_s: None,
    };
    let probe = MeterProbe {
        meter: source.meter.clone(),
        origin: source.origin,
        channels: vec![channel],
        temperature: source.origin != Origin::Estimated,
    };
    let run = RunInfo {
        run_id: "20261103-140533-7f3a".to_owned(),
        lem_bench: "0.1.0".to_owned(),
        target: "llm".to_owned(),
        started_unix_s: 1_793_714_733.0,
        processes: 1,
        seed: 42,
        probe,
        domains: vec![Domain {
            id: domain.clone(),
            kind: DomainKind::Gpu,
            parent: None,
            label: if source.origin == Origin::Estimated { "CPU time of this process" } else { "NVIDIA H200" }
                .to_owned(),
        }],
        headline: vec![domain.clone()],
        notes,
        settings: vec![setting("cycles", "10", "default"), setting("meter", "auto", "environment")],
        environment: vec![fact("cpu model", "AMD EPYC 9654"), fact("gpu:0 driver", "580.65.06")],
        calibration: None,
        order: RunOrder::default(),
        bare_idle_w: if source.origin == Origin::Estimated { Vec::new() } else { vec![(domain, Watts(76.2))] },
    };
    Summary { schema_version: SCHEMA_VERSION, run, benches, findings: Vec::new() }
}

fn domain(source: &Source) -> DomainId {
    DomainId::new(if source.origin == Origin::Estimated { "cpu:estimate" } else { "gpu:0" })
}

fn panicked(source: &Source) -> BenchSummary {
    let mut bench = decode("broken", 0.4, source);
    let message = "panicked at benches/llm.rs:88:9: index out of bounds: the len is 4 but the index is 4";
    bench.ended = Some(Outcome::Panicked { message: message.to_owned() });
    bench.metrics.clear();
    bench.headline_metric = None;
    bench.cycles.clear();
    bench.source = None;
    bench.warm_up = None;
    bench.loaded_idle_w.clear();
    bench.findings.push(Finding::new(Check::BenchFailed, Severity::Invalid, message, "fix the bench and run it again"));
    bench
}

fn metric(value: f64, unit: &str, share: f64, source: &Source) -> Metric {
    let interval = Interval {
        low: value * (1.0 - share),
        high: value * (1.0 + share * 1.01),
        level: 0.95,
        method: "t (log scale)".to_owned(),
        resamples: None,
        seed: None,
        indicative: false,
    };
    Metric {
        value: Some(value),
        unit: unit.to_owned(),
        bootstrap: Some(Interval {
            method: "bootstrap-t over cycles".to_owned(),
            resamples: Some(10_000),
            seed: Some(42),
            ..interval.clone()
        }),
        student: None,
        interval: Some(interval),
        cycles: 10,
        samples: None,
        missing: None,
        lower_is_better: (unit != "W").then(|| !unit.contains("s/")),
        source: unit.contains(['J', 'W']).then(|| source.clone()),
        custom: None,
    }
}

/// A bench that decodes at `j_per_token` on a GPU that draws 335 W, with ten cycles.
fn decode(id: &str, j_per_token: f64, source: &Source) -> BenchSummary {
    let rate = 334.9 / j_per_token;
    let m = |value, unit, share| metric(value, unit, share, source);
    let metrics: BTreeMap<String, Metric> = [
        ("j_per_output_token", m(j_per_token, "J/token", 0.006)),
        ("net_j_per_output_token", m(j_per_token * 0.66, "J/token", 0.008)),
        ("above_bare_idle_j_per_output_token", m(j_per_token * 0.77, "J/token", 0.008)),
        ("output_tokens_per_joule", m(1.0 / j_per_token, "tokens/J", 0.006)),
        ("output_tokens_per_s", m(rate, "tokens/s", 0.004)),
        ("requests_per_s", m(rate / 64.0, "requests/s", 0.004)),
        ("mean_power_w", m(334.9, "W", 0.005)),
        ("energy_j", m(1674.5, "J", 0.005)),
        ("ttft_ms_p50", Metric { samples: Some(640), source: None, ..m(21.34, "ms", 0.02) }),
        ("itl_ms_p50", Metric { samples: Some(40_320), source: None, ..m(1000.0 / rate, "ms", 0.003) }),
        ("itl_ms_p99", Metric { samples: Some(40_320), source: None, interval: None, ..m(1900.0 / rate, "ms", 0.0) }),
    ]
    .into_iter()
    .map(|(name, metric)| (name.to_owned(), metric))
    .collect();
    let zero = Stamp(1_000_000_000_000);
    let second = |s: f64| Stamp(zero.0 + (s * 1e9) as u64);
    let warm_up = WarmUpSummary {
        code: WarmUpCode::Proven,
        bound: Some(0.0042),
        temperature_steady: Some(true),
        start: second(0.0),
        stop: second(12.0),
        probes_s: (0..60).map(|i| 0.0013 * (1.0 + 0.2 * (-f64::from(i) / 6.0).exp())).collect(),
        traces: vec![trace(&domain(source), second, 0.0, 12.0, 0)],
    };
    let cycles = (0..10).map(|index| cycle(index, rate, &domain(source), second)).collect();
    BenchSummary {
        heat: None,
        thinned: None,
        bench: BenchRecord {
            id: id.to_owned(),
            name: id.split('/').next().unwrap_or_default().to_owned(),
            group: None,
            module: "llm".to_owned(),
            description: Some("Greedy decoding of 64 tokens.".to_owned()),
            place: "benches/llm.rs:12".to_owned(),
            params: id
                .split('/')
                .skip(1)
                .filter_map(|p| p.split_once('='))
                .map(|(k, v)| (k.to_owned(), v.to_owned()))
                .collect(),
            tags: vec!["decode".to_owned()],
            schedule: BTreeMap::from([("window_s".to_owned(), 5.0), ("cycles".to_owned(), 10.0)]),
        },
        facts: Vec::new(),
        status: crate::analysis::Status::Valid,
        ended: Some(Outcome::Completed),
        precision: None,
        source: Some(source.clone()),
        metrics,
        headline_metric: Some("j_per_output_token".to_owned()),
        findings: vec![Finding::new(
            Check::BoardGain,
            Severity::Note,
            "the joules carry this board's own gain, which nothing here can see: up to ±5 % between boards",
            "compare runs on one board",
        )],
        warm_up: Some(warm_up),
        loaded_idle_w: vec![(domain(source), Watts(113.4))],
        distributions: vec![Distribution {
            name: "ttft_ms".to_owned(),
            edges_ms: (0..=20).map(|i| 18.0 + 0.5 * f64::from(i)).collect(),
            counts: (0..20).map(|i: u64| 90 / (1 + i.abs_diff(6))).collect(),
        }],
        phases: vec![PhaseSummary {
            name: "prefill".to_owned(),
            count: 640,
            seconds: 13.4,
            share_of_time: 0.268,
            j_per_request: Metric {
                value: None,
                interval: None,
                bootstrap: None,
                missing: Some("it lasts 0.021 s at the mean: too short for the sensor".to_owned()),
                ..m(1.0, "J/request", 0.1)
            },
            j_per_token: None,
        }],
        cycles,
    }
}

const CYCLE_S: f64 = 12.4;

fn cycle(index: u32, rate: f64, domain: &DomainId, second: impl Fn(f64) -> Stamp + Copy) -> CycleSummary {
    let from = 12.0 + f64::from(index) * CYCLE_S;
    let variation = 1.0 + 0.006 * f64::from(index * 7 % 10) / 10.0;
    let energy = 1674.5 * variation;
    let span = |kind, a: f64, b: f64| Span { kind, start: second(from + a), stop: second(from + b) };
    CycleSummary {
        heat_j: None,
        index,
        seconds: 5.0,
        energy_j: Some(Joules(energy)),
        sensor_j: Some((Joules(energy - 4.1), Joules(energy + 4.3))),
        uncertainty: Some(Uncertainty { edges_j: Joules(0.8), idle_split_j: Joules(0.5), ..Uncertainty::default() }),
        cross_check_j: Some(Joules(energy * 1.004)),
        idle_w: Some(Watts(113.4 * variation)),
        domains_j: vec![(domain.clone(), Joules(energy))],
        requests: (rate * 5.0 / 64.0) as u64,
        iterations: 0,
        failed: 0,
        input_tokens: 4096,
        output_tokens: (rate * 5.0) as u64,
        units: BTreeMap::new(),
        custom: BTreeMap::new(),
        temperature_c: Some((61.0 + f64::from(index % 3), 64.0 + f64::from(index % 3))),
        spans: vec![
            span(SpanKind::Gap, 0.0, 5.0),
            span(SpanKind::RampIn, 5.0, 7.0),
            span(SpanKind::Window, 7.0, 12.0),
            span(SpanKind::RampOut, 12.0, 12.4),
        ],
        traces: vec![trace(domain, second, from, from + CYCLE_S, index)],
    }
}

/// Ten readings per second: 113 W at rest, 335 W under load with a small ripple, one peak per cycle.
fn trace(domain: &DomainId, second: impl Fn(f64) -> Stamp, from: f64, to: f64, index: u32) -> Trace {
    let n = ((to - from) * 10.0) as usize;
    let time = |i: usize| from + i as f64 / 10.0;
    let is_rest = |i: usize| from >= 12.0 && i < 50;
    let power = |i: usize| match i {
        _ if is_rest(i) => 113.4 + (i as f64 * 1.3).sin(),
        90 => 421.0 + f64::from(index),
        _ => 334.9 + 9.0 * (i as f64 * 0.9).sin(),
    };
    let temperature = |i: usize| if is_rest(i) { 64.0 - i as f64 * 0.08 } else { 60.0 + (i as f64 * 0.08).min(5.0) };
    Trace {
        domain: domain.clone(),
        power_w: (0..n).map(|i| TracePoint(second(time(i)), power(i))).collect(),
        temperature_c: (0..n).step_by(5).map(|i| TracePoint(second(time(i)), temperature(i))).collect(),
        utilisation: Vec::new(),
        memory_bytes: Vec::new(),
    }
}

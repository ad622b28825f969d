//! Results and comparisons for tests.

use super::comparison::{BenchComparison, Design, Measured, Verdict};
use crate::analysis::finding::Status;
use crate::analysis::metric::{Interval, Metric};
use crate::analysis::summary::{BenchSummary, RunInfo, Summary};
use crate::model::{
    BenchRecord, Domain, DomainId, DomainKind, Fact, MeterProbe, Method, Origin, RunOrder, SCHEMA_VERSION, Source,
};

/// Returns a side with this value.
pub(crate) fn measured(value: f64) -> Measured {
    Measured {
        run_id: "run".to_owned(),
        value: Some(value),
        low: Some(value * 0.99),
        high: Some(value * 1.01),
        cycles: 10,
        status: Status::Valid,
        source: Some(Source { meter: "nvml".to_owned(), origin: Origin::Measured, method: Method::Counter }),
    }
}

/// Returns a bench without a verdict.
pub(crate) fn bench(id: &str) -> BenchComparison {
    BenchComparison {
        id: id.to_owned(),
        metric: "j_per_output_token".to_owned(),
        unit: "J/token".to_owned(),
        lower_is_better: true,
        base: measured(0.4),
        new: measured(0.4),
        design: Some(Design::Paired { pairs: 10 }),
        change: None,
        verdict: Verdict::Invalid,
        suspected: None,
        detectable_pct: None,
        session: None,
        differences: Vec::new(),
        reasons: Vec::new(),
        gate: None,
        custom: Vec::new(),
    }
}

/// Returns a run of one bench, `decode`, with `value` ± 1 % J/token over 10 cycles on a GPU.
pub(crate) fn run(run_id: &str, started_unix_s: f64, value: f64) -> Summary {
    let source = measured(value).source;
    let interval = Interval {
        low: value * 0.99,
        high: value * 1.01,
        level: 0.95,
        method: "t over cycles, log scale".to_owned(),
        resamples: None,
        seed: None,
        indicative: false,
    };
    let metric = Metric {
        value: Some(value),
        unit: "J/token".to_owned(),
        interval: Some(interval),
        student: None,
        bootstrap: None,
        cycles: 10,
        samples: None,
        missing: None,
        lower_is_better: Some(true),
        source: source.clone(),
        custom: None,
    };
    let bench = BenchSummary {
        heat: None,
        thinned: None,
        bench: BenchRecord {
            id: "decode".to_owned(),
            name: "decode".to_owned(),
            group: None,
            module: "llm".to_owned(),
            description: None,
            place: "benches/llm.rs:1".to_owned(),
            params: Vec::new(),
            tags: Vec::new(),
            schedule: [("cycles".to_owned(), 10.0)].into(),
        },
        facts: Vec::new(),
        status: Status::Valid,
        precision: None,
        ended: None,
        source,
        metrics: [("j_per_output_token".to_owned(), metric)].into(),
        headline_metric: Some("j_per_output_token".to_owned()),
        findings: Vec::new(),
        warm_up: None,
        loaded_idle_w: Vec::new(),
        distributions: Vec::new(),
        phases: Vec::new(),
        cycles: Vec::new(),
    };
    let fact = |(name, value): (&str, &str)| Fact { name: name.to_owned(), value: value.to_owned() };
    let facts = [
        ("host", "box"),
        ("cpu model", "Xeon"),
        ("load average", run_id),
        ("driver", "580.1"),
        ("gpu:0 name", "H200"),
        ("gpu:0 uuid", "GPU-1"),
        ("gpu:0 power limit W", "700"),
        ("git commit", run_id),
        ("git branch", "main"),
    ];
    let probe =
        MeterProbe { meter: "nvml".to_owned(), origin: Origin::Measured, channels: Vec::new(), temperature: true };
    let domain = Domain { id: DomainId::new("gpu:0"), kind: DomainKind::Gpu, parent: None, label: "H200".to_owned() };
    let run = RunInfo {
        run_id: run_id.to_owned(),
        lem_bench: "0.1.0".to_owned(),
        target: "llm".to_owned(),
        started_unix_s,
        processes: 1,
        seed: 1,
        probe,
        headline: vec![domain.id.clone()],
        domains: vec![domain],
        notes: Vec::new(),
        settings: Vec::new(),
        environment: facts.map(fact).into(),
        calibration: None,
        order: RunOrder::default(),
        bare_idle_w: Vec::new(),
    };
    Summary { schema_version: SCHEMA_VERSION, run, benches: vec![bench], findings: Vec::new() }
}

/// Returns the same run with another value of a fact.
pub(crate) fn with_fact(mut summary: Summary, name: &str, value: &str) -> Summary {
    summary.run.environment.retain(|fact| fact.name != name);
    summary.run.environment.push(Fact { name: name.to_owned(), value: value.to_owned() });
    summary
}

//! Properties of summaries of generated journals: nothing panics, all numbers are finite or have a reason, and sums without
//! all processes are invalid.
#![expect(clippy::unwrap_used, reason = "test helpers")]

use std::collections::BTreeMap;

use lem_bench::__private::analysis::{Options, summarise};
use lem_bench::__private::model::{
    BenchEnd, CycleEvidence, CycleRecord, DomainEnergy, IdleBlock, Record, RequestLog, RunEnd, RunEvidence, RunHeader,
    SCHEMA_VERSION, WindowRecord, WorkCounts,
};
use lem_bench::meter::{Domain, DomainId, DomainKind, Origin};
use lem_bench::summary::{BenchRecord, ChannelProbe, MeterProbe, Method, Outcome};
use lem_bench::summary::{Check, Metric, Status, Summary};
use lem_bench::units::{Joules, Stamp, Watts};
use proptest::prelude::*;

/// What one process does in one cycle.
#[derive(Debug, Clone)]
struct Share {
    joules: f64,
    idle_w: Option<f64>,
    /// Length of its window, ns.
    length: u64,
    tokens: u64,
    failed: u64,
}

/// A generated run: cycles of all ranks, and what is missing.
#[derive(Debug, Clone)]
struct Plan {
    world: u32,
    cycles: Vec<Vec<Share>>,
    /// Whether all processes read the same device.
    shared: bool,
    /// A rank without a journal.
    missing: Option<u32>,
    /// A rank whose journal has no end.
    unfinished: Option<u32>,
}

fn gpu(rank: u32, plan: &Plan) -> DomainId {
    DomainId::new(format!("gpu:{}", if plan.shared { 0 } else { rank }))
}

fn header(rank: u32, plan: &Plan) -> Record {
    let domain = gpu(rank, plan);
    Record::Run(Box::new(RunHeader {
        schema_version: SCHEMA_VERSION,
        lem_bench: "0.1.0".into(),
        run_id: "run".into(),
        rank,
        world: plan.world,
        target: "llm".into(),
        started_unix_s: 1.7e9,
        started: Stamp(0),
        seed: 1,
        probe: MeterProbe::new(
            "nvml",
            Origin::Measured,
            vec![{
                let mut channel = ChannelProbe::new(domain.clone(), true);
                channel.update_period_s = Some(0.1);
                channel.quantum = Some(0.001);
                channel.read_cost_s = 1e-5;
                channel.updates = 20;
                channel
            }],
        ),
        domains: vec![Domain::new(domain.clone(), DomainKind::Gpu, "card")],
        headline: vec![domain],
        notes: Vec::new(),
        settings: Vec::new(),
        environment: Vec::new(),
        debug_build: false,
        plan: Vec::new(),
        shard: None,
        order: lem_bench::summary::RunOrder::default(),
        evidence: RunEvidence::default(),
    }))
}

fn cycle(rank: u32, index: usize, share: &Share, plan: &Plan) -> Record {
    let domain = gpu(rank, plan);
    let start = Stamp(1_000_000_000 + index as u64 * 10_000_000_000_000);
    let stop = Stamp(start.0 + share.length);
    let half = share.joules.abs() * 0.001;
    let energy = DomainEnergy {
        domain: domain.clone(),
        joules: Joules(share.joules),
        low: Joules(share.joules - half),
        high: Joules(share.joules + half),
        uncertainty: None,
        method: Method::Counter,
        cross_check: None,
        cross_check_bounds: None,
    };
    let requests = 1 + share.failed;
    let work = WorkCounts { requests, failed: share.failed, output_tokens: share.tokens, ..WorkCounts::default() };
    let idle =
        share.idle_w.map(|watts| IdleBlock { start: Stamp(1), stop: Stamp(2), power: vec![(domain, Watts(watts))] });
    Record::Cycle(Box::new(CycleRecord {
        bench: "decode".into(),
        index: index as u32,
        idle,
        windows: vec![WindowRecord { start, stop, energy: vec![energy], work }],
        requests: RequestLog { latency_ns: vec![share.length; requests as usize], ..RequestLog::default() },
        temperature_c: Vec::new(),
        ramp_in_capped: false,
        spans: Vec::new(),
        traces: Vec::new(),
        events: Vec::new(),
        sampler_cpu: None,
        process_cpu_s: None,
        evidence: CycleEvidence::default(),
        custom_metrics: Vec::new(),
    }))
}

fn journals(plan: &Plan) -> Vec<Vec<Record>> {
    let ranks = (0..plan.world).filter(|rank| Some(*rank) != plan.missing);
    let journal = |rank: u32| {
        let bench = {
            let mut bench = BenchRecord::new("decode", "llm");
            bench.place = "benches/llm.rs:1".into();
            bench.schedule = BTreeMap::from([("cycles".into(), plan.cycles.len() as f64)]);
            bench
        };
        let mut records = vec![header(rank, plan), Record::Bench(bench)];
        let cycles = plan.cycles.iter().enumerate();
        records.extend(cycles.map(|(index, shares)| cycle(rank, index, &shares[rank as usize], plan)));
        if Some(rank) != plan.unfinished {
            let end = BenchEnd {
                bench: "decode".into(),
                outcome: Outcome::Completed,
                last_failure: None,
                precision: None,
                at: Stamp(u64::MAX - 1),
            };
            records.extend([Record::BenchEnd(end), Record::RunEnd(RunEnd { at: Stamp(u64::MAX), benches: 1 })]);
        }
        records
    };
    ranks.map(journal).collect()
}

/// Generates similar, equal, tiny, huge, zero and negative energies.
fn joules() -> impl Strategy<Value = f64> {
    prop_oneof![
        5 => 90.0..110.0,
        2 => prop::sample::select(vec![100.0, 101.0]),
        1 => 0.9e-12..1.1e-12,
        1 => 0.9e12..1.1e12,
        1 => Just(0.0),
        1 => -1.0..0.0,
    ]
}

fn share(kind: impl Strategy<Value = f64>) -> impl Strategy<Value = Share> {
    let length =
        prop_oneof![5 => 1_000_000_000_u64..2_000_000_000, 1 => Just(0), 1 => Just(1), 1 => Just(3_600_000_000_000)];
    let tokens = prop_oneof![5 => 900_u64..1100, 1 => Just(0), 1 => Just(u64::from(u32::MAX))];
    let idle = prop::option::weighted(0.8, prop_oneof![20.0..30.0, Just(0.0), Just(1e12)]);
    (kind, idle, length, tokens, prop_oneof![9 => Just(0_u64), 1 => 0_u64..3])
        .prop_map(|(joules, idle_w, length, tokens, failed)| Share { joules, idle_w, length, tokens, failed })
}

fn plan() -> impl Strategy<Value = Plan> {
    (1_u32..4, any::<bool>(), prop::option::weighted(0.2, 0_u32..3), prop::option::weighted(0.2, 0_u32..3))
        .prop_flat_map(|(world, shared, missing, unfinished)| {
            let cycles = prop::collection::vec(prop::collection::vec(share(joules()), world as usize), 0..13);
            (cycles, Just((world, shared, missing, unfinished)))
        })
        .prop_map(|(cycles, (world, shared, missing, unfinished))| {
            // At least one journal is always present.
            let missing = missing.filter(|rank| *rank < world && world > 1);
            Plan { world, cycles, shared, missing, unfinished: unfinished.filter(|rank| *rank < world) }
        })
}

fn options() -> Options {
    Options { resamples: 500, ..Options::default() }
}

fn check(name: &str, metric: &Metric, cycles: usize) -> Result<(), TestCaseError> {
    prop_assert!(metric.cycles <= cycles, "{name}: {metric:?}");
    prop_assert!(metric.value.is_some() || metric.missing.is_some(), "{name} has neither value nor reason");
    prop_assert!(metric.value.is_none_or(f64::is_finite), "{name}: {metric:?}");
    for interval in [&metric.interval, &metric.student, &metric.bootstrap].into_iter().flatten() {
        let value = metric.value.unwrap();
        prop_assert!(interval.low.is_finite() && interval.high.is_finite(), "{name}: {interval:?}");
        prop_assert!(interval.low <= interval.high, "{name}: {interval:?}");
        // The interval contains the value.
        let slack = 1e-9 * value.abs();
        prop_assert!(interval.low <= value + slack && value <= interval.high + slack, "{name} {value}: {interval:?}");
        prop_assert_eq!(interval.level, 0.95);
        prop_assert!(!interval.method.is_empty());
        prop_assert!(cycles >= 2, "{name}: an interval of {cycles} cycles");
    }
    if let Some(bootstrap) = &metric.bootstrap {
        prop_assert!(bootstrap.resamples.is_some() && bootstrap.seed.is_some(), "{name}: {bootstrap:?}");
    }
    Ok(())
}

fn found(summary: &Summary, check: Check) -> bool {
    summary.benches.iter().flat_map(|bench| &bench.findings).any(|finding| finding.check == check)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn metrics_are_finite_or_have_a_reason(plan in plan()) {
        let journals = journals(&plan);
        let summary = summarise(&journals, &options()).unwrap();
        let again = summarise(&journals, &Options { threads: Some(1), ..options() }).unwrap();
        let [text, same] = [&summary, &again].map(|summary| serde_json::to_string(summary).unwrap());
        prop_assert!(text == same, "the result depends on the number of threads");
        prop_assert!(serde_json::from_str::<Summary>(&text).unwrap() == summary, "the JSON does not round-trip");
        let bench = &summary.benches[0];
        for (name, metric) in &bench.metrics {
            check(name, metric, plan.cycles.len())?;
        }
        for cycle in &bench.cycles {
            prop_assert!(cycle.idle_w.is_none_or(|watts| watts.get().is_finite()), "{cycle:?}");
        }
        if plan.missing.is_some() {
            prop_assert!(found(&summary, Check::ProcessMissing));
            prop_assert_eq!(bench.status, Status::Invalid);
        }
        if plan.unfinished.is_some_and(|rank| Some(rank) != plan.missing) {
            prop_assert_eq!(&bench.ended, &None);
            prop_assert!(bench.status != Status::Valid, "{:?}", bench.findings);
        }
        if plan.cycles.len() < 2 {
            prop_assert!(bench.metrics.values().all(|metric| metric.interval.is_none()));
        }
    }

    /// Each joule counts once, each token of each process, and the time from the first start to the last stop.
    #[test]
    fn sums_are_over_all_processes(
        world in 1_u32..4,
        shared: bool,
        cycles in prop::collection::vec(prop::collection::vec((90.0..110.0, 900_u64..1100, 1_u64..5), 3), 2..9),
    ) {
        let cycle = |shares: &Vec<(f64, u64, u64)>| {
            let share = |&(joules, tokens, seconds): &(f64, u64, u64)| Share {
                joules,
                idle_w: Some(20.0),
                length: seconds * 1_000_000_000,
                tokens,
                failed: 0,
            };
            shares.iter().take(world as usize).map(share).collect()
        };
        let plan = Plan { world, shared, cycles: cycles.iter().map(cycle).collect(), missing: None, unfinished: None };
        let summary = summarise(&journals(&plan), &options()).unwrap();
        let bench = &summary.benches[0];
        let counted = if shared { 1 } else { world as usize };
        let joules: f64 = plan.cycles.iter().flat_map(|shares| &shares[..counted]).map(|share| share.joules).sum();
        let tokens: u64 = plan.cycles.iter().flatten().map(|share| share.tokens).sum();
        let longest = |shares: &Vec<Share>| shares.iter().map(|share| share.length).max().unwrap() as f64 * 1e-9;
        let seconds: f64 = plan.cycles.iter().map(longest).sum();
        let near = |name: &str, want: f64| {
            let got = bench.metrics[name].value.unwrap();
            prop_assert!((got - want).abs() <= 1e-9 * want, "{name}: {got} instead of {want}");
            Ok(())
        };
        near("j_per_output_token", joules / tokens as f64)?;
        near("output_tokens_per_s", tokens as f64 / seconds)?;
        near("mean_power_w", joules / seconds)?;
        let idle: f64 = plan.cycles.iter().flat_map(|shares| &shares[..counted]).map(|s| 20.0 * s.length as f64 * 1e-9).sum();
        near("net_j_per_output_token", (joules - idle) / tokens as f64)?;
    }
}

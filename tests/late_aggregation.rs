//! The summary of eight processes agrees with an independent tool on the same input
//! (`tests/reference/late-aggregation.md` defines the input by formulas and lists the results).

use lem_bench::__private::analysis::{Options, ReadJournal, summarise, summarise_read};
use lem_bench::__private::model::{
    BenchEnd, CycleRecord, DomainEnergy, IdleBlock, Record, RequestLog, RunEnd, RunHeader, SCHEMA_VERSION,
    WindowRecord, WorkCounts,
};
use lem_bench::meter::{Domain, DomainId, DomainKind, Origin};
use lem_bench::summary::{BenchRecord, Fact, MeterProbe, Method, Outcome, RunOrder, Trace, TracePoint};
use lem_bench::summary::{Status, Summary};
use lem_bench::units::{Joules, Stamp, Watts};

const PROCESSES: u64 = 8;
const REQUESTS: u64 = 10_000;
const INTERVALS: u64 = 31;
const SECOND: u64 = 1_000_000_000;

/// Converts units of 0.05 ms to ns.
fn twentieths(ms_times_20: u64) -> u64 {
    ms_times_20 * 50_000
}

fn requests(p: u64) -> RequestLog {
    let mut log = RequestLog::default();
    for i in 0..REQUESTS {
        log.ttft_ns.push(twentieths(20 * 20 + 2 * ((6007 * i + 7 * p) % 997)));
        log.latency_ns.push(twentieths(100 * 20 + 2 * ((7919 * i + 104_729 * p) % 10_007)));
        log.itl_ns.extend((1..=INTERVALS).map(|j| twentieths(10 * 20 + (31 * i + 17 * j + p) % 101)));
        log.itl_count.push(INTERVALS as u32);
    }
    log
}

/// Returns a trace with 5,000 samples of utilisation over the window, and the memory in use.
fn device_trace(p: u64) -> Trace {
    let at = |k: u64| Stamp(SECOND + k * SECOND / 10);
    {
        let mut trace = Trace::new(DomainId::new(format!("gpu:{p}")));
        trace.utilisation = (0..5000).map(|k| TracePoint(at(k), ((13 * k + p) % 101) as f64 / 100.0)).collect();
        trace.memory_bytes = vec![TracePoint(at(0), (30_000 + p) as f64 * 1e6)];
        trace
    }
}

fn journal(p: u64) -> Vec<Record> {
    let domain = DomainId::new(format!("gpu:{p}"));
    let (start, stop) = (Stamp(SECOND), Stamp(SECOND + (500 + p) * SECOND));
    let joules = Joules(100_000.0 + 1000.0 * p as f64);
    let energy = DomainEnergy {
        domain: domain.clone(),
        joules,
        low: joules,
        high: joules,
        uncertainty: None,
        method: Method::Counter,
        cross_check: None,
        cross_check_bounds: None,
    };
    let work =
        WorkCounts { requests: REQUESTS, input_tokens: 640_000, output_tokens: 320_000, ..WorkCounts::default() };
    let probe = MeterProbe::new("test", Origin::Measured, Vec::new());
    let label = "card".to_owned();
    vec![
        Record::Run(Box::new(RunHeader {
            schema_version: SCHEMA_VERSION,
            lem_bench: "test".into(),
            run_id: "reference".into(),
            rank: p as u32,
            world: PROCESSES as u32,
            target: "reference".into(),
            started_unix_s: 0.0,
            started: Stamp(0),
            seed: 1,
            probe,
            domains: vec![Domain::new(domain.clone(), DomainKind::Gpu, label)],
            headline: vec![domain.clone()],
            notes: Vec::new(),
            settings: Vec::new(),
            environment: Vec::new(),
            debug_build: false,
            plan: Vec::new(),
            shard: None,
            order: RunOrder::default(),
            evidence: lem_bench::__private::model::RunEvidence::default(),
        })),
        Record::Bench({
            let mut bench = BenchRecord::new("generate", "reference");
            bench.place = "reference.rs:1".into();
            bench.schedule = std::collections::BTreeMap::new();
            bench
        }),
        Record::Cycle(Box::new(CycleRecord {
            bench: "generate".into(),
            index: 0,
            idle: Some(IdleBlock { start: Stamp(0), stop: start, power: vec![(domain, Watts(60.0))] }),
            windows: vec![WindowRecord { start, stop, energy: vec![energy], work }],
            requests: requests(p),
            temperature_c: Vec::new(),
            ramp_in_capped: false,
            spans: Vec::new(),
            traces: vec![device_trace(p)],
            events: Vec::new(),
            sampler_cpu: None,
            process_cpu_s: None,
            evidence: lem_bench::__private::model::CycleEvidence::default(),
            custom_metrics: Vec::new(),
        })),
        Record::BenchEnd(BenchEnd {
            bench: "generate".into(),
            outcome: Outcome::Completed,
            last_failure: None,
            precision: None,
            at: stop,
        }),
        Record::RunEnd(RunEnd { at: stop, benches: 1 }),
    ]
}

fn summary(processes: impl Iterator<Item = u64>) -> Summary {
    let journals: Vec<Vec<Record>> = processes.map(journal).collect();
    summarise(&journals, &Options { resamples: 100, ..Options::default() }).expect("the journals have run headers")
}

fn assert_metric(summary: &Summary, metric: &str, expected: f64) {
    let value = summary.benches[0].metrics[metric].value.expect(metric);
    assert!((value - expected).abs() <= 1e-9 * expected.abs(), "{metric}: {value}, expected {expected}");
}

#[test]
fn eight_processes_match_reference() {
    let summary = summary(0..PROCESSES);
    let bench = &summary.benches[0];
    let cycle = &bench.cycles[0];
    assert_eq!(cycle.output_tokens + cycle.input_tokens, 7_680_000);
    assert_eq!(cycle.energy_j, Some(Joules(828_000.0)));
    let net = cycle.energy_j.unwrap().get() - cycle.idle_w.unwrap().get() * cycle.seconds;
    assert!((net - 586_320.0).abs() < 1e-6, "{net}");
    for (metric, expected) in [
        ("j_per_total_token", 0.107_812_5),
        ("j_per_output_token", 0.323_437_5),
        ("mean_process_tokens_per_s", 1_906.692_912_455_861_2),
        ("total_tokens_per_s", 7_680_000.0 / 507.0),
        ("latency_ms_mean", 600.312_586_25),
        ("latency_ms_p50", 600.3),
        ("latency_ms_p95", 1050.6),
        ("latency_ms_p99", 1090.601),
        ("ttft_ms_mean", 69.7667),
        ("ttft_ms_p50", 69.8),
        ("ttft_ms_p95", 114.605),
        ("ttft_ms_p99", 118.601),
        ("ttft_ms_min", 20.0),
        ("ttft_ms_max", 119.6),
        ("itl_steady_ms_mean", 12.499_995_603_448_276),
        ("itl_steady_ms_p50", 12.5),
        ("itl_steady_ms_p95", 14.75),
        ("itl_steady_ms_p99", 14.95),
        ("itl_ms_mean", 12.499_987_177_419_355),
        ("itl_ms_p99", 14.95),
        ("utilisation_percent_mean", 49.9824),
        ("peak_memory_mb", 30_007.0),
    ] {
        assert_metric(&summary, metric, expected);
    }
    assert_eq!(bench.metrics["itl_steady_ms_p50"].samples, Some(2_320_000));
}

#[test]
fn missing_process_is_invalid() {
    let summary = summary((0..PROCESSES).filter(|p| *p != 3));
    let bench = &summary.benches[0];
    assert_eq!(bench.status, Status::Invalid);
    assert!(bench.findings.iter().any(|f| f.evidence.contains("rank 3 of 8")), "{:?}", bench.findings);
}

#[test]
fn duplicate_process_counts_once() {
    let summary = summary((0..PROCESSES).chain([5]));
    assert_eq!(summary.benches[0].cycles[0].energy_j, Some(Joules(828_000.0)));
    assert_eq!(summary.benches[0].status, Status::Warning);
}

#[test]
fn shared_package_is_counted_once() {
    let mut journals: Vec<Vec<Record>> = [0, 1].map(journal).to_vec();
    for records in &mut journals {
        for record in records.iter_mut() {
            match record {
                Record::Run(header) => {
                    header.world = 2;
                    header.headline = vec![DomainId::new("cpu:package-0")];
                }
                Record::Cycle(cycle) => cycle.windows[0].energy[0].domain = DomainId::new("cpu:package-0"),
                _ => {}
            }
        }
    }
    let summary = summarise(&journals, &Options { resamples: 100, ..Options::default() }).unwrap();
    assert_eq!(summary.benches[0].cycles[0].energy_j, Some(Joules(100_000.0)));
    assert_eq!(summary.benches[0].cycles[0].output_tokens, 640_000);
}

/// Returns the names of the checks that found something about a run and its bench.
fn checks(journals: &[Vec<Record>]) -> Vec<String> {
    let summary =
        summarise(journals, &Options { resamples: 100, ..Options::default() }).expect("the journals have run headers");
    summary.findings.iter().chain(&summary.benches[0].findings).map(|finding| finding.check.name()).collect()
}

/// Asserts that the journals of two processes have a finding of this check after a change of the second, and not before.
fn assert_finds(check: &str, change: impl Fn(&mut Vec<Record>)) {
    let mut journals: Vec<Vec<Record>> = [0, 1].map(short_journal).to_vec();
    assert!(!checks(&journals).iter().any(|found| found == check), "{check} without a reason");
    change(&mut journals[1]);
    let found = checks(&journals);
    assert!(found.iter().any(|found| found == check), "no {check} in {found:?}");
}

/// Returns a journal of one of two processes with four short cycles and few requests.
fn short_journal(p: u64) -> Vec<Record> {
    let mut records = journal(p);
    for record in &mut records {
        match record {
            Record::Run(header) => {
                header.world = 2;
                let fact = |name: &str, value: &str| Fact::new(name, value);
                header.environment = vec![
                    fact("cpu model", "EPYC"),
                    fact("driver", "580.65"),
                    fact("host", &format!("node-{p}")),
                    fact("load average", &p.to_string()),
                ];
            }
            Record::Cycle(cycle) => {
                cycle.requests = RequestLog { latency_ns: vec![1_000; 20], ..RequestLog::default() }
            }
            _ => {}
        }
    }
    let at = records.iter().position(|record| matches!(record, Record::Cycle(_))).expect("a cycle");
    let Record::Cycle(first) = records[at].clone() else { unreachable!("not a cycle") };
    for index in 1..4 {
        let mut next = first.clone();
        next.index = index;
        for window in &mut next.windows {
            let later = u64::from(index) * 1_000 * SECOND;
            (window.start, window.stop) = (Stamp(window.start.0 + later), Stamp(window.stop.0 + later));
        }
        records.insert(at + index as usize, Record::Cycle(next));
    }
    records
}

fn header(records: &mut [Record]) -> &mut RunHeader {
    let found =
        records.iter_mut().find_map(|record| if let Record::Run(header) = record { Some(header) } else { None });
    found.expect("a header")
}

#[test]
fn each_incompleteness_has_its_check() {
    assert_finds("process_unfinished", |records| {
        records.retain(|r| !matches!(r, Record::BenchEnd(_) | Record::RunEnd(_)));
    });
    assert_finds("cycles_missing", |records| {
        records.retain(|r| !matches!(r, Record::Cycle(cycle) if cycle.index == 1));
    });
    assert_finds("completeness", |records| records.retain(|r| !matches!(r, Record::Cycle(cycle) if cycle.index == 3)));
    assert_finds("windows_apart", |records| {
        // On one host: the clocks of two hosts are unrelated.
        header(records).environment[2].value = "node-0".into();
        for record in records {
            if let Record::Cycle(cycle) = record
                && cycle.index == 2
            {
                let window = &mut cycle.windows[0];
                (window.start, window.stop) = (window.stop, Stamp(window.stop.0 + 600 * SECOND));
            }
        }
    });
    assert_finds("mixed_schema", |records| header(records).schema_version = SCHEMA_VERSION - 1);
    assert_finds("mixed_environment", |records| header(records).environment[1].value = "570.1".into());
    assert_finds("mixed_environment", |records| header(records).environment[0].value = "Xeon".into());
    assert_finds("mixed_environment", |records| header(records).lem_bench = "another".into());
    assert_finds("bench_failed", |records| {
        for record in records {
            if let Record::BenchEnd(end) = record {
                end.outcome = Outcome::Failed { message: "out of memory".into() };
            }
        }
    });
    assert!(checks(&[short_journal(0)]).contains(&"process_missing".to_owned()));
    assert!(checks(&[short_journal(0), short_journal(1), short_journal(1)]).contains(&"process_duplicate".to_owned()));
}

#[test]
fn damaged_journals_are_findings() {
    let (journals, damage) =
        ([short_journal(0), short_journal(1)], ["line 7 is damaged".to_owned(), "so is 9".to_owned()]);
    let read =
        [ReadJournal { records: &journals[0], damage: &[] }, ReadJournal { records: &journals[1], damage: &damage }];
    let summary = summarise_read(&read, &(), &Options { resamples: 100, ..Options::default() });
    let summary = summary.unwrap().summary;
    assert_eq!(summary.findings.len(), 1, "{:?}", summary.findings);
    assert_eq!(summary.findings[0].check.name(), "journal_damaged");
    assert_eq!(summary.findings[0].evidence, "the journal of rank 1 is damaged: line 7 is damaged (and 1 more)");
}

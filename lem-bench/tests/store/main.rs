//! The store through its public API: round trips, damaged files, full disks and killed processes.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "test helpers; some print why they skip")]

mod damage;
mod full_disk;
mod journals;
mod scale;
mod two_processes;

use std::collections::BTreeMap;

use lem_bench::__private::model::{
    BenchEnd, CycleRecord, DomainEnergy, IdleBlock, IdleKind, IdleRecord, PhaseSpan, Record, RequestLog, RunEnd,
    RunHeader, SCHEMA_VERSION, SensorEvent, SensorEventKind, WarmUpRecord, WindowRecord, WorkCounts,
};
use lem_bench::__private::runner::{Event, Observer, ObserverError};
use lem_bench::__private::store::{Home, Journal, JournalName, JournalWriter, RunDir, RunId, StoreError, read_journal};
use lem_bench::meter::{Domain, DomainId, DomainKind, Origin};
use lem_bench::summary::{
    BenchRecord, ChannelProbe, Fact, MeterProbe, Method, Outcome, RunOrder, Setting, Span, SpanKind, Trace, TracePoint,
    WarmUpCode,
};
use lem_bench::units::{Joules, Stamp, Watts};

/// A number that needs 17 decimal digits.
const AWKWARD: f64 = 0.1 + 0.2;

fn gpu() -> DomainId {
    DomainId::new("gpu:0")
}

fn header(rank: u32) -> Record {
    Record::Run(Box::new(RunHeader {
        schema_version: SCHEMA_VERSION,
        lem_bench: "0.1.0".into(),
        run_id: "2026-11-23T14-05-33Z-a1b2".into(),
        rank,
        world: 8,
        target: "llm".into(),
        started_unix_s: 1_795_442_733.123_456_7,
        started: Stamp(u64::MAX),
        seed: u64::MAX - 1,
        probe: {
            let mut probe = MeterProbe::new(
                "nvml",
                Origin::Measured,
                vec![{
                    let mut channel = ChannelProbe::new(gpu(), true);
                    channel.update_period_s = Some(f64::MIN_POSITIVE);
                    channel.read_cost_s = 1e-300;
                    channel.updates = 7;
                    channel
                }],
            );
            probe.temperature = true;
            probe
        },
        domains: vec![Domain::new(gpu(), DomainKind::Gpu, "\"H200\"\n\u{0}\u{2028}é")],
        headline: vec![gpu()],
        notes: vec!["a\ttab".into()],
        settings: vec![Setting::new("cycles", "10", "flag")],
        environment: vec![Fact::new("cpu model", String::new())],
        debug_build: false,
        plan: Vec::new(),
        shard: None,
        order: RunOrder::default(),
        evidence: lem_bench::__private::model::RunEvidence::default(),
    }))
}

fn block() -> IdleBlock {
    IdleBlock { start: Stamp(1), stop: Stamp(2), power: vec![(gpu(), Watts(AWKWARD))] }
}

fn trace() -> Trace {
    let mut trace = Trace::new(gpu());
    trace.power_w = vec![TracePoint(Stamp(7_000), 1.0 / 3.0)];
    trace.utilisation = vec![TracePoint(Stamp(8_000), 0.1)];
    trace
}

fn cycle(index: u32, requests: RequestLog) -> Record {
    let energy = DomainEnergy {
        domain: gpu(),
        joules: Joules(AWKWARD),
        low: Joules(-0.0),
        high: Joules(f64::MAX),
        uncertainty: None,
        method: Method::Counter,
        cross_check: Some(Joules(5e-324)),
        cross_check_bounds: Some((Joules(-0.0), Joules(5e-324))),
    };
    let work = WorkCounts { requests: 3, units: BTreeMap::from([("images".into(), 9)]), ..WorkCounts::default() };
    let event = SensorEvent { at: Stamp(3), domain: gpu(), kind: SensorEventKind::Throttled, detail: "hot".into() };
    Record::Cycle(Box::new(CycleRecord {
        bench: "decode/batch=4".into(),
        index,
        idle: Some(block()),
        windows: vec![WindowRecord { start: Stamp(5), stop: Stamp(9), energy: vec![energy], work }],
        requests,
        temperature_c: vec![(gpu(), 40.25, 61.0)],
        ramp_in_capped: true,
        spans: vec![Span::new(SpanKind::Window, Stamp(5), Stamp(9))],
        traces: vec![trace()],
        events: vec![event],
        sampler_cpu: Some(0.001),
        process_cpu_s: None,
        evidence: lem_bench::__private::model::CycleEvidence::default(),
        custom_metrics: Vec::new(),
    }))
}

fn times(index: u32) -> RequestLog {
    let wide = if index.is_multiple_of(2) { 5 } else { u64::from(u32::MAX) + 1 };
    let phase = PhaseSpan { name: "prefill".into(), start: Stamp(5), stop: Stamp(6) };
    RequestLog {
        latency_ns: vec![10, 20, wide],
        ttft_ns: vec![1, 2, 3],
        itl_ns: (0..7).map(|i| i * 1000 + u64::from(index)).collect(),
        itl_count: vec![3, 0, 4],
        tpot_ns: vec![500, wide],
        phases: vec![phase],
        thinned: None,
    }
}

/// Returns one record of each kind, with three cycles, one of them without requests.
fn records(rank: u32) -> Vec<Record> {
    let bench = "decode/batch=4".to_owned();
    vec![
        header(rank),
        Record::Idle(IdleRecord { kind: IdleKind::Bare, bench: None, blocks: vec![block(), block()] }),
        Record::Bench({
            let mut bench = BenchRecord::new(bench.clone(), "llm");
            bench.name = "decode".into();
            bench.description = Some("Greedy decoding.".into());
            bench.place = "benches/llm.rs:12".into();
            bench.params = vec![("batch".into(), "4".into())];
            bench.tags = vec!["slow".into()];
            bench.schedule = BTreeMap::from([("cycles".into(), 3.0)]);
            bench
        }),
        Record::WarmUp(WarmUpRecord {
            bench: bench.clone(),
            start: Stamp(3),
            stop: Stamp(4),
            code: WarmUpCode::NoDriftDetected,
            bound: Some(AWKWARD),
            temperature_steady: None,
            probes_s: vec![0.1, 0.2, 0.3],
            traces: vec![trace()],
        }),
        cycle(0, times(0)),
        cycle(1, RequestLog::default()),
        cycle(2, times(1)),
        Record::BenchEnd(BenchEnd {
            bench,
            outcome: Outcome::Panicked { message: "no\nway".into() },
            last_failure: None,
            precision: None,
            at: Stamp(10),
        }),
        Record::RunEnd(RunEnd { at: Stamp(11), benches: 1 }),
    ]
}

/// Reads a journal with its request times and traces.
fn read_whole(path: &std::path::Path) -> Result<Journal, StoreError> {
    let mut journal = read_journal(path)?;
    let (mut records, mut lost) = (journal.records.clone(), Vec::new());
    let take = |traces: Result<Vec<Trace>, String>, lost: &mut Vec<String>| {
        traces.unwrap_or_else(|why| {
            lost.push(why);
            Vec::new()
        })
    };
    for (index, record) in records.iter_mut().enumerate() {
        match record {
            Record::Cycle(cycle) => {
                lost.extend(journal.load_requests(index, cycle).err());
                cycle.traces = take(journal.traces(index), &mut lost);
            }
            Record::WarmUp(warm_up) => warm_up.traces = take(journal.traces(index), &mut lost),
            _ => {}
        }
    }
    journal.records = records;
    journal.damage.append(&mut lost);
    Ok(journal)
}

fn run_in(folder: &std::path::Path) -> RunDir {
    RunDir::join(&Home::at(folder), RunId::parse("run").unwrap()).unwrap()
}

fn write(run: &RunDir, rank: u32, records: &[Record]) -> Result<JournalWriter, ObserverError> {
    let mut writer = JournalWriter::create(run, JournalName { rank, pid: None }).unwrap();
    records.iter().try_for_each(|record| writer.on(&Event::Record(record)))?;
    Ok(writer)
}

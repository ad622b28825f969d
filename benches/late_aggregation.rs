//! Aggregation at scale: writes the journals of eight processes with 10,000 requests of 128 tokens each (10 million
//! inter-token latencies) as a run does, reads them and aggregates them.
//!
//! `cargo bench --bench late_aggregation [-- CYCLES]` prints the time of each round and the peak memory of this
//! process. Exits with 1 if the best round takes 0.5 s or more, or if the memory is 0.5 GB or more.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use lem_bench::__private::analysis::{Options, ReadJournal, summarise_read};
use lem_bench::__private::model::{
    BenchEnd, CycleEvidence, CycleRecord, DomainEnergy, IdleBlock, Record, RequestLog, RunEnd, RunEvidence, RunHeader,
    SCHEMA_VERSION, WindowRecord, WorkCounts,
};
use lem_bench::__private::runner::{Event, Observer};
use lem_bench::__private::store::{Home, Journal, JournalName, JournalWriter, RunDir, read_run};
use lem_bench::meter::{Domain, DomainId, DomainKind, Origin};
use lem_bench::summary::Summary;
use lem_bench::summary::{BenchRecord, MeterProbe, Method, Outcome, RunOrder};
use lem_bench::units::{Joules, Stamp, Watts};
use rand::rngs::Xoshiro256PlusPlus;
use rand::{Rng, SeedableRng};

const PROCESSES: u32 = 8;
const REQUESTS: u64 = 10_000;
const TOKENS: u64 = 128;
const ROUNDS: usize = 5;

const MAX_SECONDS: f64 = 0.5;
const MAX_BYTES: f64 = 0.5e9;

type BoxError = Box<dyn std::error::Error>;

fn main() -> Result<ExitCode, BoxError> {
    // Skips `--bench`, which cargo adds.
    let cycles = std::env::args().skip(1).find(|arg| !arg.starts_with('-'));
    let cycles: u32 = cycles.map_or(Ok(10), |cycles| cycles.parse())?;
    let folder = tempfile::tempdir()?;
    let home = Home::at(folder.path());
    let run = RunDir::create(&home)?;
    for rank in 0..PROCESSES {
        write(&run, rank, cycles)?;
    }
    let mut out = io::stdout().lock();
    let mut best = f64::INFINITY;
    for _ in 0..ROUNDS {
        let (summary, read, aggregated, cpu) = aggregate(run.path())?;
        best = best.min(read + aggregated);
        let bench = summary.benches.first().ok_or("the summary has no bench")?;
        let p99 = &bench.metrics["itl_ms_p99"];
        writeln!(
            out,
            "read {read:.3} s, aggregate {aggregated:.3} s, total {:.3} s (CPU time {cpu:.3} s); p99 of {} intervals \
             in {} cycles: {:.3} ms",
            read + aggregated,
            p99.samples.unwrap_or(0),
            p99.cycles,
            p99.value.unwrap_or(f64::NAN),
        )?;
    }
    // On a system that does not report the memory, only the time is checked.
    let peak = peak_bytes().unwrap_or(0.0);
    writeln!(out, "best round {best:.3} s (limit {MAX_SECONDS}), peak memory {:.3} GB (limit 0.5)", peak / 1e9)?;
    let passed = best < MAX_SECONDS && peak < MAX_BYTES;
    Ok(ExitCode::from(u8::from(!passed)))
}

/// Reads and aggregates once. Returns the summary, the seconds of each step, and the CPU time of both.
fn aggregate(folder: &Path) -> Result<(Summary, f64, f64, f64), BoxError> {
    let (start, cpu) = (Instant::now(), cpu_seconds());
    let journals = read_run(folder)?;
    let read = start.elapsed().as_secs_f64();
    let records: Vec<ReadJournal<'_>> =
        journals.iter().map(|Journal { records, damage, .. }| ReadJournal { records, damage }).collect();
    let load = |journal: usize, record: usize, cycle: &mut CycleRecord| journals[journal].load_requests(record, cycle);
    let summary = summarise_read(&records, &load, &Options::default())?.summary;
    let total = start.elapsed().as_secs_f64();
    Ok((summary, read, total - read, cpu_seconds() - cpu))
}

/// Writes the journal of one process, cycle by cycle, to use little memory.
fn write(run: &RunDir, rank: u32, cycles: u32) -> Result<(), BoxError> {
    let mut journal = JournalWriter::create(run, JournalName { rank, pid: None })?;
    let mut append = |record: Record| journal.on(&Event::Record(&record)).map_err(BoxError::from);
    let domain = DomainId::new(format!("gpu:{rank}"));
    append(Record::Run(Box::new(header(rank, &domain))))?;
    append(Record::Bench(bench(cycles)))?;
    let mut noise = Noise(Xoshiro256PlusPlus::seed_from_u64(u64::from(rank)));
    for index in 0..cycles {
        append(Record::Cycle(Box::new(cycle(index, cycles, &domain, &mut noise))))?;
    }
    let at = Stamp(u64::from(cycles + 1) * 60_000_000_000);
    append(Record::BenchEnd(BenchEnd {
        bench: "generate".into(),
        outcome: Outcome::Completed,
        last_failure: None,
        precision: None,
        at,
    }))?;
    append(Record::RunEnd(RunEnd { at, benches: 1 }))
}

fn header(rank: u32, domain: &DomainId) -> RunHeader {
    RunHeader {
        schema_version: SCHEMA_VERSION,
        lem_bench: env!("CARGO_PKG_VERSION").into(),
        run_id: "speed".into(),
        rank,
        world: PROCESSES,
        target: "speed".into(),
        started_unix_s: 0.0,
        started: Stamp(0),
        seed: 1,
        probe: MeterProbe::new("generated", Origin::Simulated, Vec::new()),
        domains: vec![Domain::new(domain.clone(), DomainKind::Gpu, "card")],
        headline: vec![domain.clone()],
        notes: Vec::new(),
        settings: Vec::new(),
        environment: Vec::new(),
        debug_build: false,
        evidence: RunEvidence::default(),
        plan: Vec::new(),
        shard: None,
        order: RunOrder::default(),
    }
}

fn bench(cycles: u32) -> BenchRecord {
    {
        let mut bench = BenchRecord::new("generate", String::new());
        bench.schedule = BTreeMap::from([("cycles".into(), f64::from(cycles))]);
        bench
    }
}

/// Returns a cycle of 50 s after 10 s of rest, with its part of the requests.
fn cycle(index: u32, cycles: u32, domain: &DomainId, noise: &mut Noise) -> CycleRecord {
    let second = |s: u64| Stamp((u64::from(index) * 60 + s) * 1_000_000_000);
    let requests =
        REQUESTS * u64::from(index + 1) / u64::from(cycles) - REQUESTS * u64::from(index) / u64::from(cycles);
    let level = 1.0 + 0.01 * noise.unit();
    let joules = Joules(level * 2.5 * (requests * TOKENS) as f64);
    let mut log = RequestLog::default();
    for _ in 0..requests {
        // Right-skewed around 12 ms, like the inter-token latency of a server.
        let intervals = (1..TOKENS).map(|_| (level * 12e6 * (0.9 - 0.1 * (1.0 - noise.unit()).ln())) as u64);
        let before = log.itl_ns.len();
        log.itl_ns.extend(intervals);
        let first = (20e6 * (1.0 + noise.unit())) as u64;
        log.ttft_ns.push(first);
        log.latency_ns.push(first + log.itl_ns[before..].iter().sum::<u64>());
        log.itl_count.push(TOKENS as u32 - 1);
    }
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
        WorkCounts { requests, input_tokens: 64 * requests, output_tokens: TOKENS * requests, ..WorkCounts::default() };
    CycleRecord {
        bench: "generate".into(),
        index,
        idle: Some(IdleBlock { start: second(5), stop: second(9), power: vec![(domain.clone(), Watts(60.0))] }),
        windows: vec![WindowRecord { start: second(10), stop: second(60), energy: vec![energy], work }],
        requests: log,
        temperature_c: Vec::new(),
        ramp_in_capped: false,
        spans: Vec::new(),
        traces: Vec::new(),
        events: Vec::new(),
        sampler_cpu: None,
        process_cpu_s: None,
        evidence: CycleEvidence::default(),
    }
}

struct Noise(Xoshiro256PlusPlus);

impl Noise {
    /// Returns a uniform number in [0, 1).
    fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Returns the CPU time of all threads of this process, in seconds. NaN if the system does not report it.
fn cpu_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // User and system time are fields 14 and 15, in hundredths of a second. The name in parentheses can contain spaces.
    let fields = text.rsplit(") ").next().unwrap_or_default();
    let ticks = fields.split(' ').skip(11).take(2).map(|field| field.parse::<f64>().unwrap_or(f64::NAN));
    ticks.sum::<f64>() / 100.0
}

fn peak_bytes() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|l| l.starts_with("VmHWM"))?;
    line.split_whitespace().nth(1)?.parse::<f64>().ok().map(|kb| kb * 1024.0)
}

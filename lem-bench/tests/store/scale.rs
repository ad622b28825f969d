//! Measures time and memory to read ten million token intervals.

use std::time::Instant;

use lem_bench::__private::model::{PhaseSpan, Record, RequestLog};
use lem_bench::__private::store::read_run;
use lem_bench::units::Stamp;

use crate::{cycle, header, run_in, write};

/// 8 processes × 10 cycles × 1,000 requests × 127 intervals, without phases and with two per request.
#[test]
#[ignore = "a measurement: run it with --release"]
fn ten_million_intervals() {
    for phases in [0, 2] {
        measure(phases);
    }
}

fn measure(phases: u64) {
    let phase = |i| PhaseSpan { name: "prefill".into(), start: Stamp(1 << 50 | i), stop: Stamp((1 << 50) + 9 + i) };
    println!("{phases} phases per request");
    let folder = tempfile::tempdir().unwrap();
    let run = run_in(folder.path());
    for rank in 0..8 {
        let mut records = vec![header(rank)];
        records.extend((0..10).map(|index| {
            let requests = RequestLog {
                latency_ns: (0..1000).map(|i| 1_600_000_000 + i).collect(),
                ttft_ns: (0..1000).map(|i| 20_000_000 + i).collect(),
                itl_ns: (0..127_000).map(|i| 10_000_000 + (31 * i + u64::from(rank)) % 5_000_000).collect(),
                itl_count: vec![127; 1000],
                tpot_ns: Vec::new(),
                phases: (0..1000 * phases).map(phase).collect(),
                thinned: None,
            };
            cycle(index, requests)
        }));
        let began = Instant::now();
        write(&run, rank, &records).unwrap();
        println!("rank {rank}: 10 cycles written in {:?}", began.elapsed());
    }
    for _ in 0..5 {
        let began = Instant::now();
        let journals = read_run(run.path()).unwrap();
        let mut intervals = 0;
        for journal in &journals {
            for (index, record) in journal.records.iter().enumerate() {
                if let Record::Cycle(cycle) = record {
                    let mut cycle = cycle.clone();
                    journal.load_requests(index, &mut cycle).unwrap();
                    intervals += cycle.requests.itl_ns.len();
                }
            }
        }
        let elapsed = began.elapsed();
        assert_eq!(intervals, 10_160_000);
        let peak = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let peak = peak.lines().find(|line| line.starts_with("VmHWM")).unwrap_or("no peak");
        println!("10,160,000 intervals read in {elapsed:?}; {peak}");
    }
}

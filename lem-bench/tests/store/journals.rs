//! Journals round-trip bit for bit, from one process and from several.

use std::path::Path;

use lem_bench::__private::model::{Record, RequestLog};
use lem_bench::__private::runner::{Event, Observer, ObserverError, Progress, Stage};
use lem_bench::__private::store::{JournalName, JournalWriter, StoreError, read_run};

use crate::{cycle, header, read_whole, records, run_in, times, write};

/// The message with the temporary folder replaced.
fn without_folder(error: &ObserverError, folder: &Path) -> String {
    error.0.replace(folder.to_str().unwrap(), "HOME")
}

#[test]
fn every_record_round_trips() {
    let folder = tempfile::tempdir().unwrap();
    let run = run_in(folder.path());
    let writer = write(&run, 0, &records(0)).unwrap();
    assert_eq!(writer.cycles(), 3);
    let journal = read_whole(writer.path()).unwrap();
    assert_eq!(journal.records, records(0));
    // `==` does not distinguish -0.0 from 0.0.
    assert_eq!(format!("{:?}", journal.records), format!("{:?}", records(0)));
    assert_eq!((journal.complete, journal.torn, journal.damage.as_slice()), (true, false, [].as_slice()));
    assert_eq!(journal.header().unwrap().seed, u64::MAX - 1);
}

#[test]
fn writes_record_before_returning() {
    let folder = tempfile::tempdir().unwrap();
    let run = run_in(folder.path());
    let mut writer = JournalWriter::create(&run, JournalName { rank: 0, pid: None }).unwrap();
    for (n, record) in records(0).iter().enumerate() {
        writer.on(&Event::Record(record)).unwrap();
        let journal = read_whole(writer.path()).unwrap();
        assert_eq!(journal.records, records(0)[..=n]);
        assert_eq!(journal.complete, matches!(record, Record::RunEnd(_)));
    }
    let progress = Progress {
        bench: None,
        stage: Stage::Gap,
        cycle: (0, 1),
        lasts: std::time::Duration::ZERO,
        left: std::time::Duration::ZERO,
        call: std::time::Duration::ZERO,
    };
    writer.on(&Event::Progress(progress)).unwrap();
    assert_eq!(read_whole(writer.path()).unwrap().records.len(), records(0).len());
}

#[test]
fn request_times_are_not_in_lines() {
    let folder = tempfile::tempdir().unwrap();
    let run = run_in(folder.path());
    let long =
        RequestLog { itl_ns: (0..100_000).map(|i| 10_000_000 + i * 7_919_777 % 4_000_000).collect(), ..times(0) };
    let records = [header(0), cycle(0, long)];
    let writer = write(&run, 0, &records).unwrap();
    let line = std::fs::read(writer.path()).unwrap().len();
    let samples = std::fs::metadata(run.path().join("samples-0.bin")).unwrap().len();
    assert!(line < 5_000, "{line} bytes");
    // Four bytes per interval. The header, seven other columns of a few bytes with their padding, and a trace.
    assert_eq!(samples, 400_000 + 16 + 7 * 8 + 48);
    assert_eq!(read_whole(writer.path()).unwrap().records, records);
}

#[test]
fn request_times_beyond_budget_are_thinned() {
    let folder = tempfile::tempdir().unwrap();
    let run = run_in(folder.path());
    let many = RequestLog { latency_ns: (0..1_000_000).map(|i| 1_000_000 + i * 7_919 % 900_000).collect(), ..times(0) };
    let Record::Bench(bench) = records(0).swap_remove(2) else { unreachable!() };
    let writer = JournalWriter::create(&run, JournalName { rank: 0, pid: None }).unwrap();
    let mut writer = writer.with_sample_budget(3);
    for record in [header(0), Record::Bench(bench), cycle(0, many.clone()), cycle(1, times(0))] {
        writer.on(&Event::Record(&record)).unwrap();
    }
    let samples = std::fs::metadata(run.path().join("samples-0.bin")).unwrap().len();
    // Three MiB for the three cycles of the plan: a fourth of the million times is kept, of three bytes each.
    assert!((730_000..750_000).contains(&samples), "{samples} bytes");
    let read = read_whole(writer.path()).unwrap();
    let [Record::Cycle(first), Record::Cycle(second)] = &read.records[2..] else {
        panic!("{} records", read.records.len())
    };
    let thinned = first.requests.thinned.clone().unwrap();
    assert_eq!((first.requests.latency_ns.len(), thinned.every), (250_000, 4));
    let sums = thinned.latency.unwrap();
    assert_eq!((sums.count, sums.total_ns), (1_000_000, many.latency_ns.iter().sum()));
    assert_eq!(second.requests, times(0), "a short cycle is kept as it is");
}

#[test]
fn processes_write_concurrently() {
    let folder = tempfile::tempdir().unwrap();
    let path: &Path = folder.path();
    std::thread::scope(|scope| {
        for rank in (0..8).rev() {
            scope.spawn(move || write(&run_in(path), rank, &records(rank)).unwrap());
        }
    });
    std::fs::write(run_in(path).path().join("summary.json"), "{}").unwrap();
    let journals = read_run(run_in(path).path()).unwrap();
    assert_eq!(journals.len(), 8);
    for (rank, journal) in (0..).zip(&journals) {
        let journal = read_whole(&journal.path).unwrap();
        assert_eq!(journal.records, records(rank));
        assert_eq!(journal.damage, [""; 0]);
    }
}

#[test]
fn journals_are_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let run = run_in(folder.path());
    let writer = write(&run, 0, &records(0)).unwrap();
    let again = JournalWriter::create(&run, JournalName { rank: 0, pid: None });
    assert!(matches!(again, Err(StoreError::Exists { .. })));
    JournalWriter::create(&run, JournalName { rank: 0, pid: Some(std::process::id()) }).unwrap();
    assert_eq!(read_whole(writer.path()).unwrap().records, records(0));
}

#[test]
fn stops_at_unreadable_record() {
    let folder = tempfile::tempdir().unwrap();
    let run = run_in(folder.path());
    let mut writer = write(&run, 0, &[header(0), cycle(0, times(0))]).unwrap();
    let Record::Cycle(mut broken) = cycle(1, times(0)) else { unreachable!() };
    broken.temperature_c[0].1 = f64::NAN;
    let error = writer.on(&Event::Record(&Record::Cycle(broken))).unwrap_err();
    insta::assert_snapshot!(without_folder(&error, folder.path()), @"cannot write a record to HOME/runs/run/journal-0.jsonl: it could not be read back (is a number in it not finite?): invalid type: null, expected f64; 1 cycle measured before is safe in HOME/runs/run/journal-0.jsonl");
    assert_eq!(writer.on(&Event::Record(&cycle(2, times(0)))), Err(error));
    let journal = read_whole(writer.path()).unwrap();
    assert_eq!((journal.records.len(), journal.torn, journal.damage.len()), (2, false, 0));
}

#[test]
fn removes_files_without_records() {
    let folder = tempfile::tempdir().unwrap();
    let run = run_in(folder.path());
    let name = JournalName { rank: 0, pid: None };
    let files = [name.journal_file(), name.samples_file()].map(|name| run.path().join(name));
    let exist = || files.each_ref().map(|file| file.exists());
    assert!(!JournalWriter::has_begun(&run, name).unwrap());
    // Samples without a journal, an empty journal, and one whose only line is truncated.
    for journal in [None, Some(""), Some("{\"record\":\"run\",")] {
        std::fs::write(&files[1], "samples").unwrap();
        if let Some(text) = journal {
            std::fs::write(&files[0], text).unwrap();
        }
        assert!(!JournalWriter::has_begun(&run, name).unwrap(), "{journal:?}");
        assert_eq!(exist(), [false, false], "{journal:?}");
    }
    let writer = write(&run, 0, &records(0)).unwrap();
    assert!(
        matches!(JournalWriter::has_begun(&run, name), Err(StoreError::Locked { .. })),
        "the writer holds the lock"
    );
    drop(writer);
    assert!(JournalWriter::has_begun(&run, name).unwrap());
    // A complete but damaged line was once a record: it is not removed.
    std::fs::write(&files[0], "{\"record\":\"run\"}\n").unwrap();
    assert!(JournalWriter::has_begun(&run, name).unwrap());
    assert_eq!(exist(), [true, true]);
}

#[test]
fn run_header_must_be_first_and_only() {
    let folder = tempfile::tempdir().unwrap();
    let run = run_in(folder.path());
    let error = write(&run, 0, &records(0)[1..]).unwrap_err();
    insta::assert_snapshot!(without_folder(&error, folder.path()), @"cannot write a record to HOME/runs/run/journal-0.jsonl: the first record, and no other, must be a run header of schema 3; nothing was saved");
    let error = write(&run, 1, &[header(1), header(1)]).unwrap_err();
    insta::assert_snapshot!(without_folder(&error, folder.path()), @"cannot write a record to HOME/runs/run/journal-1.jsonl: the first record, and no other, must be a run header of schema 3; no cycle was measured; the records before are safe in HOME/runs/run/journal-1.jsonl");
    let Record::Run(mut newer) = header(2) else { unreachable!() };
    newer.schema_version += 1;
    let error = write(&run, 2, &[Record::Run(newer)]).unwrap_err();
    insta::assert_snapshot!(without_folder(&error, folder.path()), @"cannot write a record to HOME/runs/run/journal-2.jsonl: the first record, and no other, must be a run header of schema 3; nothing was saved");
}

/// The Python code in the documentation of `store`, plus checks of the rest of the format.
const PYTHON: &str = r#"
import json, zlib
def read(column, samples):
    start, kind, count = column["offset"], column["dtype"], column["count"]
    if kind != "delta":
        width = int(kind[2:])
        part = samples[start : start + count * width]
        return [int.from_bytes(part[i : i + width], "little") for i in range(0, len(part), width)], part
    values, value, difference, shift = [], 0, 0, 0
    for byte in samples[start : start + column["bytes"]]:
        difference |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            value += (difference >> 1) ^ -(difference & 1)
            values.append(value % 2**64)
            difference = shift = 0
    return values, samples[start : start + column["bytes"]]
samples = open("samples-0.bin", "rb").read()
for line in open("journal-0.jsonl", "rb").read().splitlines():
    record = json.loads(line)
    assert line[-20:-10] == b',"crc32":"' and record["crc32"] == "%08x" % zlib.crc32(line[:-20]), line
    for name, c in record.get("columns", {}).items():
        values, part = read(c, samples)
        assert c["crc32"] == "%08x" % zlib.crc32(part) and c["offset"] % 8 == 0 and len(values) == c["count"]
        print(record["index"], name, *values)
assert samples[:8] == b"LEMSMPL\n" and samples[8:16] == bytes([3, 0, 0, 0, 0, 0, 0, 0])
"#;

#[test]
fn python_reads_documented_format() {
    let folder = tempfile::tempdir().unwrap();
    let run = run_in(folder.path());
    write(&run, 0, &records(0)).unwrap();
    let Ok(python) = std::process::Command::new("python3").args(["-c", PYTHON]).current_dir(run.path()).output() else {
        println!("skipped: python3 is not available");
        return;
    };
    let (stdout, stderr) = (String::from_utf8_lossy(&python.stdout), String::from_utf8_lossy(&python.stderr));
    assert!(python.status.success(), "{stderr}");
    let expected = "0 latency_ns 10 20 5\n0 ttft_ns 1 2 3\n0 itl_ns 0 1000 2000 3000 4000 5000 6000\n0 itl_count 3 0 4\n\
                    0 tpot_ns 500 5\n0 phase_name 0\n0 phase_gap_ns 10\n0 phase_length_ns 1\n\
                    2 latency_ns 10 20 4294967296\n2 ttft_ns 1 2 3\n2 itl_ns 1 1001 2001 3001 4001 5001 6001\n\
                    2 itl_count 3 0 4\n2 tpot_ns 500 4294967296\n2 phase_name 0\n2 phase_gap_ns 10\n2 phase_length_ns 1\n";
    assert_eq!(stdout, expected);
}

#[test]
fn reads_journal_of_schema_1() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/store/schema-1");
    let journals = lem_bench::__private::store::read_run(&folder).unwrap();
    assert_eq!(journals.len(), 1);
    let journal = read_whole(&journals[0].path).unwrap();
    assert!(journal.complete && journal.damage.is_empty(), "{:?}", journal.damage);
    assert_eq!(journal.header().unwrap().schema_version, 1);
    let summary = lem_bench::__private::analysis::summarise(
        std::slice::from_ref(&journal.records),
        &lem_bench::__private::analysis::Options::default(),
    )
    .unwrap();
    // The value computed by the version that wrote it, which did not correct for heat.
    let cycles = &summary.benches[0].cycles;
    let joules: f64 = cycles.iter().map(|cycle| cycle.energy_j.unwrap().get()).sum();
    let value = joules / cycles.iter().map(|cycle| cycle.output_tokens as f64).sum::<f64>();
    assert!((value / 2.7681983386075957 - 1.0).abs() < 1e-12, "{value}");
    assert_eq!(summary.benches[0].metrics["ttft_ms_p50"].samples, Some(3));
}

//! Hostile, truncated and corrupted files: readers report the damage, return what is intact, and never panic.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use lem_bench::__private::model::{Record, RequestLog};
use lem_bench::__private::store::{StoreError, read_run};
use proptest::prelude::*;

use crate::{header, read_whole, records, run_in, write};

/// Returns the bytes of a complete journal and of its samples file.
fn complete_bytes() -> &'static (Vec<u8>, Vec<u8>) {
    static BYTES: OnceLock<(Vec<u8>, Vec<u8>)> = OnceLock::new();
    BYTES.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let run = run_in(folder.path());
        let writer = write(&run, 0, &records(0)).unwrap();
        let read = |path: &Path| std::fs::read(path).unwrap();
        (read(writer.path()), read(&run.path().join("samples-0.bin")))
    })
}

/// Creates a complete journal and its samples file in a new folder.
fn complete_journal() -> (tempfile::TempDir, PathBuf, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let (path, samples) = (folder.path().join("journal-0.jsonl"), folder.path().join("samples-0.bin"));
    std::fs::write(&path, &complete_bytes().0).unwrap();
    std::fs::write(&samples, &complete_bytes().1).unwrap();
    (folder, path, samples)
}

fn change(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = std::fs::read(path).unwrap();
    change(&mut bytes);
    std::fs::write(path, bytes).unwrap();
}

/// Returns the bytes of a line with its checksum, as documented in `store`.
fn with_crc(object: &str) -> Vec<u8> {
    let body = object.strip_suffix('}').unwrap();
    format!("{body},\"crc32\":\"{:08x}\"}}\n", crc32fast::hash(body.as_bytes())).into_bytes()
}

fn without_times(record: &Record) -> Record {
    let mut record = record.clone();
    if let Record::Cycle(cycle) = &mut record {
        cycle.requests = RequestLog::default();
    }
    record
}

fn without_traces(record: &Record) -> Record {
    let mut record = record.clone();
    match &mut record {
        Record::Cycle(cycle) => cycle.traces.clear(),
        Record::WarmUp(warm_up) => warm_up.traces.clear(),
        _ => {}
    }
    record
}

#[test]
fn truncated_last_line_is_not_damage() {
    let (_folder, path, _) = complete_journal();
    let bytes = std::fs::read(&path).unwrap();
    let last = bytes.len() - bytes[..bytes.len() - 1].iter().rev().position(|b| *b == b'\n').unwrap() - 1;
    for cut in last + 1..bytes.len() - 1 {
        std::fs::write(&path, &bytes[..cut]).unwrap();
        let journal = read_whole(&path).unwrap();
        assert_eq!(journal.records, records(0)[..8], "cut at {cut}");
        assert_eq!((journal.complete, journal.torn, journal.damage.len()), (false, true, 0));
    }
    std::fs::write(&path, &bytes[..last]).unwrap();
    let journal = read_whole(&path).unwrap();
    assert_eq!((journal.records.len(), journal.complete, journal.torn), (8, false, false));
    // Only the line feed is missing: the record is complete.
    std::fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
    assert!(read_whole(&path).unwrap().complete);
}

#[test]
fn damaged_line_affects_one_record() {
    let (_folder, path, _) = complete_journal();
    let lines: Vec<Vec<u8>> =
        std::fs::read(&path).unwrap().split_inclusive(|b| *b == b'\n').map(<[u8]>::to_vec).collect();
    for damaged in 0..lines.len() {
        let mut lines = lines.clone();
        let middle = lines[damaged].len() / 2;
        lines[damaged][middle] ^= 1;
        std::fs::write(&path, lines.concat()).unwrap();
        let journal = read_whole(&path).unwrap();
        let mut expected = records(0);
        expected.remove(damaged);
        assert_eq!(journal.records, expected);
        assert_eq!(journal.damage, [format!("line {} is damaged: its checksum is wrong", damaged + 1)]);
        assert_eq!(journal.header().is_some(), damaged != 0);
        assert_eq!(journal.complete, damaged != 8);
    }
}

#[test]
fn damaged_samples_keep_cycles() {
    let (_folder, path, samples) = complete_journal();
    // After the header and the 48 bytes of the warm-up's trace.
    change(&samples, |bytes| bytes[16 + 48 + 2] ^= 4);
    let journal = read_whole(&path).unwrap();
    assert_eq!(journal.damage.len(), 1);
    insta::assert_snapshot!(journal.damage.join("\n"), @"line 5: the request times of cycle 1 of `decode/batch=4` are lost: column `latency_ns` is damaged: its checksum is wrong");
    assert_eq!(journal.records[4], without_times(&records(0)[4]));
    assert_eq!(journal.records[6], records(0)[6]);

    std::fs::remove_file(&samples).unwrap();
    let journal = read_whole(&path).unwrap();
    assert_eq!(journal.damage.len(), 4, "the warm-up and three cycles: {:?}", journal.damage);
    let without_samples = |record: &Record| without_traces(&without_times(record));
    assert_eq!(journal.records, records(0).iter().map(without_samples).collect::<Vec<_>>());
}

#[test]
fn rejects_unknown_schema() {
    let (_folder, path, _) = complete_journal();
    for (found, object) in
        [(4, r#"{"record":"run","schema_version":4,"something":"new"}"#), (0, r#"{"record":"run","schema_version":0}"#)]
    {
        std::fs::write(&path, with_crc(object)).unwrap();
        let error = read_whole(&path).unwrap_err();
        assert!(matches!(error, StoreError::Schema { known: 3, .. }), "{error}");
        assert!(error.to_string().contains(&format!("has schema version {found}; this build reads 1 to 3")), "{error}");
        assert!(read_run(path.parent().unwrap()).is_err());
    }
    assert!(StoreError::remedy(&read_whole(&path).unwrap_err()).is_some());
}

#[test]
fn reports_unknown_lines_briefly() {
    let (_folder, path, _) = complete_journal();
    change(&path, |bytes| {
        bytes.extend(with_crc(r#"{"record":"from_the_future","x":1}"#));
        bytes.extend(with_crc(r#"{"record":"run_end","at":-5,"benches":1}"#));
        bytes.extend(with_crc(&format!(r#"{{"record":"{}"}}"#, "x".repeat(100_000))));
        bytes.extend(vec![b'\n'; 100_000]);
    });
    let journal = read_whole(&path).unwrap();
    assert_eq!(journal.records, records(0));
    insta::assert_snapshot!(journal.damage[0].split(": ").next().unwrap(), @"line 10 is intact, but not a record of schema 3");
    assert!(journal.damage.len() < 100 && journal.damage.iter().all(|text| text.len() < 400));
    assert!(journal.damage.last().unwrap().contains("more"));
}

#[test]
fn reports_rank_mismatch() {
    let folder = tempfile::tempdir().unwrap();
    let run = run_in(folder.path());
    let writer = write(&run, 3, &[header(2), header(3)][..1]).unwrap();
    insta::assert_snapshot!(read_whole(writer.path()).unwrap().damage.join("\n"), @"the file name has rank 3, but the run header has rank 2");
}

#[test]
fn reads_empty_and_tiny_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal-0.jsonl");
    for (bytes, torn) in [(&b""[..], false), (b"{", true), (b"\0\0\0\0", true)] {
        std::fs::write(&path, bytes).unwrap();
        let journal = read_whole(&path).unwrap();
        assert_eq!((journal.records.len(), journal.damage.len()), (0, 0));
        assert_eq!((journal.complete, journal.torn, journal.whole_bytes), (false, torn, 0));
    }
    assert!(read_whole(&folder.path().join("journal-1.jsonl")).unwrap_err().to_string().contains("journal-1.jsonl"));
    assert!(read_run(&folder.path().join("nowhere")).is_err());
}

#[cfg(unix)]
#[test]
fn does_not_follow_links() {
    let (folder, path, samples) = complete_journal();
    let link = path.with_file_name("journal-1.jsonl");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    assert!(matches!(read_whole(&link), Err(StoreError::NotARegularFile { .. })));
    assert!(matches!(read_whole(folder.path()), Err(StoreError::NotARegularFile { .. })));
    let moved = folder.path().join("elsewhere");
    std::fs::rename(&samples, &moved).unwrap();
    std::os::unix::fs::symlink(&moved, &samples).unwrap();
    let journal = read_whole(&path).unwrap();
    assert!(journal.damage[0].contains("samples-0.bin is a symbolic link"), "{:?}", journal.damage);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn reads_any_bytes_without_panic(journal: Vec<u8>, samples: Vec<u8>, lines: Vec<String>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal-0.jsonl");
        std::fs::write(folder.path().join("samples-0.bin"), samples).unwrap();
        std::fs::write(&path, &journal).unwrap();
        prop_assert_eq!(read_whole(&path).unwrap().records, []);
        // Hostile, but with valid checksums.
        let lines = lines.iter().map(|text| with_crc(&format!("{{\"record\":{text:?},{text}}}")));
        std::fs::write(&path, lines.collect::<Vec<_>>().concat()).unwrap();
        drop(read_whole(&path));
    }

    #[test]
    fn damage_invents_no_records(
        flips in proptest::collection::vec((any::<prop::sample::Index>(), 0..8u8), 0..6),
        sample_flips in proptest::collection::vec((any::<prop::sample::Index>(), 0..8u8), 0..3),
        cut in proptest::option::of(any::<prop::sample::Index>()),
        cut_samples in proptest::option::of(any::<prop::sample::Index>()),
    ) {
        let (_folder, path, samples) = complete_journal();
        for (path, flips, cut) in [(&path, flips, cut), (&samples, sample_flips, cut_samples)] {
            change(path, |bytes| {
                for (index, bit) in flips {
                    let index = index.index(bytes.len());
                    bytes[index] ^= 1 << bit;
                }
                bytes.truncate(cut.map_or(bytes.len(), |cut| cut.index(bytes.len())));
            });
        }
        let journal = read_whole(&path).unwrap();
        let mut written = records(0).into_iter();
        for read in &journal.records {
            // In order, with all request times or none, and with all traces or none.
            let found = written.find(|written| {
                let lost = without_times(written);
                *written == *read || lost == *read || without_traces(written) == *read || without_traces(&lost) == *read
            });
            prop_assert!(found.is_some(), "{read:?}");
        }
        if journal.records != records(0) {
            prop_assert!(!journal.complete || !journal.damage.is_empty());
        }
    }

    #[test]
    fn rejects_columns_outside_file(offset: u64, count: u64, wide: bool) {
        let (_folder, path, _) = complete_journal();
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        // Its first cycle.
        let (header, line) = (lines[0], lines[4]);
        let mut object: serde_json::Value = serde_json::from_str(line).unwrap();
        object.as_object_mut().unwrap().remove("crc32");
        let column = &mut object["columns"]["itl_ns"];
        column["offset"] = offset.into();
        column["count"] = count.into();
        column["dtype"] = if wide { "<u8" } else { "<u4" }.into();
        std::fs::write(&path, [header.as_bytes(), &with_crc(&object.to_string())].concat()).unwrap();
        let journal = read_whole(&path).unwrap();
        prop_assert_eq!(journal.records.len(), 2);
        prop_assert_eq!(journal.damage.len(), 1, "{:?}", journal.damage);
    }
}

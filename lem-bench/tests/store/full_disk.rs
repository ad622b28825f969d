//! Disks that fill up and disks that can't be written to, on a small file system of our own where we may mount one.
#![cfg(target_os = "linux")]

use std::path::{Path, PathBuf};
use std::process::Command;

use lem_bench::model::RequestLog;
use lem_bench::store::{Home, read_journal, write_atomic};

use crate::{cycle, head, run_in, times, write};

/// A tmpfs, unmounted when it goes; `None`, with a message, where this user may not mount.
struct Disk {
    folder: tempfile::TempDir,
}

impl Disk {
    fn mount(options: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(folder.path()).output();
        if mounted.is_ok_and(|output| output.status.success()) {
            return Some(Self { folder });
        }
        println!("skipped: this user may not mount a tmpfs");
        None
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.folder.path()).status();
    }
}

/// Writes cycles until it fails; the error and how many were reported as kept.
fn fill(folder: &Path, requests: &RequestLog) -> (PathBuf, String, usize) {
    let run = run_in(folder);
    let mut writer = write(&run, 0, &[head(0)]).unwrap();
    for index in 0.. {
        use lem_bench::runner::{Event, Observer};
        if let Err(error) = writer.on(&Event::Record(&cycle(index, requests.clone()))) {
            return (writer.path().to_path_buf(), error.0, index as usize);
        }
    }
    unreachable!("the disk is small");
}

#[test]
fn a_full_disk_keeps_every_cycle_that_was_reported_as_kept() {
    let long = RequestLog { itl_ns: (0..3000).collect(), ..times(0) };
    // Whether the samples or the line are what no longer fits.
    for requests in [times(0), long] {
        let Some(disk) = Disk::mount("size=128k") else { return };
        let (path, error, kept) = fill(disk.path(), &requests);
        assert!(error.contains("No space left on device"), "{error}");
        assert!(
            error.contains(&format!("the {kept} cycles measured before are safe in {}", path.display())),
            "{error}"
        );
        assert!(error.contains("make room"), "{error}");
        let journal = read_journal(&path).unwrap();
        assert_eq!((journal.records.len(), journal.torn, journal.damage.len()), (1 + kept, false, 0));
        assert_eq!(journal.records[kept], cycle(kept as u32 - 1, requests));

        // The writer gave back the part that was of no use.
        drop(std::fs::write(disk.path().join("filler"), vec![0; 200_000]));
        let full = Home::at(disk.path().join("other")).check_writable().unwrap_err();
        assert!(full.to_string().contains("No space left"), "{full}");
        let summary = disk.path().join("summary.json");
        let error = write_atomic(&summary, &vec![0; 200_000]).unwrap_err();
        assert!(error.to_string().contains("summary.json: No space left"), "{error}");
        assert!(!summary.exists());
        let left: Vec<_> = std::fs::read_dir(disk.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert!(left.iter().all(|name| !name.to_string_lossy().ends_with(".tmp")), "{left:?}");
    }
}

#[test]
fn a_read_only_disk_is_found_out_before_anything_is_measured() {
    let Some(disk) = Disk::mount("size=128k,ro") else { return };
    let error = Home::at(disk.path().join("home")).check_writable().unwrap_err();
    assert!(error.to_string().contains(disk.path().to_str().unwrap()), "{error}");
    assert!(error.to_string().contains("Read-only file system"), "{error}");
    assert!(error.remedy().unwrap().contains("LEM_BENCH_HOME"));
    let error = write_atomic(&disk.path().join("summary.json"), b"x").unwrap_err();
    assert!(error.to_string().contains("Read-only file system"), "{error}");
}

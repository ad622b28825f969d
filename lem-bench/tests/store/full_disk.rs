//! Full and read-only disks, on a small tmpfs where this user may mount one.
#![cfg(target_os = "linux")]

use std::path::{Path, PathBuf};
use std::process::Command;

use lem_bench::__private::model::RequestLog;
use lem_bench::__private::store::{Home, write_atomic};

use crate::{cycle, header, read_whole, run_in, times, write};

/// A tmpfs, unmounted when dropped. `mount` prints a message and returns `None` where this user may not mount.
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

/// Writes cycles until writing fails. Returns the journal, the error and the number of cycles reported as written.
fn fill(folder: &Path, requests: &RequestLog) -> (PathBuf, String, usize) {
    let run = run_in(folder);
    let mut writer = write(&run, 0, &[header(0)]).unwrap();
    for index in 0.. {
        use lem_bench::__private::runner::{Event, Observer};
        if let Err(error) = writer.on(&Event::Record(&cycle(index, requests.clone()))) {
            return (writer.path().to_path_buf(), error.0, index as usize);
        }
    }
    unreachable!("the disk is small");
}

#[test]
fn full_disk_keeps_reported_cycles() {
    let long = RequestLog { itl_ns: (0..3000).collect(), ..times(0) };
    // Either the line or the samples no longer fit.
    for requests in [times(0), long] {
        let Some(disk) = Disk::mount("size=128k") else { return };
        let (path, error, written) = fill(disk.path(), &requests);
        assert!(error.contains("No space left on device"), "{error}");
        assert!(error.contains(&format!("{written} cycles measured before are safe in {}", path.display())), "{error}");
        assert!(error.contains("free space"), "{error}");
        let journal = read_whole(&path).unwrap();
        assert_eq!((journal.records.len(), journal.torn, journal.damage.len()), (1 + written, false, 0));
        assert_eq!(journal.records[written], cycle(written as u32 - 1, requests));

        // The writer rolled back the partial write, so there may be room again.
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
fn read_only_disk_fails_check() {
    let Some(disk) = Disk::mount("size=128k,ro") else { return };
    let error = Home::at(disk.path().join("home")).check_writable().unwrap_err();
    assert!(error.to_string().contains(disk.path().to_str().unwrap()), "{error}");
    assert!(error.to_string().contains("Read-only file system"), "{error}");
    assert!(error.remedy().unwrap().contains("LEM_BENCH_HOME"));
    let error = write_atomic(&disk.path().join("summary.json"), b"x").unwrap_err();
    assert!(error.to_string().contains("Read-only file system"), "{error}");
}

//! A powercap zone whose counter a thread moves on while others read it.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use lem_bench::clock::monotonic_now;
use lem_bench::units::Stamp;

/// True power in watts.
pub(crate) const WATTS: f64 = 50.0;

/// What the writer does with the counter.
const COUNTS: u8 = 0;
const GARBAGE: u8 = 1;
const GONE: u8 = 2;
const ENDS: u8 = 3;

/// A sysfs with one package of 50 W.
pub(crate) struct Tree {
    pub(crate) home: tempfile::TempDir,
    does: Arc<AtomicU8>,
    writer: Option<std::thread::JoinHandle<()>>,
}

/// Writes a zone's files.
pub(crate) fn zone(root: &Path, address: &str, name: &str, most_uj: u64) -> PathBuf {
    let zone = root.join("class/powercap").join(address);
    std::fs::create_dir_all(&zone).unwrap();
    for (file, text) in
        [("name", name), ("energy_uj", "00000000000000001000"), ("max_energy_range_uj", &most_uj.to_string())]
    {
        std::fs::write(zone.join(file), text).unwrap();
    }
    zone.join("energy_uj")
}

impl Tree {
    /// A counter that starts again after `most_uj`.
    pub(crate) fn counting_to(most_uj: u64) -> Self {
        let home = tempfile::tempdir().unwrap();
        let path = zone(home.path(), "intel-rapl:0", "package-0", most_uj);
        let does = Arc::new(AtomicU8::new(COUNTS));
        let told = Arc::clone(&does);
        let writer = std::thread::spawn(move || write(&path, most_uj, &told, monotonic_now()));
        Self { home, does, writer: Some(writer) }
    }

    /// The counter's file holds no number for so long.
    pub(crate) fn unreadable_for(&self, time: Duration) {
        self.does.store(GARBAGE, Ordering::Relaxed);
        std::thread::sleep(time);
        self.does.store(COUNTS, Ordering::Relaxed);
    }

    /// The counter's file is removed.
    pub(crate) fn remove(&self) {
        self.does.store(GONE, Ordering::Relaxed);
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        self.does.store(ENDS, Ordering::Relaxed);
        drop(self.writer.take().map(std::thread::JoinHandle::join));
    }
}

/// Moves the counter on every two milliseconds. One write of always as many bytes: nobody reads half a number.
fn write(path: &Path, most_uj: u64, does: &AtomicU8, start: Stamp) {
    let file = File::options().write(true).open(path).unwrap();
    loop {
        let joules = WATTS * monotonic_now().seconds_from(start);
        let count = (joules * 1e6) as u64 % (most_uj + 1);
        match does.load(Ordering::Relaxed) {
            COUNTS => drop(file.write_at(format!("{count:020}").as_bytes(), 0)),
            GARBAGE => drop(file.write_at(b"no number, 20 bytes!", 0)),
            GONE => drop(std::fs::remove_file(path)),
            _ => return,
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

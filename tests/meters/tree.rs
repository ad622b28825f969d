//! A powercap zone whose counter is advanced by a thread.

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

/// Modes of the thread that writes the counter.
const COUNTS: u8 = 0;
const GARBAGE: u8 = 1;
const GONE: u8 = 2;
const ENDS: u8 = 3;

/// A sysfs with one package of 50 W.
pub(crate) struct Tree {
    pub(crate) home: tempfile::TempDir,
    mode: Arc<AtomicU8>,
    writer: Option<std::thread::JoinHandle<()>>,
}

/// Writes a zone's files.
pub(crate) fn zone(root: &Path, address: &str, name: &str, max_uj: u64) -> PathBuf {
    let zone = root.join("class/powercap").join(address);
    std::fs::create_dir_all(&zone).unwrap();
    for (file, text) in
        [("name", name), ("energy_uj", "00000000000000001000"), ("max_energy_range_uj", &max_uj.to_string())]
    {
        std::fs::write(zone.join(file), text).unwrap();
    }
    zone.join("energy_uj")
}

impl Tree {
    /// Creates a counter that wraps after `max_uj`.
    pub(crate) fn counting_to(max_uj: u64) -> Self {
        let home = tempfile::tempdir().unwrap();
        let path = zone(home.path(), "intel-rapl:0", "package-0", max_uj);
        let mode = Arc::new(AtomicU8::new(COUNTS));
        let writer_mode = Arc::clone(&mode);
        let writer = std::thread::spawn(move || write(&path, max_uj, &writer_mode, monotonic_now()));
        Self { home, mode, writer: Some(writer) }
    }

    /// Writes invalid text to the counter's file for `time`.
    pub(crate) fn unreadable_for(&self, time: Duration) {
        self.mode.store(GARBAGE, Ordering::Relaxed);
        std::thread::sleep(time);
        self.mode.store(COUNTS, Ordering::Relaxed);
    }

    /// Removes the counter's file.
    pub(crate) fn remove(&self) {
        self.mode.store(GONE, Ordering::Relaxed);
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        self.mode.store(ENDS, Ordering::Relaxed);
        drop(self.writer.take().map(std::thread::JoinHandle::join));
    }
}

/// Advances the counter every 2 ms. Each write has the same length, so that a read never sees a partial number.
fn write(path: &Path, max_uj: u64, mode: &AtomicU8, start: Stamp) {
    let file = File::options().write(true).open(path).unwrap();
    loop {
        let joules = WATTS * monotonic_now().seconds_from(start);
        let count = (joules * 1e6) as u64 % (max_uj + 1);
        match mode.load(Ordering::Relaxed) {
            COUNTS => drop(file.write_at(format!("{count:020}").as_bytes(), 0)),
            GARBAGE => drop(file.write_at(b"no number, 20 bytes!", 0)),
            GONE => drop(std::fs::remove_file(path)),
            _ => return,
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

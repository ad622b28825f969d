//! A barrier of ranks in a folder that all of them see, on one machine or shared over a network. Each message is a file
//! that is written atomically.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions, TryLockError, create_dir_all, read_dir, read_to_string, remove_file};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::launcher_env::host;
use crate::fs::replace_file;
use crate::runner::{RankBarrier, RankMessage};

/// Time between two polls of the folder.
const POLL_INTERVAL: Duration = Duration::from_millis(5);
/// Time between two checks whether the missing ranks are alive.
const LIVENESS_INTERVAL: Duration = Duration::from_millis(500);

/// The barriers of one rank with the others of its run.
#[derive(Debug)]
pub struct FileBarrier {
    folder: PathBuf,
    rank: u32,
    world: u32,
    host: String,
    timeout: Duration,
    position: Mutex<BarrierPosition>,
    /// Locked for as long as this process lives.
    _alive: File,
}

/// The barrier that this rank is at.
#[derive(Debug)]
struct BarrierPosition {
    bench: u32,
    number: u32,
    /// When this rank posted its message here.
    posted: Option<Instant>,
    /// The last check whether the others are alive.
    liveness_check: Instant,
}

impl FileBarrier {
    /// Joins the other ranks in `folder`, which belongs to this run alone. A rank that does not arrive within `timeout` is
    /// an error.
    ///
    /// # Errors
    /// The folder cannot be used, or another process has this rank.
    pub fn join(folder: PathBuf, rank: u32, world: u32, timeout: Duration) -> Result<Self, String> {
        let to_error =
            |error: io::Error| format!("cannot use {} as the folder of the ranks: {error}", folder.display());
        create_dir_all(&folder).map_err(to_error)?;
        let file = OpenOptions::new().create(true).append(true).open(alive_file(&folder, rank)).map_err(to_error)?;
        let start = Instant::now();
        // A rank that checks whether this one is alive holds the lock for a moment.
        while let Err(TryLockError::WouldBlock) = file.try_lock() {
            if start.elapsed() > LIVENESS_INTERVAL {
                return Err(format!(
                    "rank {rank} is used twice: another process has this rank in {}",
                    folder.display()
                ));
            }
            std::thread::sleep(POLL_INTERVAL);
        }
        let host = host();
        let position = Mutex::new(BarrierPosition { bench: 0, number: 0, posted: None, liveness_check: start });
        Ok(Self { folder, rank, world, host, timeout, position, _alive: file })
    }

    /// Waits until all ranks have arrived, and returns the text of each.
    ///
    /// # Errors
    /// A rank will not arrive.
    pub fn wait(&self, text: &str) -> Result<Vec<String>, String> {
        loop {
            if let Some(texts) = self.post_text(text)? {
                return Ok(texts);
            }
            std::thread::sleep(POLL_INTERVAL);
        }
    }

    /// Posts `text` at this barrier, once, without waiting for the others; as [`RankBarrier::post`].
    ///
    /// # Errors
    /// The text cannot be written, or a rank will not arrive.
    pub fn post_text(&self, text: &str) -> Result<Option<Vec<String>>, String> {
        let mut position = self.position();
        let posted = if let Some(posted) = position.posted {
            posted
        } else {
            self.write(&position.message_file(self.rank), text)?;
            Instant::now()
        };
        // The folder is listed instead of opening each file, because a network file system may cache for long that a file
        // does not exist.
        let files = self.list_files()?;
        let missing: Vec<u32> = (0..self.world).filter(|rank| !files.contains(&position.message_file(*rank))).collect();
        if let Some(rank) = missing.iter().find(|rank| files.contains(&position.abort_file(**rank))) {
            let reason = read_to_string(self.folder.join(position.abort_file(*rank))).unwrap_or_default();
            return Err(format!("rank {rank} of {} {reason}", self.world));
        }
        if missing.is_empty() {
            let texts = self.read_messages(&position)?;
            // All ranks that are here have read the messages of the previous barrier.
            let previous = format!("{}-{}-{}", position.bench, position.number.wrapping_sub(1), self.rank);
            drop(remove_file(self.folder.join(previous)));
            (position.number, position.posted) = (position.number + 1, None);
            return Ok(Some(texts));
        }
        if position.liveness_check.elapsed() > LIVENESS_INTERVAL {
            self.check_liveness(&position, &missing)?;
            position.liveness_check = Instant::now();
        }
        if posted.elapsed() > self.timeout {
            return Err(self.timeout_error(&missing));
        }
        position.posted = Some(posted);
        Ok(None)
    }

    fn read_messages(&self, position: &BarrierPosition) -> Result<Vec<String>, String> {
        let read = |rank| read_to_string(self.folder.join(position.message_file(rank)));
        let texts: io::Result<Vec<String>> = (0..self.world).map(read).collect();
        texts.map_err(|error| format!("cannot read the message of a rank in {}: {error}", self.folder.display()))
    }

    /// Checks that the missing ranks are alive.
    fn check_liveness(&self, position: &BarrierPosition, missing: &[u32]) -> Result<(), String> {
        for rank in missing.iter().filter(|rank| is_dead(&self.folder, **rank)) {
            // The rank may have written its file just before it exited.
            let files = self.list_files()?;
            if !files.contains(&position.message_file(*rank)) && !files.contains(&position.abort_file(*rank)) {
                return Err(format!("rank {rank} of {} has exited", self.world));
            }
        }
        Ok(())
    }

    fn timeout_error(&self, missing: &[u32]) -> String {
        let ranks = missing.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
        let (world, seconds, folder) = (self.world, self.timeout.as_secs_f64(), self.folder.display());
        format!(
            "rank {ranks} of {world} did not arrive within {seconds} s (--rank-timeout): check that all processes can access {folder}"
        )
    }

    /// Removes the folder, once no rank needs it any more.
    pub fn remove(&self) {
        drop(std::fs::remove_dir_all(&self.folder));
    }

    fn position(&self) -> MutexGuard<'_, BarrierPosition> {
        self.position.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn list_files(&self) -> Result<BTreeSet<String>, String> {
        let names = read_dir(&self.folder)
            .and_then(|entries| entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect());
        names.map_err(|error| format!("can no longer read {}: {error}", self.folder.display()))
    }

    fn write(&self, name: &str, text: &str) -> Result<(), String> {
        let path = self.folder.join(name);
        write_file(&path, text).map_err(|error| format!("cannot write {}: {error}", path.display()))
    }
}

impl BarrierPosition {
    fn message_file(&self, rank: u32) -> String {
        format!("{}-{}-{rank}", self.bench, self.number)
    }

    fn abort_file(&self, rank: u32) -> String {
        format!("{}-left-{rank}", self.bench)
    }
}

impl RankBarrier for FileBarrier {
    fn rank(&self) -> u32 {
        self.rank
    }

    fn start_bench(&self) {
        let mut position = self.position();
        (position.bench, position.number, position.posted) = (position.bench + 1, 0, None);
    }

    fn post(&self, message: &RankMessage) -> Result<Option<Vec<RankMessage>>, String> {
        let to_error = |error: serde_json::Error| format!("a message of a rank is not valid: {error}");
        let message = RankMessage { host: self.host.clone(), ..message.clone() };
        let text = serde_json::to_string(&message).map_err(to_error)?;
        let Some(texts) = self.post_text(&text)? else { return Ok(None) };
        texts.iter().map(|text| serde_json::from_str(text)).collect::<Result<_, _>>().map(Some).map_err(to_error)
    }

    fn abort(&self, reason: &str) {
        let file = self.position().abort_file(self.rank);
        // If this fails, the other ranks wait until their timeout.
        drop(self.write(&file, reason));
    }
}

/// Marks a rank as ended in the folder of its barrier, even if it ended before it joined.
pub fn mark_dead(folder: &Path, rank: u32) {
    let file = alive_file(folder, rank);
    drop(create_dir_all(folder).and_then(|()| OpenOptions::new().create(true).append(true).open(file)));
}

/// The file that a rank holds locked for as long as it lives.
fn alive_file(folder: &Path, rank: u32) -> PathBuf {
    folder.join(format!("alive-{rank}"))
}

/// Whether a rank that has joined has ended: the system has released its lock. Always `false` where files cannot be locked.
fn is_dead(folder: &Path, rank: u32) -> bool {
    File::open(alive_file(folder, rank)).is_ok_and(|file| file.try_lock_shared().is_ok())
}

/// Writes a file atomically. It need not survive a power failure.
fn write_file(path: &Path, text: &str) -> io::Result<()> {
    replace_file(path, |file| file.write_all(text.as_bytes()))
}

/// The file in which rank 0 announces the run to the other ranks of its job. It is removed when all have joined.
#[derive(Debug, Clone)]
pub struct RunAnnouncement(pub PathBuf);

impl RunAnnouncement {
    /// Announces the run with this id.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, run: &str) -> Result<(), String> {
        let folder = self.0.parent().map_or(Ok(()), create_dir_all);
        folder
            .and_then(|()| write_file(&self.0, run))
            .map_err(|error| format!("cannot write {}, by which the ranks find each other: {error}", self.0.display()))
    }

    /// Waits for the announcement and returns the run's id. Ignores an announcement that an earlier job of the same name
    /// left: `find_barrier` returns the folder of a run's barrier, which shows whether its rank 0 is alive.
    ///
    /// # Errors
    /// No announcement arrives within `timeout`.
    pub fn wait(&self, timeout: Duration, find_barrier: impl Fn(&str) -> Option<PathBuf>) -> Result<String, String> {
        let start = Instant::now();
        while start.elapsed() < timeout {
            let run = read_to_string(&self.0).unwrap_or_default();
            if find_barrier(&run).is_some_and(|folder| alive_file(&folder, 0).exists() && !is_dead(&folder, 0)) {
                return Ok(run);
            }
            std::thread::sleep(POLL_INTERVAL);
        }
        let (seconds, folder) = (timeout.as_secs_f64(), self.0.parent().unwrap_or(&self.0).display());
        Err(format!(
            "rank 0 did not arrive within {seconds} s (--rank-timeout): check that all processes can access {folder}"
        ))
    }

    /// Removes the announcement.
    pub fn remove(&self) {
        drop(remove_file(&self.0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(60);

    #[test]
    fn ignores_announcement_of_dead_job() {
        let root = tempfile::tempdir().unwrap();
        let announcement = RunAnnouncement(root.path().join("ranks").join("job"));
        let find_barrier = |run: &str| Some(root.path().join(run));
        announcement.write("old").unwrap();
        drop(FileBarrier::join(root.path().join("old"), 0, 2, TIMEOUT).unwrap());
        let late = announcement.wait(Duration::from_millis(30), find_barrier).unwrap_err();
        assert!(late.contains("rank 0 did not arrive within 0.03 s"), "{late}");
        std::thread::scope(|scope| {
            let found = scope.spawn(|| announcement.wait(TIMEOUT, find_barrier).unwrap());
            let _rank_0 = FileBarrier::join(root.path().join("new"), 0, 2, TIMEOUT).unwrap();
            announcement.write("new").unwrap();
            assert_eq!(found.join().unwrap(), "new");
        });
        announcement.remove();
        assert!(!announcement.0.exists());
    }

    #[test]
    fn all_ranks_receive_all_messages() {
        let folder = tempfile::tempdir().unwrap();
        let received: Vec<Vec<String>> = std::thread::scope(|scope| {
            let run_rank = |rank: u32| {
                let barrier = FileBarrier::join(folder.path().to_owned(), rank, 2, TIMEOUT).unwrap();
                (0..20).flat_map(|n| barrier.wait(&format!("rank {rank}, message {n}")).unwrap()).collect()
            };
            let threads: Vec<_> = (0..2).map(|rank| scope.spawn(move || run_rank(rank))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let sent: Vec<String> =
            (0..20).flat_map(|n| (0..2).map(move |rank| format!("rank {rank}, message {n}"))).collect();
        assert_eq!(received, [sent.clone(), sent]);
    }

    #[test]
    fn names_late_aborted_and_dead_ranks() {
        let folder = tempfile::tempdir().unwrap();
        let join = |rank, timeout| FileBarrier::join(folder.path().to_owned(), rank, 2, timeout);
        let (first, second) = (join(0, Duration::from_millis(50)).unwrap(), join(1, TIMEOUT).unwrap());
        assert!(join(1, TIMEOUT).unwrap_err().contains("rank 1 is used twice"));
        first.start_bench();
        second.start_bench();
        let late = first.wait("").unwrap_err();
        assert!(late.contains("rank 1 of 2 did not arrive within 0.05 s"), "{late}");
        second.abort("panicked: oh");
        assert_eq!(first.wait("").unwrap_err(), "rank 1 of 2 panicked: oh");
        let first = FileBarrier { timeout: TIMEOUT, ..first };
        first.start_bench();
        drop(second);
        assert!(first.wait("").unwrap_err().contains("rank 1 of 2 has exited"));
    }
}

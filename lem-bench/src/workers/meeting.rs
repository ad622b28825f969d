//! Where the processes of a run meet: files in a folder that all of them see, each of which is there whole or not at
//! all. One machine's folder will do, or one that is shared over a network.
//!
//! Must not know what they say, nor what for.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions, TryLockError, create_dir_all, read_dir, read_to_string, remove_file, rename};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::launcher::host;
use crate::runner::{RankBarrier, RankMessage};

/// Time between two looks at what has come.
const LOOK: Duration = Duration::from_millis(5);
/// Time between two looks at whether those who are awaited still live.
const PULSE: Duration = Duration::from_millis(500);

/// The meetings of one process with the others of its run.
#[derive(Debug)]
pub struct FileBarrier {
    folder: PathBuf,
    rank: u32,
    world: u32,
    host: String,
    patience: Duration,
    place: Mutex<BarrierPosition>,
    /// Held, locked, for as long as this process lives.
    _alive: File,
}

/// Where this process stands.
#[derive(Debug)]
struct BarrierPosition {
    bench: u32,
    number: u32,
    /// Since when, once it has said its word there.
    since: Option<Instant>,
    /// When it was looked last whether the others live.
    pulse: Instant,
}

impl FileBarrier {
    /// Joins the others in `folder`, which is this run's alone. Who is awaited longer than `patience` is lost.
    ///
    /// # Errors
    /// The folder can't be used, or this rank is there already.
    pub fn join(folder: PathBuf, rank: u32, world: u32, patience: Duration) -> Result<Self, String> {
        let cant = |error: io::Error| format!("{} can't be used to meet in: {error}", folder.display());
        create_dir_all(&folder).map_err(cant)?;
        let alive = OpenOptions::new().create(true).append(true).open(alive(&folder, rank)).map_err(cant)?;
        let began = Instant::now();
        // Who looks whether this process lives holds the lock for a moment.
        while let Err(TryLockError::WouldBlock) = alive.try_lock() {
            if began.elapsed() > PULSE {
                return Err(format!("rank {rank} came twice: another process has this rank in {}", folder.display()));
            }
            std::thread::sleep(LOOK);
        }
        let host = host();
        let place = Mutex::new(BarrierPosition { bench: 0, number: 0, since: None, pulse: began });
        Ok(Self { folder, rank, world, host, patience, place, _alive: alive })
    }

    /// Waits until all have come to this place, and what each has said.
    ///
    /// # Errors
    /// One of them will not come any more.
    pub fn meet(&self, text: &str) -> Result<Vec<String>, String> {
        loop {
            if let Some(all) = self.say(text)? {
                return Ok(all);
            }
            std::thread::sleep(LOOK);
        }
    }

    /// Says `text` at this place, once, without waiting for the others; as [`RankBarrier::come`].
    ///
    /// # Errors
    /// It can't be said, or one of them will not come any more.
    pub fn say(&self, text: &str) -> Result<Option<Vec<String>>, String> {
        let mut at = self.standing();
        let file = |rank: u32| format!("{}-{}-{rank}", at.bench, at.number);
        let left = |rank: u32| format!("{}-left-{rank}", at.bench);
        let since = at.since.map_or_else(|| self.put(&file(self.rank), text).map(|()| Instant::now()), Ok)?;
        // The folder is listed, and not each file asked for: a network's file system may keep for long that one was not
        // there.
        let there = self.names()?;
        let missing: Vec<u32> = (0..self.world).filter(|rank| !there.contains(&file(*rank))).collect();
        if let Some(rank) = missing.iter().find(|rank| there.contains(&left(**rank))) {
            let why = read_to_string(self.folder.join(left(*rank))).unwrap_or_default();
            return Err(format!("rank {rank} of {} {why}", self.world));
        }
        if missing.is_empty() {
            let read = |rank| read_to_string(self.folder.join(file(rank)));
            let cant = |error| format!("what a rank said in {} can't be read: {error}", self.folder.display());
            let all = (0..self.world).map(read).collect::<Result<_, _>>().map_err(cant)?;
            // Whoever has come here has heard all of the last place.
            let last = format!("{}-{}-{}", at.bench, at.number.wrapping_sub(1), self.rank);
            drop(remove_file(self.folder.join(last)));
            (at.number, at.since) = (at.number + 1, None);
            return Ok(Some(all));
        }
        let is_due = at.pulse.elapsed() > PULSE;
        for rank in missing.iter().filter(|rank| is_due && is_dead(&self.folder, **rank)) {
            // It may have come, or said why not, with its last breath.
            let there = self.names()?;
            if !there.contains(&file(*rank)) && !there.contains(&left(*rank)) {
                return Err(format!("rank {rank} of {} is gone: its process has ended", self.world));
            }
        }
        if since.elapsed() > self.patience {
            let missing: Vec<String> = missing.iter().map(u32::to_string).collect();
            let (names, seconds) = (missing.join(", "), self.patience.as_secs_f64());
            let (world, folder) = (self.world, self.folder.display());
            return Err(format!(
                "rank {names} of {world} did not come within {seconds} s (--rank-timeout): do all processes see {folder}?"
            ));
        }
        at.since = Some(since);
        if is_due {
            at.pulse = Instant::now();
        }
        Ok(None)
    }

    /// Ends the meetings of the run, once nobody needs them any more.
    pub fn disband(&self) {
        drop(std::fs::remove_dir_all(&self.folder));
    }

    fn standing(&self) -> MutexGuard<'_, BarrierPosition> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn names(&self) -> Result<BTreeSet<String>, String> {
        let names = read_dir(&self.folder)
            .and_then(|all| all.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect());
        names.map_err(|error| format!("{} can't be read any more: {error}", self.folder.display()))
    }

    fn put(&self, name: &str, text: &str) -> Result<(), String> {
        let path = self.folder.join(name);
        put(&path, text).map_err(|error| format!("{} can't be written: {error}", path.display()))
    }
}

impl RankBarrier for FileBarrier {
    fn rank(&self) -> u32 {
        self.rank
    }

    fn begin(&self) {
        let mut at = self.standing();
        (at.bench, at.number, at.since) = (at.bench + 1, 0, None);
    }

    fn come(&self, word: &RankMessage) -> Result<Option<Vec<RankMessage>>, String> {
        let strange = |error| format!("what ranks say can't be understood: {error}");
        let text = serde_json::to_string(&RankMessage { host: self.host.clone(), ..word.clone() }).map_err(strange)?;
        let Some(all) = self.say(&text)? else { return Ok(None) };
        all.iter().map(|text| serde_json::from_str(text)).collect::<Result<_, _>>().map(Some).map_err(strange)
    }

    fn leave(&self, why: &str) {
        let name = format!("{}-left-{}", self.standing().bench, self.rank);
        // Who can't be told waits until its patience ends.
        drop(self.put(&name, why));
    }
}

/// Says to those who meet in `folder` that a process of theirs has ended, which may not have come there before.
pub fn bury(folder: &Path, rank: u32) {
    let path = alive(folder, rank);
    drop(create_dir_all(folder).and_then(|()| OpenOptions::new().create(true).append(true).open(path)));
}

/// The file that a process holds locked for as long as it lives.
fn alive(folder: &Path, rank: u32) -> PathBuf {
    folder.join(format!("alive-{rank}"))
}

/// Whether a process that was there has ended: the system let go of what it held. Where files can't be locked, nothing
/// is known.
fn is_dead(folder: &Path, rank: u32) -> bool {
    File::open(alive(folder, rank)).is_ok_and(|file| file.try_lock_shared().is_ok())
}

/// Writes a file at once or not at all. It need not outlive a power cut.
fn put(path: &Path, text: &str) -> io::Result<()> {
    let mut hidden = path.as_os_str().to_owned();
    hidden.push(".tmp");
    std::fs::write(&hidden, text)?;
    rename(&hidden, path)
}

/// Rank 0 notes, for the others of its job, the run that all of them write to; [`RunAnnouncement::take_away`] when all have come.
#[derive(Debug, Clone)]
pub struct RunAnnouncement(pub PathBuf);

impl RunAnnouncement {
    /// # Errors
    /// It can't be written.
    pub fn leave(&self, run: &str) -> Result<(), String> {
        let folder = self.0.parent().map_or(Ok(()), create_dir_all);
        let cant =
            |error| format!("{} can't be written, so that ranks don't find each other: {error}", self.0.display());
        folder.and_then(|()| put(&self.0, run)).map_err(cant)
    }

    /// Waits for it. One that names a run whose rank 0 lives no more, by the folder where `meetings` says that its ranks
    /// meet, was left by an earlier job of this name.
    ///
    /// # Errors
    /// It does not come within `patience`.
    pub fn find(&self, patience: Duration, meetings: impl Fn(&str) -> Option<PathBuf>) -> Result<String, String> {
        let began = Instant::now();
        while began.elapsed() < patience {
            let run = read_to_string(&self.0).unwrap_or_default();
            if meetings(&run).is_some_and(|folder| alive(&folder, 0).exists() && !is_dead(&folder, 0)) {
                return Ok(run);
            }
            std::thread::sleep(LOOK);
        }
        let (seconds, folder) = (patience.as_secs_f64(), self.0.parent().unwrap_or(&self.0).display());
        Err(format!("rank 0 did not come within {seconds} s (--rank-timeout): do all processes see {folder}?"))
    }

    /// Takes it away.
    pub fn take_away(&self) {
        drop(remove_file(&self.0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(60);

    #[test]
    fn a_note_of_a_dead_job_is_no_note() {
        let place = tempfile::tempdir().unwrap();
        let note = RunAnnouncement(place.path().join("ranks").join("job"));
        let meetings = |run: &str| Some(place.path().join(run));
        note.leave("old").unwrap();
        drop(FileBarrier::join(place.path().join("old"), 0, 2, PATIENCE).unwrap());
        let late = note.find(Duration::from_millis(30), meetings).unwrap_err();
        assert!(late.contains("rank 0 did not come within 0.03 s"), "{late}");
        std::thread::scope(|scope| {
            let found = scope.spawn(|| note.find(PATIENCE, meetings).unwrap());
            let _zero = FileBarrier::join(place.path().join("new"), 0, 2, PATIENCE).unwrap();
            note.leave("new").unwrap();
            assert_eq!(found.join().unwrap(), "new");
        });
        note.take_away();
        assert!(!note.0.exists());
    }

    #[test]
    fn all_hear_what_all_say_and_who_leaves_dies_or_is_late_is_named() {
        let place = tempfile::tempdir().unwrap();
        let join = |rank, patience| FileBarrier::join(place.path().to_owned(), rank, 2, patience).unwrap();
        let heard: Vec<Vec<String>> = std::thread::scope(|scope| {
            let meet = |rank: u32| {
                let meeting = join(rank, PATIENCE);
                (0..20).flat_map(|n| meeting.meet(&format!("{rank} says {n}")).unwrap()).collect()
            };
            let threads: Vec<_> = (0..2).map(|rank| scope.spawn(move || meet(rank))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let said: Vec<String> = (0..20).flat_map(|n| (0..2).map(move |rank| format!("{rank} says {n}"))).collect();
        assert_eq!(heard, [said.clone(), said]);

        let (one, other) = (join(0, Duration::from_millis(50)), join(1, PATIENCE));
        assert!(FileBarrier::join(place.path().to_owned(), 1, 2, PATIENCE).unwrap_err().contains("rank 1 came twice"));
        one.begin();
        other.begin();
        let late = one.meet("").unwrap_err();
        assert!(late.contains("rank 1 of 2 did not come within 0.05 s"), "{late}");
        other.leave("panicked: oh");
        assert_eq!(one.meet("").unwrap_err(), "rank 1 of 2 panicked: oh");
        let one = FileBarrier { patience: PATIENCE, ..one };
        one.begin();
        drop(other);
        assert!(one.meet("").unwrap_err().contains("rank 1 of 2 is gone"));
    }
}

//! Where the processes of a run meet: files in a folder that all of them see, each of which is there whole or not at
//! all. One machine's folder will do, or one that is shared over a network.
//!
//! Must not know what they say, nor what for.

use std::collections::BTreeMap;
use std::fs::{
    File, OpenOptions, TryLockError, create_dir_all, read_to_string, remove_dir, remove_dir_all, remove_file, rename,
};
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::runner::{Together, Word};

/// Time between two looks at what has come.
const LOOK: Duration = Duration::from_millis(5);
/// Time between two looks at whether those who are awaited still live.
const PULSE: Duration = Duration::from_millis(500);

/// The meetings of one process with the others of its run.
#[derive(Debug)]
pub struct Meeting {
    folder: PathBuf,
    rank: u32,
    world: u32,
    host: String,
    patience: Duration,
    /// Benches and meetings so far.
    at: (u32, u32),
    since: Instant,
    looked: Instant,
    /// Held, locked, for as long as this process lives.
    _alive: File,
}

impl Meeting {
    /// Joins the others in `folder`, which is this run's alone. Who is awaited longer than `patience` is lost.
    ///
    /// # Errors
    /// The folder can't be used, or this rank is there already.
    pub fn join(folder: PathBuf, rank: u32, world: u32, patience: Duration) -> Result<Self, String> {
        let cant = |error: &dyn std::fmt::Display| format!("{} can't be used to meet in: {error}", folder.display());
        create_dir_all(&folder).map_err(|error| cant(&error))?;
        let path = folder.join(format!("alive-{rank}"));
        let alive = OpenOptions::new().create(true).append(true).open(path).map_err(|error| cant(&error))?;
        if let Err(TryLockError::WouldBlock) = alive.try_lock() {
            return Err(format!("rank {rank} came twice: another process has this rank in {}", folder.display()));
        }
        let host = read_to_string("/proc/sys/kernel/hostname").unwrap_or_default().trim().to_owned();
        let now = Instant::now();
        Ok(Self { folder, rank, world, host, patience, at: (0, 0), since: now, looked: now, _alive: alive })
    }

    /// Waits until all have come to this meeting.
    ///
    /// # Errors
    /// One of them will not come any more.
    pub fn meet(&mut self, text: &str) -> Result<Vec<String>, String> {
        self.say(text)?;
        loop {
            if let Some(all) = self.heard()? {
                return Ok(all);
            }
            std::thread::sleep(LOOK);
        }
    }

    /// Ends the meetings of the run, once nobody needs them any more.
    pub fn disband(self) {
        drop(remove_dir_all(&self.folder));
    }

    fn path(&self, at: (u32, u32), rank: u32) -> PathBuf {
        self.folder.join(format!("{}-{}-{rank}", at.0, at.1))
    }

    fn left(&self, rank: u32) -> PathBuf {
        self.folder.join(format!("{}-left-{rank}", self.at.0))
    }

    /// Comes to this meeting without waiting for the others.
    ///
    /// # Errors
    /// It can't be said.
    pub fn say(&mut self, text: &str) -> Result<(), String> {
        let path = self.path(self.at, self.rank);
        put(&path, text).map_err(|error| format!("{} can't be written: {error}", path.display()))?;
        (self.since, self.looked) = (Instant::now(), Instant::now());
        Ok(())
    }

    fn heard(&mut self) -> Result<Option<Vec<String>>, String> {
        let all: Vec<Option<String>> =
            (0..self.world).map(|rank| read_to_string(self.path(self.at, rank)).ok()).collect();
        let missing: Vec<u32> =
            (0..self.world).zip(&all).filter(|(_, said)| said.is_none()).map(|(rank, _)| rank).collect();
        if missing.is_empty() {
            // Whoever has come to this meeting has heard all of the last one.
            if self.at.1 > 0 {
                drop(remove_file(self.path((self.at.0, self.at.1 - 1), self.rank)));
            }
            self.at.1 += 1;
            return Ok(Some(all.into_iter().flatten().collect()));
        }
        for rank in &missing {
            if let Ok(why) = read_to_string(self.left(*rank)) {
                return Err(format!("rank {rank} of {} {why}", self.world));
            }
        }
        if self.looked.elapsed() > PULSE {
            self.looked = Instant::now();
            if let Some(dead) = missing.iter().find(|rank| self.is_dead(**rank)) {
                // It may have come, or said why not, with its last breath.
                let last = self.path(self.at, *dead).exists() || self.left(*dead).exists();
                return if last {
                    Ok(None)
                } else {
                    Err(format!("rank {dead} of {} is gone: its process has ended", self.world))
                };
            }
        }
        if self.since.elapsed() > self.patience {
            let names: Vec<String> = missing.iter().map(u32::to_string).collect();
            return Err(format!(
                "rank {} of {} was awaited for {} s and did not come (--rank-timeout)",
                names.join(", "),
                self.world,
                self.patience.as_secs_f64()
            ));
        }
        Ok(None)
    }

    /// Whether a process that was there has ended: the system let go of what it held. Where files can't be locked,
    /// nothing is known.
    fn is_dead(&self, rank: u32) -> bool {
        let there = File::open(self.folder.join(format!("alive-{rank}")));
        there.is_ok_and(|file| file.try_lock_shared().is_ok())
    }
}

impl Together for Meeting {
    fn rank(&self) -> u32 {
        self.rank
    }

    fn begin(&mut self) {
        self.at = (self.at.0 + 1, 0);
    }

    fn come(&mut self, word: Word) -> Result<(), String> {
        let text =
            serde_json::to_string(&Word { host: self.host.clone(), ..word }).map_err(|error| error.to_string())?;
        self.say(&text)
    }

    fn all(&mut self) -> Result<Option<Vec<Word>>, String> {
        let Some(all) = self.heard()? else { return Ok(None) };
        let words: Result<Vec<Word>, _> = all.iter().map(|text| serde_json::from_str(text)).collect();
        words.map(Some).map_err(|error| format!("what another rank says can't be understood: {error}"))
    }

    fn leave(&mut self, why: &str) {
        // Who can't be told waits until its patience ends.
        drop(put(&self.left(self.rank), why));
    }
}

/// Writes a file at once or not at all. It need not outlive a power cut.
fn put(path: &Path, text: &str) -> io::Result<()> {
    let mut hidden = path.as_os_str().to_owned();
    hidden.push(".tmp");
    std::fs::write(&hidden, text)?;
    rename(&hidden, path)
}

/// Agrees with the others of the same job on the run that all of them write to, through `folder`, which the job before
/// this one may have used too: rank 0 begins the run by `begin` once all have come, and tells the others.
///
/// # Errors
/// One of them does not come within `patience`, or the run can't be begun.
pub fn agree(
    folder: &Path,
    rank: u32,
    world: u32,
    patience: Duration,
    begin: impl FnOnce() -> Result<String, String>,
) -> Result<String, String> {
    let cant = |error: io::Error| format!("{} can't be used to meet in: {error}", folder.display());
    create_dir_all(folder).map_err(cant)?;
    let (began, answer) = (Instant::now(), folder.join("run"));
    let hello = |rank: u32| folder.join(format!("hello-{rank}"));
    let late = |missing: &[u32]| {
        let names: Vec<String> = missing.iter().map(u32::to_string).collect();
        let seconds = patience.as_secs_f64();
        format!(
            "rank {} of {world} did not come within {seconds} s (--rank-timeout): do all processes see the results folder {}?",
            names.join(", "),
            folder.display()
        )
    };
    if rank > 0 {
        // A number that no earlier process has used tells this call from all before.
        let nonce = format!("{:016x}", RandomState::new().hash_one(std::process::id()));
        put(&hello(rank), &nonce).map_err(cant)?;
        while began.elapsed() < patience {
            let told = read_to_string(&answer).unwrap_or_default();
            let mut lines = told.lines();
            if let Some(run) = lines.next().filter(|_| lines.any(|line| line == nonce)) {
                drop(remove_file(hello(rank)));
                return Ok(run.to_owned());
            }
            std::thread::sleep(LOOK);
        }
        return Err(late(&[0]));
    }
    drop(remove_file(&answer));
    let mut begin = Some(begin);
    let (mut run, mut told) = (String::new(), None);
    loop {
        let hellos: BTreeMap<u32, String> =
            (1..world).filter_map(|rank| Some((rank, read_to_string(hello(rank)).ok()?))).collect();
        if told.is_some() && hellos.is_empty() {
            // All have read it. Another job may have come already, whose folder this is then.
            drop(remove_file(&answer));
            drop(remove_dir(folder));
            return Ok(run);
        }
        let is_new = told.as_ref().is_none_or(|told: &BTreeMap<u32, String>| {
            hellos.iter().any(|(rank, nonce)| told.get(rank) != Some(nonce))
        });
        if is_new && (told.is_some() || hellos.len() as u32 == world - 1) {
            if let Some(begin) = begin.take() {
                run = begin()?;
            }
            let mut known = told.unwrap_or_default();
            known.extend(hellos.clone());
            let nonces: Vec<&str> = known.values().map(String::as_str).collect();
            put(&answer, &format!("{run}\n{}\n", nonces.join("\n"))).map_err(cant)?;
            told = Some(known);
        }
        if began.elapsed() > patience {
            let is_awaited = |rank: &u32| hellos.contains_key(rank) == told.is_some();
            return Err(late(&(1..world).filter(is_awaited).collect::<Vec<_>>()));
        }
        std::thread::sleep(LOOK);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(60);

    #[test]
    fn ranks_agree_on_a_run_past_what_an_earlier_job_left() {
        let place = tempfile::tempdir().unwrap();
        std::fs::write(place.path().join("run"), "old\n0123\n").unwrap();
        std::fs::write(place.path().join("hello-2"), "of a dead process").unwrap();
        let runs: Vec<String> = std::thread::scope(|scope| {
            let one = |rank| agree(place.path(), rank, 3, PATIENCE, || Ok(format!("run of rank {rank}"))).unwrap();
            let threads: Vec<_> = (0..3).map(|rank| scope.spawn(move || one(rank))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(runs, ["run of rank 0"; 3]);
        assert!(!place.path().exists(), "nothing is left");
        let late = agree(place.path(), 0, 3, Duration::from_millis(30), || Ok("another".to_owned())).unwrap_err();
        assert!(late.contains("rank 1, 2 of 3 did not come within 0.03 s"), "{late}");
    }

    #[test]
    fn all_hear_what_all_say_and_who_leaves_dies_or_is_late_is_named() {
        let place = tempfile::tempdir().unwrap();
        let join = |rank, patience| Meeting::join(place.path().to_owned(), rank, 2, patience).unwrap();
        let heard: Vec<Vec<String>> = std::thread::scope(|scope| {
            let meet = |rank: u32| {
                let mut meeting = join(rank, PATIENCE);
                (0..20).flat_map(|n| meeting.meet(&format!("{rank} says {n}")).unwrap()).collect()
            };
            let threads: Vec<_> = (0..2).map(|rank| scope.spawn(move || meet(rank))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let said: Vec<String> = (0..20).flat_map(|n| (0..2).map(move |rank| format!("{rank} says {n}"))).collect();
        assert_eq!(heard, [said.clone(), said]);

        let (mut one, mut other) = (join(0, Duration::from_millis(50)), join(1, PATIENCE));
        assert!(Meeting::join(place.path().to_owned(), 1, 2, PATIENCE).unwrap_err().contains("rank 1 came twice"));
        one.begin();
        other.begin();
        let late = one.meet("").unwrap_err();
        assert!(late.contains("rank 1 of 2 was awaited for 0.05 s"), "{late}");
        other.leave("panicked: oh");
        assert_eq!(one.meet("").unwrap_err(), "rank 1 of 2 panicked: oh");
        let mut one = Meeting { patience: PATIENCE, ..one };
        one.begin();
        drop(other);
        assert!(one.meet("").unwrap_err().contains("rank 1 of 2 is gone"));
    }
}

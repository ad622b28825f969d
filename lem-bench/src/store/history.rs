//! The history of earlier sessions, `<home>/history.jsonl`, and the spread between sessions,
//! `<home>/session-spread.json`.
//!
//! The history is an append-only file with one line per bench and session: a [`SessionResult`] as JSON. Its last field,
//! `crc32`, is the checksum of the bytes before it, as in journals.

use std::collections::BTreeMap;
use std::fs::{File, create_dir_all};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::checksum::{append_crc, is_intact};
use super::error::StoreError;
use super::home::Home;
use super::run_dir::{ensure_regular_file, sync_folder, write_atomic};
use crate::model::{OLDEST_SCHEMA_VERSION, SCHEMA_VERSION, SessionResult};

/// Longest line that is read, in bytes.
const MAX_LINE_BYTES: u64 = 1 << 20;

/// How many damaged lines are described individually.
const MAX_DESCRIBED: usize = 20;

/// Largest file that is read, in bytes.
const MAX_SPREAD_BYTES: u64 = 16 << 20;

/// The contents of the history file.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct History {
    /// The file, which need not exist.
    pub path: PathBuf,
    /// The intact lines, in the order in which they were written.
    pub lines: Vec<SessionResult>,
    /// One sentence for each line that cannot be used.
    pub damage: Vec<String>,
}

/// The field of a line that is the same in every schema version.
#[derive(Deserialize)]
struct Version {
    schema_version: u32,
}

impl History {
    /// Returns the path of the history file.
    pub fn file(home: &Home) -> PathBuf {
        home.path().join("history.jsonl")
    }

    /// Reads the history. A missing file is an empty history. Lines that are damaged, truncated or of another version
    /// are reported in [`History::damage`] and left out.
    ///
    /// # Errors
    /// [`StoreError::NotARegularFile`] when the path is not a file, [`StoreError::Io`] when it cannot be read.
    pub fn read(home: &Home) -> Result<Self, StoreError> {
        let path = Self::file(home);
        ensure_regular_file(&path)?;
        let mut history = Self { path: path.clone(), ..Self::default() };
        let file = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(history),
            file => file.map_err(StoreError::io("read", &path))?,
        };
        let mut reader = BufReader::new(file);
        let (mut line, mut undescribed) = (Vec::new(), 0_usize);
        for number in 1_u64.. {
            line.clear();
            let read = reader.by_ref().take(MAX_LINE_BYTES).read_until(b'\n', &mut line);
            if read.map_err(StoreError::io("read", &path))? == 0 {
                break;
            }
            let too_long = line.len() as u64 == MAX_LINE_BYTES && !line.ends_with(b"\n");
            let parsed =
                if too_long { Err("too long; the rest of the file is not read".to_owned()) } else { parse_line(&line) };
            match parsed {
                Ok(Some(result)) => history.lines.push(result),
                Ok(None) => {}
                Err(why) if history.damage.len() < MAX_DESCRIBED => {
                    history.damage.push(format!("line {number}: {why}"));
                }
                Err(_) => undescribed += 1,
            }
            if too_long {
                break;
            }
        }
        if undescribed > 0 {
            history.damage.push(format!("and {undescribed} more lines"));
        }
        Ok(history)
    }

    /// Appends lines and syncs them to disk. If the last line in the file is truncated, the new ones start on a line of
    /// their own.
    ///
    /// # Errors
    /// [`StoreError::NotARegularFile`] when the path is not a file, [`StoreError::Io`] when it cannot be written.
    pub fn append(home: &Home, results: &[SessionResult]) -> Result<(), StoreError> {
        if results.is_empty() {
            return Ok(());
        }
        let path = Self::file(home);
        create_dir_all(home.path()).map_err(StoreError::io("create", home.path()))?;
        ensure_regular_file(&path)?;
        let is_new = !path.exists();
        let mut text = Vec::new();
        for result in results {
            let mut line = serde_json::to_vec(result)
                .map_err(|error| StoreError::Unwritable { path: path.clone(), why: error.to_string() })?;
            append_crc(&mut line);
            text.extend_from_slice(&line);
        }
        let mut file =
            File::options().create(true).read(true).append(true).open(&path).map_err(StoreError::io("write", &path))?;
        file.lock().map_err(StoreError::io("lock", &path))?;
        append_text(&mut file, &path, &text)?;
        if is_new { sync_folder(home.path()) } else { Ok(()) }
    }
}

fn append_text(file: &mut File, path: &Path, text: &[u8]) -> Result<(), StoreError> {
    let is_complete = ends_with_line_feed(file).map_err(StoreError::io("read", path))?;
    let mut bytes = if is_complete { Vec::new() } else { vec![b'\n'] };
    bytes.extend_from_slice(text);
    file.write_all(&bytes).and_then(|()| file.sync_data()).map_err(StoreError::io("write", path))
}

/// Returns whether a file is empty or ends with a line feed.
fn ends_with_line_feed(file: &mut File) -> io::Result<bool> {
    if file.seek(SeekFrom::End(0))? == 0 {
        return Ok(true);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

/// Returns the result in a line; `None` for an empty line.
fn parse_line(line: &[u8]) -> Result<Option<SessionResult>, String> {
    let Some(line) = line.strip_suffix(b"\n") else {
        return Err("truncated".to_owned());
    };
    if line.is_empty() {
        return Ok(None);
    }
    if !is_intact(line) {
        return Err("damaged: its checksum is wrong".to_owned());
    }
    let version: Version = serde_json::from_slice(line).map_err(|error| error.to_string())?;
    if !(OLDEST_SCHEMA_VERSION..=SCHEMA_VERSION).contains(&version.schema_version) {
        return Err(format!(
            "has schema version {}; this build reads {OLDEST_SCHEMA_VERSION} to {SCHEMA_VERSION}",
            version.schema_version
        ));
    }
    serde_json::from_slice(line).map(Some).map_err(|error| error.to_string())
}

// The spread between sessions.

/// The session spread of one machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MachineSpread {
    /// The spread as a fraction: 0.01 is 1 %.
    pub s0: f64,
    /// The weight of the spread, as an equivalent number of observations.
    pub d0: f64,
    /// Number of sessions that it was computed from.
    pub sessions: usize,
    /// Number of benches that it was computed from.
    pub benches: usize,
    /// When it was computed, in seconds since 1970.
    pub at_unix_s: f64,
}

/// The contents of the file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MachineSpreads {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// By the machine's id, as in the history.
    pub machines: BTreeMap<String, MachineSpread>,
}

impl MachineSpreads {
    /// Returns the file's path.
    pub fn file(home: &Home) -> PathBuf {
        home.path().join("session-spread.json")
    }

    /// Reads the file. A missing file gives an empty map.
    ///
    /// # Errors
    /// [`StoreError::NotARegularFile`], [`StoreError::Io`], [`StoreError::Damaged`] or [`StoreError::Schema`].
    pub fn read(home: &Home) -> Result<Self, StoreError> {
        let path = Self::file(home);
        ensure_regular_file(&path)?;
        let file = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Self { schema_version: SCHEMA_VERSION, machines: BTreeMap::new() });
            }
            file => file.map_err(StoreError::io("read", &path))?,
        };
        let mut bytes = Vec::new();
        file.take(MAX_SPREAD_BYTES).read_to_end(&mut bytes).map_err(StoreError::io("read", &path))?;
        let damaged = |why: String| StoreError::Damaged { path: path.clone(), why };
        let read: Self = serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
        let found = read.schema_version;
        if !(OLDEST_SCHEMA_VERSION..=SCHEMA_VERSION).contains(&found) {
            return Err(StoreError::Schema { path, found, known: SCHEMA_VERSION });
        }
        let is_valid = |spread: &MachineSpread| [spread.s0, spread.d0].iter().all(|x| x.is_finite() && *x > 0.0);
        match read.machines.iter().find(|(_, spread)| !is_valid(spread)) {
            Some((machine, _)) => Err(damaged(format!("the spread of machine {machine} is not a number above zero"))),
            None => Ok(read),
        }
    }

    /// Writes the file.
    ///
    /// # Errors
    /// As [`write_atomic`].
    pub fn write(&self, home: &Home) -> Result<(), StoreError> {
        let path = Self::file(home);
        create_dir_all(home.path()).map_err(StoreError::io("create", home.path()))?;
        let json = serde_json::to_vec_pretty(self)
            .map_err(|error| StoreError::Unwritable { path: path.clone(), why: error.to_string() })?;
        write_atomic(&path, &json)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Method, Origin, Source};

    fn home() -> (tempfile::TempDir, Home) {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path().join("lem-bench"));
        (folder, home)
    }

    fn result(run: &str, value: f64) -> SessionResult {
        SessionResult {
            schema_version: SCHEMA_VERSION,
            run_id: run.to_owned(),
            started_unix_s: 1.5e9,
            target: "llm".to_owned(),
            package: None,
            facts: Vec::new(),
            bench: "decode/\u{1b}[31m\n".to_owned(),
            metric: "j_per_output_token".to_owned(),
            unit: "J/token".to_owned(),
            lower_is_better: true,
            value,
            low: Some(value * 0.99),
            high: None,
            level: 0.95,
            cycles: 10,
            status: "valid".to_owned(),
            source: Some(Source { meter: "nvml".to_owned(), origin: Origin::Measured, method: Method::Counter }),
            commit: Some("1".repeat(40)),
            branch: Some("main".to_owned()),
            machine: "0a1b2c3d".to_owned(),
        }
    }

    #[test]
    fn round_trips_bit_for_bit() {
        let (_folder, home) = home();
        assert_eq!(History::read(&home).unwrap().lines, []);
        let all: Vec<SessionResult> = (0..5).map(|i| result(&format!("run-{i}"), 0.1 + f64::from(i) / 3.0)).collect();
        History::append(&home, &all[..2]).unwrap();
        History::append(&home, &[]).unwrap();
        History::append(&home, &all[2..]).unwrap();
        let read = History::read(&home).unwrap();
        assert_eq!((read.lines, read.damage), (all, vec![]));
    }

    #[test]
    fn skips_and_reports_damaged_lines() {
        let (_folder, home) = home();
        History::append(&home, &[result("one", 1.0), result("two", 2.0)]).unwrap();
        let path = History::file(&home);
        let text = std::fs::read(&path).unwrap();
        // Truncated in the middle of the second line: the next result must start a new line.
        std::fs::write(&path, &text[..text.len() - 30]).unwrap();
        insta::assert_snapshot!(History::read(&home).unwrap().damage.join("\n"), @"line 2: truncated");
        History::append(&home, &[result("three", 3.0)]).unwrap();
        let read = History::read(&home).unwrap();
        assert_eq!(read.lines.iter().map(|line| line.run_id.as_str()).collect::<Vec<_>>(), ["one", "three"]);
        insta::assert_snapshot!(read.damage.join("\n"), @"line 2: damaged: its checksum is wrong");
        // Lines that this library did not write.
        let mut junk = b"\0\xff\n[[[[\n{}\n\n".to_vec();
        junk.extend(b"[".repeat(100_000));
        junk.push(b'\n');
        junk.extend_from_slice(&text);
        std::fs::write(&path, &junk).unwrap();
        let read = History::read(&home).unwrap();
        assert_eq!((read.lines.len(), read.damage.len()), (2, 4), "{:?}", read.damage);
        insta::assert_snapshot!(read.damage.join("\n"), @"
        line 1: damaged: its checksum is wrong
        line 2: damaged: its checksum is wrong
        line 3: damaged: its checksum is wrong
        line 5: damaged: its checksum is wrong
        ");
    }

    #[test]
    fn concurrent_appends_keep_all_lines() {
        let (_folder, home) = home();
        std::thread::scope(|scope| {
            for writer in 0..4 {
                let home = &home;
                scope.spawn(move || {
                    for i in 0..25 {
                        History::append(home, &[result(&format!("{writer}-{i}"), 1.0)]).unwrap();
                    }
                });
            }
        });
        let read = History::read(&home).unwrap();
        assert_eq!((read.lines.len(), read.damage), (100, vec![]));
    }

    #[cfg(unix)]
    #[test]
    fn does_not_follow_links() {
        let (folder, home) = home();
        History::append(&home, &[result("one", 1.0)]).unwrap();
        let precious = folder.path().join("precious");
        std::fs::write(&precious, "x").unwrap();
        std::fs::remove_file(History::file(&home)).unwrap();
        std::os::unix::fs::symlink(&precious, History::file(&home)).unwrap();
        assert!(History::append(&home, &[result("two", 2.0)]).is_err());
        assert!(History::read(&home).is_err());
        assert_eq!(std::fs::read(&precious).unwrap(), b"x");
    }

    #[test]
    fn round_trips_and_rejects_invalid_numbers() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path().join("lem-bench"));
        let mut all = MachineSpreads::read(&home).unwrap();
        assert!(all.machines.is_empty());
        let spread = MachineSpread { s0: 0.004, d0: 5.0, sessions: 6, benches: 2, at_unix_s: 1.5e9 };
        all.machines.insert("0a1b2c3d".to_owned(), spread);
        all.write(&home).unwrap();
        assert_eq!(MachineSpreads::read(&home).unwrap(), all);
        let text = std::fs::read_to_string(MachineSpreads::file(&home)).unwrap();
        for (from, to) in [("0.004", "0"), ("0.004", "-1"), ("5.0", "1e999"), ("{", "x")] {
            std::fs::write(MachineSpreads::file(&home), text.replacen(from, to, 1)).unwrap();
            assert!(matches!(MachineSpreads::read(&home), Err(StoreError::Damaged { .. })), "{to}");
        }
    }
}

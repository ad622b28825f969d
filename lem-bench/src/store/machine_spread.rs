//! Session spreads by machine, from `cargo lem repeatability`: `<home>/session-spread.json`.

use std::collections::BTreeMap;
use std::fs::{File, create_dir_all};
use std::io::{self, Read};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::error::StoreError;
use super::fs::ensure_regular_file;
use super::fs::write_atomic;
use super::home::Home;
use crate::model::{OLDEST_SCHEMA_VERSION, SCHEMA_VERSION};

/// Largest file that is read, in bytes.
const LARGEST: u64 = 16 << 20;

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
        file.take(LARGEST).read_to_end(&mut bytes).map_err(StoreError::io("read", &path))?;
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

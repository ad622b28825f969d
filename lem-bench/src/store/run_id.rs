//! The name of a run: made from the date, or given from outside and checked.
//!
//! Must not know what is in a run's folder.

use std::hash::{BuildHasher, RandomState};
use std::time::{SystemTime, UNIX_EPOCH};

use super::civil::file_stamp;
use super::component::objection;
use super::error::StoreError;

/// The name of a run: one safe component of a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(String);

impl RunId {
    /// A new name from the present date in UTC and four random digits: `2026-11-23T14-05-33Z-a1b2`.
    pub fn now() -> Self {
        let unix_s = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        // Keyed anew by the system in each process; a seed of ours would make two runs alike.
        Self::at(unix_s, RandomState::new().hash_one(unix_s) as u16)
    }

    /// The name of a run that began at `unix_s` seconds since 1970, with `random` to tell apart what began in the same
    /// second.
    pub fn at(unix_s: u64, random: u16) -> Self {
        Self(format!("{}-{random:04x}", file_stamp(unix_s)))
    }

    /// A name given from outside.
    ///
    /// # Errors
    /// [`StoreError::BadRunId`] when it is not a safe component of a path: 1 to 100 letters, digits, `.`, `_` and `-`,
    /// beginning with a letter or digit, and no device of Windows.
    pub fn parse(text: &str) -> Result<Self, StoreError> {
        match objection(text) {
            None => Ok(Self(text.to_owned())),
            Some(why) => Err(StoreError::BadRunId { text: text.chars().take(120).collect(), why }),
        }
    }

    /// The run of all processes of one nextest run, from `NEXTEST_RUN_ID`: `nextest-<id>`.
    ///
    /// # Errors
    /// As [`RunId::parse`].
    pub fn nextest(id: &str) -> Result<Self, StoreError> {
        Self::parse(id)?;
        Self::parse(&format!("nextest-{id}"))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for RunId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_sort_by_time_and_can_be_read_back() {
        let id = RunId::at(1_795_442_733, 0xa1b2);
        assert_eq!(id.as_str(), "2026-11-23T14-05-33Z-a1b2");
        assert!(RunId::at(1_795_442_734, 0) > id);
        assert_eq!(RunId::parse(id.as_str()).unwrap(), id);
        assert!(RunId::now() > RunId::at(1_700_000_000, 0));
    }

    #[test]
    fn names_from_outside_stay_in_their_folder() {
        assert_eq!(RunId::nextest("67a1-9f").unwrap().as_str(), "nextest-67a1-9f");
        for bad in ["../x", "a/b", "a\0", "", &"x".repeat(300)] {
            assert!(RunId::nextest(bad).is_err(), "{bad:?}");
            assert!(RunId::parse(bad).is_err(), "{bad:?}");
        }
        let error = RunId::parse("../x").unwrap_err();
        assert!(error.to_string().contains("../x") && error.remedy().is_some(), "{error}");
    }
}

//! Names of runs, journals, and files made from bench ids. All are safe components of a path.

use std::hash::{BuildHasher, RandomState};
use std::time::{SystemTime, UNIX_EPOCH};

use super::error::StoreError;
use crate::model::{BenchTarget, CivilTime, id_hash};

/// Longest readable part of a slug, in characters.
const READABLE: usize = 80;

/// Longest readable part of a bench target in the name of a run, in characters.
const READABLE_TARGET: usize = 30;

/// Names that Windows reserves for devices, with any extension and in any case.
const RESERVED: [&str; 4] = ["con", "prn", "aux", "nul"];

/// Names that Windows reserves for devices when one digit follows.
const RESERVED_NUMBERED: [&str; 2] = ["com", "lpt"];

/// The name of a run: one safe component of a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(String);

impl RunId {
    /// Returns a new name from the present date in UTC and four random digits: `2026-11-23T14-05-33Z-a1b2`.
    pub fn now() -> Self {
        let unix_s = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        // The system keys `RandomState` differently in each process; a fixed seed would give two runs the same name.
        Self::at(unix_s, RandomState::new().hash_one(unix_s) as u16)
    }

    /// Returns the name of a run that began at `unix_s` seconds since 1970. `random` distinguishes runs of the same
    /// second.
    pub fn at(unix_s: u64, random: u16) -> Self {
        Self(format!("{}-{random:04x}", file_stamp(unix_s)))
    }

    /// Checks a name given from outside.
    ///
    /// # Errors
    /// [`StoreError::BadRunId`] when it is not a safe component of a path: 1 to 100 letters, digits, `.`, `_` and `-`,
    /// beginning with a letter or digit, not ending with a dot, and not the name of a device on Windows.
    pub fn parse(text: &str) -> Result<Self, StoreError> {
        match unsafe_component(text) {
            None => Ok(Self(text.to_owned())),
            Some(why) => Err(StoreError::BadRunId { text: text.chars().take(120).collect(), why }),
        }
    }

    /// Returns the run that all processes of one nextest run and bench target share, from `NEXTEST_RUN_ID`:
    /// `nextest-<id>-<target>-<checksum of the target>`.
    ///
    /// # Errors
    /// As [`RunId::parse`].
    pub fn nextest(id: &str, target: &BenchTarget) -> Result<Self, StoreError> {
        Self::parse(id)?;
        let full = target.to_string();
        let readable: String = target.name.chars().filter(char::is_ascii_alphanumeric).take(READABLE_TARGET).collect();
        Self::parse(&format!("nextest-{id}-{readable}-{:08x}", id_hash(&full) >> 32))
    }

    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for RunId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// The process that a journal belongs to, as in the names of its files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JournalName {
    /// The process' rank in the run, from 0.
    pub rank: u32,
    /// The process' id, where several processes of one rank write to one run (under nextest).
    pub pid: Option<u32>,
}

impl JournalName {
    /// Returns `journal-<rank>.jsonl`, or `journal-<rank>-<pid>.jsonl`.
    pub fn journal_file(self) -> String {
        format!("journal-{}.jsonl", self.stem())
    }

    /// Returns `samples-<rank>.bin`, or `samples-<rank>-<pid>.bin`.
    pub fn samples_file(self) -> String {
        format!("samples-{}.bin", self.stem())
    }

    /// Parses the name of a journal file. Returns `None` for any other name.
    pub fn parse(journal_file: &str) -> Option<Self> {
        let stem = journal_file.strip_prefix("journal-")?.strip_suffix(".jsonl")?;
        let (rank, pid) = match stem.split_once('-') {
            Some((rank, pid)) => (rank, Some(pid.parse().ok()?)),
            None => (stem, None),
        };
        let name = Self { rank: rank.parse().ok()?, pid };
        // Only the canonical form: not `journal-+1.jsonl` or `journal-01.jsonl`.
        (name.journal_file() == journal_file).then_some(name)
    }

    fn stem(self) -> String {
        match self.pid {
            Some(pid) => format!("{}-{pid}", self.rank),
            None => self.rank.to_string(),
        }
    }
}

/// Returns a name for a file or folder of the bench `id`: the readable part of the id, then `-` and 12 hexadecimal
/// digits of a hash of the whole id.
///
/// The name is one component of a path that is valid on every file system, at most 94 ASCII characters long. Different
/// ids have different slugs, also where file names ignore case, up to a chance of one in 2⁴⁸ for each pair.
///
/// ```
/// assert_eq!(lem_bench::__private::store::slug("decode/batch=4/dtype=bf16"), "decode-batch=4-dtype=bf16-21a89dfbaea7");
/// ```
#[must_use = "returns a name; it does not create a file"]
pub fn slug(id: &str) -> String {
    let mut slug = String::with_capacity(READABLE + 14);
    for c in id.chars() {
        let keep = c.is_ascii_alphanumeric() || matches!(c, '=' | '_' | '.');
        if keep {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
        if slug.len() == READABLE {
            break;
        }
    }
    let readable = slug.trim_matches(['-', '.']);
    let prefix = if readable.is_empty() || is_reserved(readable) { "bench-" } else { "" };
    format!("{prefix}{readable}-{:012x}", id_hash(id) >> 16)
}

/// Returns whether a name means a device on Windows: `nul`, `COM1.txt`.
fn is_reserved(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().to_ascii_lowercase();
    let is_numbered = |prefix: &&str| {
        stem.strip_prefix(*prefix).is_some_and(|rest| rest.len() == 1 && rest.as_bytes()[0].is_ascii_digit())
    };
    RESERVED.contains(&stem.as_str()) || RESERVED_NUMBERED.iter().any(is_numbered)
}

/// Returns why a text from outside is not a safe component of a path; `None` when it is safe.
fn unsafe_component(text: &str) -> Option<&'static str> {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if text.is_empty() {
        Some("it is empty")
    } else if text.len() > 100 {
        Some("it is longer than 100 characters")
    } else if !text.chars().all(is_allowed) {
        Some("it contains a character other than letters, digits, `.`, `_` and `-`")
    } else if !text.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        Some("it does not begin with a letter or digit")
    } else if text.ends_with('.') {
        Some("it ends with a dot")
    } else if is_reserved(text) {
        Some("it is the name of a device on Windows")
    } else {
        None
    }
}

/// Returns a time in seconds since 1970 as text that sorts by time and that any file system accepts:
/// `2026-11-23T14-05-33Z`.
fn file_stamp(unix_s: u64) -> String {
    let CivilTime { year, month, day, hour, minute, second } = CivilTime::from_unix(unix_s);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}-{minute:02}-{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn run_ids_sort_by_time() {
        let id = RunId::at(1_795_442_733, 0xa1b2);
        assert_eq!(id.as_str(), "2026-11-23T14-05-33Z-a1b2");
        assert!(RunId::at(1_795_442_734, 0) > id);
        assert_eq!(RunId::parse(id.as_str()).unwrap(), id);
        assert!(RunId::now() > RunId::at(1_700_000_000, 0));
    }

    #[test]
    fn rejects_unsafe_run_ids() {
        let target = BenchTarget { package: Some("alpha".to_owned()), name: "my_energy".to_owned() };
        let other = BenchTarget { package: Some("beta".to_owned()), ..target.clone() };
        let run = RunId::nextest("67a1-9f", &target).unwrap();
        assert!(run.as_str().starts_with("nextest-67a1-9f-myenergy-"), "{run}");
        assert_ne!(run, RunId::nextest("67a1-9f", &other).unwrap());
        for bad in ["../x", "a/b", "a\0", "", &"x".repeat(300)] {
            assert!(RunId::nextest(bad, &target).is_err(), "{bad:?}");
            assert!(RunId::parse(bad).is_err(), "{bad:?}");
        }
        let error = RunId::parse("../x").unwrap_err();
        assert!(error.to_string().contains("../x") && error.remedy().is_some(), "{error}");
    }

    #[test]
    fn rejects_unsafe_components() {
        let long = "x".repeat(101);
        let reasons = ["", "a/b", ".", "x.", "nul", &long].map(|bad| unsafe_component(bad).unwrap_or("safe"));
        insta::assert_snapshot!(reasons.join("\n"), @"
        it is empty
        it contains a character other than letters, digits, `.`, `_` and `-`
        it does not begin with a letter or digit
        it ends with a dot
        it is the name of a device on Windows
        it is longer than 100 characters
        ");
        for bad in
            ["", ".", "..", "../x", "a/b", "/etc", "a\\b", "a\0b", "nul", "CON.txt", "Lpt9", "x.", "-rf", &long, "ä"]
        {
            assert!(unsafe_component(bad).is_some(), "{bad:?}");
        }
        for good in ["a", "nextest-4f1c", "2026-11-23T14-05-33Z-a1b2", "console", "com", "com10", "a..b"] {
            assert_eq!(unsafe_component(good), None, "{good:?}");
        }
    }

    #[test]
    fn parses_journal_names() {
        let plain = JournalName { rank: 3, pid: None };
        let nextest = JournalName { rank: 0, pid: Some(4711) };
        assert_eq!((plain.journal_file(), plain.samples_file()), ("journal-3.jsonl".into(), "samples-3.bin".into()));
        assert_eq!(nextest.journal_file(), "journal-0-4711.jsonl");
        for name in [plain, nextest] {
            assert_eq!(JournalName::parse(&name.journal_file()), Some(name));
        }
        for other in [
            "journal-.jsonl",
            "journal-01.jsonl",
            "journal-+1.jsonl",
            "journal-1-.jsonl",
            "journal-1-2-3.jsonl",
            "journal-4294967296.jsonl",
            "journal-1.json",
            ".journal-1.jsonl",
            "journal-1.jsonl.bak",
        ] {
            assert_eq!(JournalName::parse(other), None, "{other}");
        }
        assert!(plain > JournalName { rank: 2, pid: Some(9) });
    }

    #[test]
    fn slugs_of_hostile_ids_are_safe_and_distinct() {
        let long = "decode/".repeat(43);
        let longer = format!("{long}x");
        let ids = [
            "",
            ".",
            "..",
            "../../etc/passwd",
            "/etc/passwd",
            "C:\\x",
            "a\0b",
            "a\nb",
            "NUL",
            "con",
            "aux.h",
            "com1.x",
            "-rf",
            "a/b",
            "a b",
            "a-b",
            "a:b",
            "Decode",
            "decode",
            "DECODE",
            "décode",
            "解码",
            "🔥",
            "a.",
            "a",
            " a",
            &long,
            &longer,
            "…",
            "a//b",
            ".hidden",
            "bench",
        ];
        let mut seen = HashSet::new();
        for id in ids {
            let slug = slug(id);
            assert!(slug.len() <= READABLE + 6 + 13, "{slug}");
            assert!(slug.bytes().all(|b| b.is_ascii_alphanumeric() || b"=_.-".contains(&b)), "{slug}");
            assert!(!slug.starts_with(['.', '-']) && !slug.ends_with('.'), "{slug}");
            assert!(!is_reserved(&slug), "{slug}");
            assert!(seen.insert(slug.to_ascii_lowercase()), "{id:?} collides: {slug}");
        }
    }

    #[test]
    fn slugs_stay_readable() {
        assert!(slug("decode/batch=4/dtype=bf16").starts_with("decode-batch=4-dtype=bf16-"));
        assert!(slug("temperature=0.5").starts_with("temperature=0.5-"));
    }

    #[test]
    fn known_moments_have_their_dates() {
        // `date -u -d @N +%FT%H-%M-%SZ`
        for (unix_s, text) in [
            (0, "1970-01-01T00-00-00Z"),
            (951_782_399, "2000-02-28T23-59-59Z"),
            (951_782_400, "2000-02-29T00-00-00Z"),
            (1_709_251_200, "2024-03-01T00-00-00Z"),
            (1_795_442_733, "2026-11-23T14-05-33Z"),
            (4_107_542_400, "2100-03-01T00-00-00Z"),
            (253_402_300_799, "9999-12-31T23-59-59Z"),
        ] {
            assert_eq!(file_stamp(unix_s), text);
        }
    }
}

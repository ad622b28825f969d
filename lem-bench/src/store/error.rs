//! What can go wrong between memory and disk, and what a person can do about it.
//!
//! Must not know what the files hold.

use std::io;
use std::path::{Path, PathBuf};

/// Why something could not be kept or read back. The message is a fragment that fits "error: {error}" and names the
/// path and the reason; [`StoreError::remedy`] is what to do about it.
#[derive(Debug)]
#[non_exhaustive]
pub enum StoreError {
    /// The file system said no.
    Io {
        /// What was tried, as a verb: `create`, `write`, `read`.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Something is already there that must not be overwritten.
    Exists {
        /// What is there.
        path: PathBuf,
    },
    /// A symbolic link, pipe or device stands where a file or folder of ours belongs; it is not followed.
    NotARegularFile {
        /// Where it stands.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// A file was written by a version of this library that knows more, or is too old to be read.
    Schema {
        /// The file.
        path: PathBuf,
        /// The file's schema version.
        found: u32,
        /// The newest schema version that this build reads.
        known: u32,
    },
    /// A record that can't be written down: it would not come back as it was.
    Unwritable {
        /// The journal.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A file of ours holds something that it can't hold.
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A text cannot be the name of a baseline.
    BadBaselineName {
        /// The text.
        text: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A text cannot be the name of a run.
    BadRunId {
        /// The text.
        text: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Another measurement is going on on this machine.
    Locked {
        /// The lock file.
        path: PathBuf,
        /// The process that holds it, where it said so.
        holder: Option<u32>,
        /// How long was waited, in seconds.
        waited_s: f64,
    },
}

impl StoreError {
    /// Wraps an error of the file system: for `map_err`.
    pub(super) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io { doing, path, source }
    }

    /// What a person can do about it, where there is something.
    pub fn remedy(&self) -> Option<String> {
        match self {
            Self::Io { doing, source, .. } => io_remedy(doing, source),
            Self::Exists { .. } => Some("choose another name, or remove it if it is no longer wanted".to_owned()),
            Self::NotARegularFile { .. } => Some("remove it; what it points to is left alone".to_owned()),
            Self::Schema { found, known, .. } if found > known => {
                Some(format!("read it with a lem-bench that knows schema {found}"))
            }
            Self::Schema { .. } => Some("measure again, or read it with the version that wrote it".to_owned()),
            Self::Unwritable { .. } => None,
            Self::Damaged { .. } => Some("remove it, and save or measure again".to_owned()),
            Self::BadBaselineName { .. } => Some("give it a name such as main or feature/x".to_owned()),
            Self::BadRunId { .. } => Some(
                "use letters, digits, `.`, `_` and `-`, beginning with a letter or digit, at most 100 of them"
                    .to_owned(),
            ),
            Self::Locked { .. } => Some("wait until it has ended, or stop it".to_owned()),
        }
    }
}

fn io_remedy(doing: &str, source: &io::Error) -> Option<String> {
    use io::ErrorKind as Kind;
    let elsewhere = "let LEM_BENCH_HOME name a folder";
    let remedy = match source.kind() {
        Kind::StorageFull | Kind::QuotaExceeded => format!("make room there, or {elsewhere} on another disk"),
        Kind::ReadOnlyFilesystem | Kind::PermissionDenied if doing != "read" => {
            format!("{elsewhere} that this user may write to")
        }
        Kind::PermissionDenied => "give this user read access".to_owned(),
        Kind::NotADirectory | Kind::AlreadyExists => format!("remove the file that is in the way, or {elsewhere}"),
        Kind::InvalidFilename => format!("{elsewhere} with a shorter path"),
        _ => return None,
    };
    Some(remedy)
}

impl std::fmt::Display for StoreError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Io { doing, path, source } => write!(f, "can't {doing} {}: {source}", path.display()),
            Self::Exists { path } => write!(f, "{} is there already and is not overwritten", path.display()),
            Self::NotARegularFile { path, what } => write!(f, "{} is {what} and is not followed", path.display()),
            Self::Schema { path, found, known } => {
                write!(f, "{} has schema version {found}; this build reads 1 to {known}", path.display())
            }
            Self::Unwritable { path, why } => write!(f, "can't write a record to {}: {why}", path.display()),
            Self::Damaged { path, why } => write!(f, "{} is damaged: {why}", path.display()),
            Self::BadBaselineName { text, why } => write!(f, "{text:?} can't name a baseline: {why}"),
            Self::BadRunId { text, why } => write!(f, "{text:?} can't name a run: {why}"),
            Self::Locked { path, holder, waited_s } => {
                f.write_str("another measurement is going on on this machine")?;
                if let Some(pid) = holder {
                    write!(f, " (process {pid})")?;
                }
                if *waited_s > 0.0 {
                    write!(f, ", still after {waited_s:.0} s of waiting")?;
                }
                write!(f, "; it holds {}", path.display())
            }
        }
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_and_remedies() {
        let path = PathBuf::from("/home/x");
        let io = |kind: io::ErrorKind| StoreError::Io { doing: "write", path: "/home/x".into(), source: kind.into() };
        let schema = |found| StoreError::Schema { path: "/home/x".into(), found, known: 2 };
        let locked = |holder, waited_s| StoreError::Locked { path: "/run/lock/x".into(), holder, waited_s };
        let errors = [
            io(io::ErrorKind::StorageFull),
            io(io::ErrorKind::PermissionDenied),
            io(io::ErrorKind::NotADirectory),
            io(io::ErrorKind::InvalidFilename),
            io(io::ErrorKind::Interrupted),
            StoreError::Io { doing: "read", path: path.clone(), source: io::ErrorKind::PermissionDenied.into() },
            StoreError::Exists { path: path.clone() },
            StoreError::NotARegularFile { path: path.clone(), what: "a symbolic link" },
            schema(3),
            schema(0),
            StoreError::Unwritable { path: path.clone(), why: "why".to_owned() },
            StoreError::Damaged { path, why: "why".to_owned() },
            StoreError::BadBaselineName { text: "a\nb".to_owned(), why: "why" },
            StoreError::BadRunId { text: "../x".to_owned(), why: "why" },
            locked(None, 0.0),
            locked(Some(7), 2.4),
        ];
        let line = |error: &StoreError| format!("{error}\n  -> {}", error.remedy().unwrap_or_default());
        insta::assert_snapshot!(errors.iter().map(line).collect::<Vec<_>>().join("\n"), @r#"
        can't write /home/x: no storage space
          -> make room there, or let LEM_BENCH_HOME name a folder on another disk
        can't write /home/x: permission denied
          -> let LEM_BENCH_HOME name a folder that this user may write to
        can't write /home/x: not a directory
          -> remove the file that is in the way, or let LEM_BENCH_HOME name a folder
        can't write /home/x: invalid filename
          -> let LEM_BENCH_HOME name a folder with a shorter path
        can't write /home/x: operation interrupted
          -> 
        can't read /home/x: permission denied
          -> give this user read access
        /home/x is there already and is not overwritten
          -> choose another name, or remove it if it is no longer wanted
        /home/x is a symbolic link and is not followed
          -> remove it; what it points to is left alone
        /home/x has schema version 3; this build reads 1 to 2
          -> read it with a lem-bench that knows schema 3
        /home/x has schema version 0; this build reads 1 to 2
          -> measure again, or read it with the version that wrote it
        can't write a record to /home/x: why
          -> 
        /home/x is damaged: why
          -> remove it, and save or measure again
        "a\nb" can't name a baseline: why
          -> give it a name such as main or feature/x
        "../x" can't name a run: why
          -> use letters, digits, `.`, `_` and `-`, beginning with a letter or digit, at most 100 of them
        another measurement is going on on this machine; it holds /run/lock/x
          -> wait until it has ended, or stop it
        another measurement is going on on this machine (process 7), still after 2 s of waiting; it holds /run/lock/x
          -> wait until it has ended, or stop it
        "#);
    }
}

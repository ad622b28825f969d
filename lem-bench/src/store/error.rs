//! The errors of this module, with remedies.

use std::io;
use std::path::{Path, PathBuf};

/// Why something could not be stored or read. The message is a fragment that fits "error: {error}" and names the path
/// and the reason; [`StoreError::remedy`] is what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A file system operation failed.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io {
        /// The operation, as a verb: `create`, `write`, `read`.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// Something exists that must not be overwritten.
    #[error("{} already exists and is not overwritten", path.display())]
    Exists {
        /// The existing file or folder.
        path: PathBuf,
    },
    /// A symbolic link, pipe or device is at the path of one of our files or folders; it is not followed.
    #[error("{} is {what} and is not followed", path.display())]
    NotARegularFile {
        /// Its path.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// A file has a schema version that this build does not read: newer, or too old.
    #[error("{} has schema version {found}; this build reads 1 to {known}", path.display())]
    Schema {
        /// The file.
        path: PathBuf,
        /// The file's schema version.
        found: u32,
        /// The newest schema version that this build reads.
        known: u32,
    },
    /// A record cannot be written, because it could not be read back unchanged.
    #[error("cannot write a record to {}: {why}", path.display())]
    Unwritable {
        /// The journal.
        path: PathBuf,
        /// What is wrong with the record.
        why: String,
    },
    /// The contents of one of our files are not valid.
    #[error("{} is damaged: {why}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A text is not a valid name of a baseline.
    #[error("{text:?} is not a valid baseline name: {why}")]
    BadBaselineName {
        /// The text.
        text: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A text is not a valid name of a run.
    #[error("{text:?} is not a valid run name: {why}")]
    BadRunId {
        /// The text.
        text: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Another measurement is running on this machine, or another process writes to the same journal.
    #[error(
        "another measurement is running on this machine{}{}; it holds {}",
        holder.map_or_else(String::new, |pid| format!(" (process {pid})")),
        if *waited_s > 0.0 { format!(", still after {waited_s:.0} s of waiting") } else { String::new() },
        path.display()
    )]
    Locked {
        /// The locked file.
        path: PathBuf,
        /// The process that holds the lock, if known.
        holder: Option<u32>,
        /// How long this process waited, in seconds.
        waited_s: f64,
    },
}

impl StoreError {
    /// Returns a closure that wraps an error of the file system, for `map_err`.
    pub(super) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io { doing, path, source }
    }

    /// Returns what the user can do about it, if there is something.
    pub fn remedy(&self) -> Option<String> {
        match self {
            Self::Io { doing, source, .. } => io_remedy(doing, source),
            Self::Exists { .. } => Some("choose another name, or remove it if it is no longer needed".to_owned()),
            Self::NotARegularFile { .. } => Some("remove it; what it points to is not touched".to_owned()),
            Self::Schema { found, known, .. } if found > known => {
                Some(format!("use a version of lem-bench that reads schema {found}"))
            }
            Self::Schema { .. } => Some("measure again, or read it with the version that wrote it".to_owned()),
            Self::Unwritable { .. } => None,
            Self::Damaged { .. } => Some("remove it, and save or measure again".to_owned()),
            Self::BadBaselineName { .. } => Some("use a name such as main or feature/x".to_owned()),
            Self::BadRunId { .. } => Some(
                "use letters, digits, `.`, `_` and `-`, beginning with a letter or digit, at most 100 of them"
                    .to_owned(),
            ),
            Self::Locked { .. } => Some("wait until it ends, or stop it".to_owned()),
        }
    }
}

fn io_remedy(doing: &str, source: &io::Error) -> Option<String> {
    use io::ErrorKind as Kind;
    let elsewhere = "set LEM_BENCH_HOME to a folder";
    let remedy = match source.kind() {
        Kind::StorageFull | Kind::QuotaExceeded => format!("free space there, or {elsewhere} on another disk"),
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
        cannot write /home/x: no storage space
          -> free space there, or set LEM_BENCH_HOME to a folder on another disk
        cannot write /home/x: permission denied
          -> set LEM_BENCH_HOME to a folder that this user may write to
        cannot write /home/x: not a directory
          -> remove the file that is in the way, or set LEM_BENCH_HOME to a folder
        cannot write /home/x: invalid filename
          -> set LEM_BENCH_HOME to a folder with a shorter path
        cannot write /home/x: operation interrupted
          -> 
        cannot read /home/x: permission denied
          -> give this user read access
        /home/x already exists and is not overwritten
          -> choose another name, or remove it if it is no longer needed
        /home/x is a symbolic link and is not followed
          -> remove it; what it points to is not touched
        /home/x has schema version 3; this build reads 1 to 2
          -> use a version of lem-bench that reads schema 3
        /home/x has schema version 0; this build reads 1 to 2
          -> measure again, or read it with the version that wrote it
        cannot write a record to /home/x: why
          -> 
        /home/x is damaged: why
          -> remove it, and save or measure again
        "a\nb" is not a valid baseline name: why
          -> use a name such as main or feature/x
        "../x" is not a valid run name: why
          -> use letters, digits, `.`, `_` and `-`, beginning with a letter or digit, at most 100 of them
        another measurement is running on this machine; it holds /run/lock/x
          -> wait until it ends, or stop it
        another measurement is running on this machine (process 7), still after 2 s of waiting; it holds /run/lock/x
          -> wait until it ends, or stop it
        "#);
    }
}

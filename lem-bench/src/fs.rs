//! File operations that several modules share: atomic replacement of a file, durable folders and file locks.
//!
//! Functions return plain [`io::Error`]s; callers add the path and the operation.

use std::ffi::OsString;
use std::fs::{File, OpenOptions, remove_file, rename};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Write};
use std::path::Path;

/// Replaces a file atomically and durably: readers see the old bytes or the new ones, also after a power cut.
///
/// A symbolic link at `path` is replaced, not followed.
///
/// # Errors
/// Any step failed. The old file is unchanged, unless only the last step failed, which makes the new name durable.
pub(crate) fn write_atomic(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace_file(path, |file| {
        file.write_all(bytes)?;
        file.sync_all()
    })?;
    sync_folder(folder_of(path))
}

/// Replaces a file atomically: `write` fills a temporary file in the same folder, which is then renamed to `path`.
///
/// Readers never see a part of the file. It survives a power cut only if `write` syncs it and the folder is synced
/// afterwards; see [`write_atomic`].
///
/// # Errors
/// Any step failed. The old file is unchanged and the temporary file is removed.
pub(crate) fn replace_file(path: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    let name =
        path.file_name().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the path has no file name"))?;
    let mut temporary_name = OsString::from(".");
    temporary_name.push(name);
    temporary_name.push(format!(".{}.tmp", unique_suffix()));
    let temporary = folder_of(path).join(temporary_name);
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&temporary)
        .and_then(|mut file| write(&mut file))
        .and_then(|()| rename(&temporary, path));
    if written.is_err() {
        // Best effort: the first error is the one to report.
        drop(remove_file(&temporary));
    }
    written
}

/// Returns 16 hexadecimal digits for the name of a temporary file.
///
/// They are random: a process id is not unique among machines or containers that share a folder.
pub(crate) fn unique_suffix() -> String {
    format!("{:016x}", RandomState::new().hash_one(std::process::id()))
}

/// Makes the names in a folder durable. Does nothing on platforms and file systems that cannot sync a folder.
///
/// # Errors
/// The folder cannot be opened, or syncing it failed.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(not(unix)) {
        return Ok(());
    }
    match File::open(folder).and_then(|open| open.sync_all()) {
        Err(error) if !matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => Err(error),
        _ => Ok(()),
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// An exclusive lock between processes on a file. Released when dropped and when the process ends.
#[derive(Debug)]
pub(crate) struct FileLock(File);

/// Why a [`FileLock`] could not be acquired.
#[derive(Debug)]
pub(crate) enum FileLockError {
    /// The file could not be opened or created.
    Open(io::Error),
    /// The file could not be locked, for example because the file system has no locks.
    Lock(io::Error),
}

impl FileLock {
    /// Locks the file at `path`, which is created if it does not exist. Waits while another process holds the lock.
    ///
    /// # Errors
    /// The file cannot be opened, or cannot be locked; [`FileLockError`] distinguishes the two.
    pub(crate) fn acquire(path: &Path) -> Result<Self, FileLockError> {
        let file = OpenOptions::new().create(true).append(true).open(path).map_err(FileLockError::Open)?;
        file.lock().map_err(FileLockError::Lock)?;
        Ok(Self(file))
    }
}

impl Drop for FileLock {
    fn drop(&mut self) {
        // Closing the file is not enough: a child process that inherited the descriptor would keep the lock.
        drop(self.0.unlock());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn replaces_file_and_leaves_no_temporary() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("summary.json");
        write_atomic(&path, b"old").unwrap();
        write_atomic(&path, b"new").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        assert_eq!(names(folder.path()), ["summary.json"]);
    }

    #[test]
    fn readers_never_see_partial_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("summary.json");
        let contents: Vec<Vec<u8>> = (0..4u8).map(|i| vec![i; 50_000 + usize::from(i)]).collect();
        write_atomic(&path, &contents[0]).unwrap();
        std::thread::scope(|scope| {
            for content in &contents {
                let path = &path;
                scope.spawn(move || (0..10).for_each(|_| write_atomic(path, content).unwrap()));
            }
            for _ in 0..200 {
                let seen = std::fs::read(&path).unwrap();
                assert!(contents.contains(&seen), "{} bytes", seen.len());
            }
        });
        assert_eq!(names(folder.path()), ["summary.json"]);
    }

    #[test]
    fn failed_write_keeps_old_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, "old").unwrap();
        let failed = replace_file(&path, |file| {
            file.write_all(b"new")?;
            Err(io::Error::other("disk full"))
        });
        assert_eq!(failed.unwrap_err().to_string(), "disk full");
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        assert_eq!(names(folder.path()), ["file"]);
        assert!(write_atomic(Path::new("/"), b"x").is_err());
    }

    #[test]
    fn lock_excludes_others_until_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".lock");
        let lock = FileLock::acquire(&path).unwrap();
        let other = File::open(&path).unwrap();
        assert!(other.try_lock().is_err());
        drop(lock);
        assert!(other.try_lock().is_ok());
        assert!(matches!(FileLock::acquire(&path.join("below")), Err(FileLockError::Open(_))));
    }
}

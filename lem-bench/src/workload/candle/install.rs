//! Creates a folder with generated files atomically, and detects damage.
//!
//! A manifest with sizes and hashes is written last, so an incomplete or damaged folder is recognized. A lock file
//! prevents two processes from creating the folder at the same time.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Error;
use crate::fs::{FileLock, FileLockError, sync_folder};
use crate::model::fnv1a64;

const MANIFEST: &str = "manifest.json";
/// Prefix of the names of temporary folders.
const TEMPORARY: &str = ".making-";

#[derive(Serialize, Deserialize)]
struct Manifest {
    files: Vec<Entry>,
}

#[derive(Serialize, Deserialize, PartialEq)]
struct Entry {
    name: String,
    bytes: u64,
    fnv64: String,
}

/// Creates `dir`, unless it exists and is intact. `generate` writes the files into an empty folder.
///
/// # Errors
/// [`Error::Write`] if a file or folder cannot be written, and the errors of `generate`.
pub(super) fn ensure(dir: &Path, generate: impl FnOnce(&Path) -> Result<(), Error>) -> Result<(), Error> {
    if is_intact(dir) {
        return Ok(());
    }
    let (Some(parent), Some(name)) = (dir.parent(), dir.file_name().and_then(|name| name.to_str())) else {
        let source = io::Error::new(io::ErrorKind::InvalidInput, "the path has no folder name");
        return Err(Error::Write { path: dir.to_owned(), source });
    };
    fs::create_dir_all(parent).map_err(cannot_write(parent))?;
    let lock = lock(&parent.join(".lock"))?;
    // Another process may have created it while this one waited for the lock.
    if is_intact(dir) {
        return Ok(());
    }
    if lock.is_some() {
        // Their processes have ended, because they do not hold the lock.
        remove_temporary_folders(parent);
    }
    let temporary = parent.join(format!("{TEMPORARY}{name}-{}", std::process::id()));
    let created = fill(&temporary, generate).and_then(|()| move_into_place(&temporary, dir));
    if created.is_err() {
        // Best effort: the first error is the one to report.
        let _ = fs::remove_dir_all(&temporary);
    }
    created
}

/// Waits for the lock. Returns `None` on file systems without locks, where only the rename is atomic.
fn lock(path: &Path) -> Result<Option<FileLock>, Error> {
    match FileLock::acquire(path) {
        Ok(lock) => Ok(Some(lock)),
        Err(FileLockError::Lock(_)) => Ok(None),
        Err(FileLockError::Open(source)) => Err(Error::Write { path: path.to_owned(), source }),
    }
}

fn fill(folder: &Path, generate: impl FnOnce(&Path) -> Result<(), Error>) -> Result<(), Error> {
    fs::create_dir_all(folder).map_err(cannot_write(folder))?;
    generate(folder)?;
    let manifest = Manifest { files: describe_all(folder).map_err(cannot_write(folder))? };
    let path = folder.join(MANIFEST);
    let text = serde_json::to_vec_pretty(&manifest)
        .map_err(|error| Error::Write { path: path.clone(), source: error.into() })?;
    fs::write(&path, text).map_err(cannot_write(&path))?;
    for file in manifest.files.iter().map(|entry| entry.name.as_str()).chain([MANIFEST]) {
        let path = folder.join(file);
        File::open(&path).and_then(|file| file.sync_all()).map_err(cannot_write(&path))?;
    }
    sync_folder(folder).map_err(cannot_write(folder))
}

fn move_into_place(temporary: &Path, dir: &Path) -> Result<(), Error> {
    // Checked again, because on a file system without locks another process may have created it.
    if dir.exists() && !is_intact(dir) {
        let damaged = temporary.with_extension("damaged");
        fs::rename(dir, &damaged).map_err(cannot_write(dir))?;
        let _ = fs::remove_dir_all(&damaged);
    }
    match fs::rename(temporary, dir) {
        Ok(()) => dir.parent().map_or(Ok(()), |parent| sync_folder(parent).map_err(cannot_write(parent))),
        Err(_) if is_intact(dir) => {
            let _ = fs::remove_dir_all(temporary);
            Ok(())
        }
        Err(source) => Err(Error::Write { path: dir.to_owned(), source }),
    }
}

/// Returns whether all files of the manifest exist and have the right size and hash.
fn is_intact(dir: &Path) -> bool {
    let read = || -> io::Result<bool> {
        let manifest: Manifest = serde_json::from_slice(&fs::read(dir.join(MANIFEST))?)?;
        for entry in &manifest.files {
            // Compares the size first, so that a truncated file is not read.
            if fs::metadata(dir.join(&entry.name))?.len() != entry.bytes || *entry != describe(dir, &entry.name)? {
                return Ok(false);
            }
        }
        Ok(!manifest.files.is_empty())
    };
    read().unwrap_or(false)
}

fn describe_all(dir: &Path) -> io::Result<Vec<Entry>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(dir)? {
        names.extend(entry?.file_name().into_string());
    }
    names.sort();
    names.iter().map(|name| describe(dir, name)).collect()
}

fn describe(dir: &Path, name: &str) -> io::Result<Entry> {
    let bytes = fs::read(dir.join(name))?;
    Ok(Entry { name: name.to_owned(), bytes: bytes.len() as u64, fnv64: format!("{:016x}", fnv1a64(&bytes)) })
}

/// Removes the temporary folders of killed processes.
fn remove_temporary_folders(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else {
        return;
    };
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().starts_with(TEMPORARY) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn cannot_write(path: &Path) -> impl Fn(io::Error) -> Error {
    let path: PathBuf = path.to_owned();
    move |source| Error::Write { path: path.clone(), source }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    fn counted(count: &AtomicU32) -> impl FnOnce(&Path) -> Result<(), Error> + '_ {
        move |dir| {
            count.fetch_add(1, Ordering::SeqCst);
            fs::write(dir.join("a"), b"first").unwrap();
            fs::write(dir.join("b"), b"second").unwrap();
            Ok(())
        }
    }

    #[test]
    fn regenerates_damaged_folder() {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path().join("kept/thing");
        let count = AtomicU32::new(0);
        for _ in 0..2 {
            ensure(&dir, counted(&count)).unwrap();
        }
        assert_eq!(count.load(Ordering::SeqCst), 1);
        let damages: [&dyn Fn(); 5] = [
            &|| fs::write(dir.join("a"), b"fIrst").unwrap(),
            &|| fs::write(dir.join("b"), b"sec").unwrap(),
            &|| fs::remove_file(dir.join("a")).unwrap(),
            &|| fs::remove_file(dir.join(MANIFEST)).unwrap(),
            &|| fs::write(dir.join(MANIFEST), b"{\"files\": []}").unwrap(),
        ];
        for (n, damage) in damages.iter().enumerate() {
            damage();
            ensure(&dir, counted(&count)).unwrap();
            assert_eq!(count.load(Ordering::SeqCst), n as u32 + 2, "damage {n} was not detected");
            assert_eq!(fs::read(dir.join("a")).unwrap(), b"first");
        }
        // Only the folder and the lock are left.
        let left: Vec<_> = fs::read_dir(home.path().join("kept")).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(left.len(), 2, "{left:?}");
    }

    #[test]
    fn concurrent_threads_generate_once() {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path().join("thing");
        let count = AtomicU32::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| ensure(&dir, counted(&count)).unwrap());
            }
        });
        assert_eq!(count.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn failure_leaves_only_lock() {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path().join("thing");
        let failed = ensure(&dir, |folder| {
            fs::write(folder.join("a"), b"half").unwrap();
            Err(Error::Request("failed".to_owned()))
        });
        assert_eq!(failed.unwrap_err().to_string(), "failed");
        let left: Vec<_> = fs::read_dir(home.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(left, [".lock"]);
    }

    #[test]
    fn removes_folders_of_killed_processes() {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join(".making-thing-1")).unwrap();
        ensure(&home.path().join("thing"), counted(&AtomicU32::new(0))).unwrap();
        assert!(!home.path().join(".making-thing-1").exists());
    }

    #[test]
    fn names_folder_that_cannot_be_written() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("file");
        fs::write(&file, b"").unwrap();
        let error = ensure(&file.join("below/thing"), counted(&AtomicU32::new(0))).unwrap_err().to_string();
        assert!(error.contains(file.to_str().unwrap()) && error.contains("LEM_BENCH_HOME"), "{error}");
    }
}

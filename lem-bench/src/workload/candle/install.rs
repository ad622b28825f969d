//! Puts a made folder on disk so that whoever looks sees all of it or none, and notices damage.
//!
//! Must not know what is in the folder. A manifest of sizes and hashes, written last, tells a good folder from a
//! half-written or damaged one; a lock file keeps two processes from making it at once.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Error;
use super::hash::fnv64;

const MANIFEST: &str = "manifest.json";
const MAKING: &str = ".making-";

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

/// Makes `dir` by `make` unless it is there and whole. `make` is given an empty folder to fill with files.
pub(super) fn ensure(dir: &Path, make: impl FnOnce(&Path) -> Result<(), Error>) -> Result<(), Error> {
    if is_whole(dir) {
        return Ok(());
    }
    let (Some(parent), Some(name)) = (dir.parent(), dir.file_name().and_then(|name| name.to_str())) else {
        let source = io::Error::new(io::ErrorKind::InvalidInput, "not a folder with a name");
        return Err(Error::Write { path: dir.to_owned(), source });
    };
    fs::create_dir_all(parent).map_err(cannot_write(parent))?;
    let lock = Lock::take(&parent.join(".lock"))?;
    // Another process may have made it while this one waited.
    if is_whole(dir) {
        return Ok(());
    }
    if lock.exclusive {
        // Whoever left these is dead, or it would hold the lock.
        remove_leftovers(parent);
    }
    let making = parent.join(format!("{MAKING}{name}-{}", std::process::id()));
    let made = fill(&making, make).and_then(|()| put_in_place(&making, dir));
    if made.is_err() {
        // What is left of a failed attempt; the failure is what counts.
        let _ = fs::remove_dir_all(&making);
    }
    made
}

fn fill(making: &Path, make: impl FnOnce(&Path) -> Result<(), Error>) -> Result<(), Error> {
    fs::create_dir_all(making).map_err(cannot_write(making))?;
    make(making)?;
    let manifest = Manifest { files: measure(making).map_err(cannot_write(making))? };
    let path = making.join(MANIFEST);
    let text = serde_json::to_vec_pretty(&manifest)
        .map_err(|error| Error::Write { path: path.clone(), source: error.into() })?;
    fs::write(&path, text).map_err(cannot_write(&path))?;
    for file in manifest.files.iter().map(|entry| entry.name.as_str()).chain([MANIFEST]) {
        let path = making.join(file);
        File::open(&path).and_then(|file| file.sync_all()).map_err(cannot_write(&path))?;
    }
    sync_folder(making)
}

fn put_in_place(making: &Path, dir: &Path) -> Result<(), Error> {
    // Looked at again: without a working lock another process may have been first.
    if dir.exists() && !is_whole(dir) {
        let aside = making.with_extension("damaged");
        fs::rename(dir, &aside).map_err(cannot_write(dir))?;
        let _ = fs::remove_dir_all(&aside);
    }
    match fs::rename(making, dir) {
        Ok(()) => dir.parent().map_or(Ok(()), sync_folder),
        Err(_) if is_whole(dir) => {
            let _ = fs::remove_dir_all(making);
            Ok(())
        }
        Err(source) => Err(Error::Write { path: dir.to_owned(), source }),
    }
}

/// Whether all files of the manifest are there, of the right size and with the right hash.
fn is_whole(dir: &Path) -> bool {
    let read = || -> io::Result<bool> {
        let manifest: Manifest = serde_json::from_slice(&fs::read(dir.join(MANIFEST))?)?;
        for entry in &manifest.files {
            // Size first: a truncated file need not be read.
            if fs::metadata(dir.join(&entry.name))?.len() != entry.bytes || *entry != describe(dir, &entry.name)? {
                return Ok(false);
            }
        }
        Ok(!manifest.files.is_empty())
    };
    read().unwrap_or(false)
}

fn measure(dir: &Path) -> io::Result<Vec<Entry>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(dir)? {
        names.extend(entry?.file_name().into_string());
    }
    names.sort();
    names.iter().map(|name| describe(dir, name)).collect()
}

fn describe(dir: &Path, name: &str) -> io::Result<Entry> {
    let bytes = fs::read(dir.join(name))?;
    Ok(Entry { name: name.to_owned(), bytes: bytes.len() as u64, fnv64: format!("{:016x}", fnv64(&bytes)) })
}

fn remove_leftovers(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else {
        return;
    };
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().starts_with(MAKING) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn sync_folder(dir: &Path) -> Result<(), Error> {
    // Only Unix lets a folder be opened and synced; elsewhere the rename has to do.
    if cfg!(unix) {
        File::open(dir).and_then(|dir| dir.sync_all()).map_err(cannot_write(dir))?;
    }
    Ok(())
}

fn cannot_write(path: &Path) -> impl Fn(io::Error) -> Error {
    let path: PathBuf = path.to_owned();
    move |source| Error::Write { path: path.clone(), source }
}

/// Held until dropped; the system frees it when the process dies.
struct Lock {
    _file: File,
    /// False on file systems without locks: then the rename alone keeps the folder whole.
    exclusive: bool,
}

impl Lock {
    fn take(path: &Path) -> Result<Self, Error> {
        let file = File::options().create(true).truncate(false).write(true).open(path).map_err(cannot_write(path))?;
        let exclusive = file.lock().is_ok();
        Ok(Self { _file: file, exclusive })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    fn make_counted(count: &AtomicU32) -> impl FnOnce(&Path) -> Result<(), Error> + '_ {
        move |dir| {
            count.fetch_add(1, Ordering::SeqCst);
            fs::write(dir.join("a"), b"first").unwrap();
            fs::write(dir.join("b"), b"second").unwrap();
            Ok(())
        }
    }

    #[test]
    fn made_once_and_again_when_damaged() {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path().join("kept/thing");
        let count = AtomicU32::new(0);
        for _ in 0..2 {
            ensure(&dir, make_counted(&count)).unwrap();
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
            ensure(&dir, make_counted(&count)).unwrap();
            assert_eq!(count.load(Ordering::SeqCst), n as u32 + 2, "damage {n} went unnoticed");
            assert_eq!(fs::read(dir.join("a")).unwrap(), b"first");
        }
        // Nothing else is left lying about.
        let left: Vec<_> = fs::read_dir(home.path().join("kept")).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(left.len(), 2, "{left:?}");
    }

    #[test]
    fn threads_at_once_make_it_once() {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path().join("thing");
        let count = AtomicU32::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| ensure(&dir, make_counted(&count)).unwrap());
            }
        });
        assert_eq!(count.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn a_failed_making_leaves_nothing() {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path().join("thing");
        let failed = ensure(&dir, |making| {
            fs::write(making.join("a"), b"half").unwrap();
            Err(Error::Request("gave up".to_owned()))
        });
        assert_eq!(failed.unwrap_err().to_string(), "gave up");
        let left: Vec<_> = fs::read_dir(home.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(left, [".lock"]);
    }

    #[test]
    fn leftovers_of_a_killed_process_are_removed() {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join(".making-thing-1")).unwrap();
        ensure(&home.path().join("thing"), make_counted(&AtomicU32::new(0))).unwrap();
        assert!(!home.path().join(".making-thing-1").exists());
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_named() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("file");
        fs::write(&file, b"").unwrap();
        let error = ensure(&file.join("below/thing"), make_counted(&AtomicU32::new(0))).unwrap_err().to_string();
        assert!(error.contains(file.to_str().unwrap()) && error.contains("LEM_BENCH_HOME"), "{error}");
    }
}

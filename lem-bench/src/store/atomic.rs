//! Files that are either as they were or as they should be, whatever happens in between.
//!
//! Must not know what is in them.

use std::fs::{OpenOptions, remove_file, rename};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::durable::{ensure_regular_file, sync_folder};
use super::error::StoreError;

/// Writes a whole file at once: to another name in the same folder first, made durable there, then renamed. A reader
/// sees the old bytes or the new ones, never a part, also after a power cut.
///
/// # Errors
/// [`StoreError::NotARegularFile`] when a symbolic link, a folder or a device is at `path`: nothing is followed. Else
/// [`StoreError::Io`] with the path and the reason; then the old file is as it was.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    ensure_regular_file(path)?;
    let name = path.file_name().ok_or_else(|| {
        StoreError::io("write", path)(io::Error::new(io::ErrorKind::InvalidInput, "the path names no file"))
    })?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut hidden = std::ffi::OsString::from(".");
    hidden.push(name);
    hidden.push(format!(".{}.tmp", unique()));
    let hidden: PathBuf = folder.join(hidden);
    let written = write_new(&hidden, bytes).and_then(|()| rename(&hidden, path));
    if let Err(error) = written {
        // Best effort: what matters is the first error.
        drop(remove_file(&hidden));
        return Err(StoreError::io("write", path)(error));
    }
    sync_folder(folder)
}

/// Part of a name that nobody else uses. The number of a process is not: those of two machines, or of two containers, that
/// share a folder may have the same one.
pub(super) fn unique() -> String {
    format!("{:016x}", RandomState::new().hash_one(std::process::id()))
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
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
    fn the_old_is_replaced_by_the_new_and_nothing_is_left_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("summary.json");
        write_atomic(&path, b"old").unwrap();
        write_atomic(&path, b"new").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        assert_eq!(names(folder.path()), ["summary.json"]);
    }

    #[test]
    fn readers_never_see_a_part() {
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

    #[cfg(unix)]
    #[test]
    fn a_link_out_of_the_folder_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let outside = folder.path().join("outside");
        std::fs::write(&outside, "precious").unwrap();
        let link = folder.path().join("summary.json");
        std::os::unix::fs::symlink(&outside, &link).unwrap();
        let error = write_atomic(&link, b"x").unwrap_err();
        assert!(matches!(error, StoreError::NotARegularFile { .. }), "{error}");
        assert!(error.to_string().contains("summary.json is a symbolic link"), "{error}");
        assert_eq!(std::fs::read(&outside).unwrap(), b"precious");
    }

    #[test]
    fn what_is_in_the_way_is_named_with_its_path() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        for path in [file.join("summary.json"), folder.path().join("missing/summary.json"), folder.path().to_path_buf()]
        {
            let error = write_atomic(&path, b"x").unwrap_err();
            assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
        }
        assert!(write_atomic(Path::new("/"), b"x").is_err());
    }
}

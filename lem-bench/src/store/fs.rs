//! File operations with [`StoreError`]s: atomic writes, durable folders, and refusing to follow links.

use std::fs;
use std::io;
use std::path::Path;

use super::error::StoreError;
use crate::fs as files;

/// Replaces a whole file: it is written under another name in the same folder, synced, then renamed. A reader sees the
/// old bytes or the new ones, never a part, also after a power cut.
///
/// # Errors
/// [`StoreError::NotARegularFile`] when `path` is a symbolic link, a folder or a device: links are not followed.
/// [`StoreError::Io`] when writing failed: then the old file is unchanged.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    ensure_regular_file(path)?;
    files::write_atomic(path, bytes).map_err(StoreError::io("write", path))
}

/// Makes the names in a folder durable, where the platform and the file system can.
pub(super) fn sync_folder(folder: &Path) -> Result<(), StoreError> {
    files::sync_folder(folder).map_err(StoreError::io("sync", folder))
}

/// Refuses a symbolic link in the place of one of our folders. Accepts a path where nothing exists, and a file: opening
/// something below it fails anyway.
pub(super) fn refuse_links(path: &Path) -> Result<(), StoreError> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_symlink() => {
            Err(StoreError::NotARegularFile { path: path.to_path_buf(), what: "a symbolic link" })
        }
        _ => Ok(()),
    }
}

/// Refuses everything but a regular file: a link, a pipe, a device, a folder. Accepts a path where nothing exists.
pub(super) fn ensure_regular_file(path: &Path) -> Result<(), StoreError> {
    let what = match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_file() => return Ok(()),
        Ok(metadata) if metadata.is_symlink() => "a symbolic link",
        Ok(metadata) if metadata.is_dir() => "a folder",
        Ok(_) => "not a regular file",
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(StoreError::io("look at", path)(error)),
    };
    Err(StoreError::NotARegularFile { path: path.to_path_buf(), what })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn does_not_follow_links() {
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
    fn errors_name_the_path() {
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

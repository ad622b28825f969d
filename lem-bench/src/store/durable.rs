//! Making folders' contents survive a power cut, and refusing to follow what was put in our way.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use super::error::StoreError;

/// Makes the names in a folder durable. Does nothing where folders can't be opened or the file system has nothing of
/// the kind.
pub(super) fn sync_folder(folder: &Path) -> Result<(), StoreError> {
    if cfg!(not(unix)) {
        return Ok(());
    }
    let synced = File::open(folder).and_then(|open| open.sync_all());
    match synced {
        Err(error) if !matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => {
            Err(StoreError::io("make durable", folder)(error))
        }
        _ => Ok(()),
    }
}

/// Refuses a link in the place of a folder of ours. A path with nothing there is fine, and so is a file, which what is
/// looked for below it will not find.
pub(super) fn refuse_links(path: &Path) -> Result<(), StoreError> {
    match fs::symlink_metadata(path) {
        Ok(there) if there.is_symlink() => {
            Err(StoreError::NotARegularFile { path: path.to_path_buf(), what: "a symbolic link" })
        }
        _ => Ok(()),
    }
}

/// Why a path is not a plain file of ours: a link, a pipe, a device, a folder. A path with nothing there is fine.
pub(super) fn ensure_regular_file(path: &Path) -> Result<(), StoreError> {
    let what = match fs::symlink_metadata(path) {
        Ok(there) if there.is_file() => return Ok(()),
        Ok(there) if there.is_symlink() => "a symbolic link",
        Ok(there) if there.is_dir() => "a folder",
        Ok(_) => "no plain file",
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(StoreError::io("look at", path)(error)),
    };
    Err(StoreError::NotARegularFile { path: path.to_path_buf(), what })
}

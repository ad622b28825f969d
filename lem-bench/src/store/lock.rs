//! The lock that allows one measurement at a time per machine: two at once would measure each other's energy.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::error::StoreError;
use super::run_dir::ensure_regular_file;

/// Time between two attempts.
const RETRY: Duration = Duration::from_millis(200);

/// What to do while another process holds the lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitPolicy {
    /// Fail immediately.
    NoWait,
    /// Wait for at most this long, then fail.
    UpTo(Duration),
    /// Wait until the lock is free.
    Forever,
}

/// The machine-wide lock for measuring. Only the holder may measure.
///
/// The lock is released when this is dropped or the process ends: the operating system releases it even if the process
/// is killed.
///
/// The lock file is never removed. It contains the process id of the holder, or is empty. All users of a machine share
/// it, so that any user may write to it; the process id is used only in messages. The lock does not work across
/// containers.
#[derive(Debug)]
pub struct MachineLock {
    file: File,
}

impl MachineLock {
    /// Returns the path that all processes of this machine share, independent of user and environment:
    /// `lem-bench.lock` in the first of `/run/lock` and `/tmp` that all users may write to, else in the folder for
    /// temporary files. Does not create the file.
    pub fn default_path() -> PathBuf {
        let shared = ["/run/lock", "/tmp"].map(Path::new).into_iter().find(|folder| is_world_writable(folder));
        shared.map_or_else(std::env::temp_dir, Path::to_path_buf).join("lem-bench.lock")
    }

    /// Acquires the lock, waiting according to `wait`. Calls `on_wait` with a message for the user, once for each holder.
    ///
    /// # Errors
    /// [`StoreError::Locked`], with the holder's process id, when another measurement held the lock for too long.
    /// [`StoreError::Io`] or [`StoreError::NotARegularFile`] when the lock file cannot be used.
    pub fn acquire(path: &Path, wait: WaitPolicy, mut on_wait: impl FnMut(&str)) -> Result<Self, StoreError> {
        let began = Instant::now();
        let mut file = open(path)?;
        let mut announced: Option<Option<u32>> = None;
        loop {
            match file.try_lock() {
                Ok(()) => {
                    // Best effort: the process id only serves messages. It fails where this user may not write to
                    // another user's lock file.
                    drop(write_holder(&mut file, Some(std::process::id())));
                    return Ok(Self { file });
                }
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => return Err(StoreError::io("lock", path)(error)),
            }
            let (holder, waited) = (read_holder(&mut file), began.elapsed());
            let left = match wait {
                WaitPolicy::NoWait => Duration::ZERO,
                WaitPolicy::UpTo(longest) => longest.saturating_sub(waited),
                WaitPolicy::Forever => RETRY,
            };
            if left.is_zero() {
                let waited_s = if wait == WaitPolicy::NoWait { 0.0 } else { waited.as_secs_f64() };
                return Err(StoreError::Locked { path: path.to_path_buf(), holder, waited_s });
            }
            if announced != Some(holder) {
                announced = Some(holder);
                let owner = holder.map_or_else(String::new, |pid| format!(" by process {pid}"));
                on_wait(&format!("waiting for another measurement{owner} on this machine to end ({})", path.display()));
            }
            std::thread::sleep(RETRY.min(left));
        }
    }
}

impl Drop for MachineLock {
    fn drop(&mut self) {
        drop(write_holder(&mut self.file, None));
        // Closing the file is not enough: a child process that inherited the descriptor would keep the lock.
        drop(self.file.unlock());
    }
}

/// Opens the lock file, or creates it so that all users may write to it.
fn open(path: &Path) -> Result<File, StoreError> {
    ensure_regular_file(path)?;
    // Not `create(true)`: in a folder like `/tmp`, Linux refuses that for another user's file, even to root
    // (`fs.protected_regular`).
    let opened = match open_options().write(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            match open_options().write(true).create_new(true).open(path) {
                Ok(file) => make_world_writable(file),
                // Another process created it first.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => open_options().write(true).open(path),
                Err(error) => Err(error),
            }
        }
        // A read-only file can be locked too.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => open_options().open(path),
        other => other,
    };
    opened.map_err(StoreError::io("open the lock", path))
}

/// Returns options to open a file for reading without following links.
fn open_options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NOFOLLOW | libc::O_NONBLOCK);
    options
}

#[cfg(unix)]
fn make_world_writable(file: File) -> io::Result<File> {
    // The umask removes the write permission of other users, who need it to write their process id.
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666))?;
    Ok(file)
}

/// Returns whether all users may write to a folder. Checks the folder's permissions, not those of this user: root may
/// write to other folders too, and would then use another lock file than other users.
#[cfg(unix)]
fn is_world_writable(folder: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(folder).is_ok_and(|metadata| metadata.is_dir() && metadata.permissions().mode() & 0o002 != 0)
}

#[cfg(not(unix))]
fn is_world_writable(_folder: &Path) -> bool {
    false
}

#[cfg(not(unix))]
fn make_world_writable(file: File) -> io::Result<File> {
    Ok(file)
}

fn write_holder(file: &mut File, holder: Option<u32>) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    holder.map_or(Ok(()), |pid| file.write_all(format!("{pid}\n").as_bytes()))
}

fn read_holder(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.rewind().ok()?;
    Read::by_ref(file).take(32).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn no_wait(path: &Path) -> Result<MachineLock, StoreError> {
        MachineLock::acquire(path, WaitPolicy::NoWait, |_| panic!("waits"))
    }

    #[test]
    fn second_process_gets_holder_then_lock() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let first = no_wait(&path).unwrap();
        let error = no_wait(&path).unwrap_err();
        let pid = std::process::id();
        assert!(matches!(error, StoreError::Locked { holder: Some(holder), .. } if holder == pid), "{error}");
        assert!(error.to_string().contains(&format!("(process {pid})")), "{error}");
        drop(first);
        assert_eq!(std::fs::read(&path).unwrap(), b"", "the holder's process id is removed");
        no_wait(&path).unwrap();
    }

    #[test]
    fn announces_waiting_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let first = no_wait(&path).unwrap();
        let mut messages = Vec::new();
        let wait = WaitPolicy::UpTo(Duration::from_millis(450));
        let error = MachineLock::acquire(&path, wait, |text| messages.push(text.to_owned())).unwrap_err();
        assert!(error.to_string().contains("waiting"), "{error}");
        let messages = messages.join("\n").replace(path.to_str().unwrap(), "PATH");
        insta::assert_snapshot!(messages.replace(&std::process::id().to_string(), "PID"), @"waiting for another measurement by process PID on this machine to end (PATH)");
        std::thread::scope(|scope| {
            scope.spawn(move || {
                std::thread::sleep(Duration::from_millis(100));
                drop(first);
            });
            MachineLock::acquire(&path, WaitPolicy::Forever, |_| {}).unwrap();
        });
    }

    #[cfg(unix)]
    #[test]
    fn rejects_link_and_socket() {
        let folder = tempfile::tempdir().unwrap();
        let (outside, path) = (folder.path().join("outside"), folder.path().join("lock"));
        std::fs::write(&outside, "precious").unwrap();
        std::os::unix::fs::symlink(&outside, &path).unwrap();
        assert!(matches!(no_wait(&path), Err(StoreError::NotARegularFile { .. })));
        assert_eq!(std::fs::read(&outside).unwrap(), b"precious");
        let socket = folder.path().join("socket");
        let _bound = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        assert!(matches!(no_wait(&socket), Err(StoreError::NotARegularFile { .. })));
    }

    #[cfg(unix)]
    #[test]
    fn lock_file_is_world_writable() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        no_wait(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o666);
        std::fs::write(&path, "not a number, and quite a long one at that").unwrap();
        let _held = no_wait(&path).unwrap();

        assert!(MachineLock::default_path().ends_with("lem-bench.lock"));
        assert!(!is_world_writable(Path::new("/etc")) && !is_world_writable(&path), "root may write, others may not");
    }
}

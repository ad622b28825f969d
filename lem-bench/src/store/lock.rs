//! One measurement at a time on a machine: two that run together would each pay for the other's energy.
//!
//! Must not know what is measured.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::error::StoreError;
use super::fs::ensure_regular_file;

/// Time between two tries.
const RETRY: Duration = Duration::from_millis(200);

/// What to do while another process measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitPolicy {
    /// Give up at once.
    NoWait,
    /// Wait for so long, then give up.
    UpTo(Duration),
    /// Wait until it has ended.
    Forever,
}

/// The right to measure on this machine. Held until it is dropped or the process ends, in whatever way: the operating
/// system lets go of it, so nothing is ever left locked.
///
/// The file itself stays and holds the process id of the holder, or nothing. All users of a machine share it, so that
/// anybody may write to it; nobody trusts what it says beyond naming it in a message. It does not reach from one
/// container into another.
#[derive(Debug)]
pub struct MachineLock {
    file: File,
}

impl MachineLock {
    /// The place that all processes of this machine agree on, whoever runs them and whatever their environment says:
    /// `lem-bench.lock` in `/run/lock` or else `/tmp`, where all users may write; in the folder for temporary files
    /// where there is neither. Nothing is made there yet.
    pub fn default_path() -> PathBuf {
        let common = ["/run/lock", "/tmp"].map(Path::new).into_iter().find(|folder| is_for_all_users(folder));
        common.map_or_else(std::env::temp_dir, Path::to_path_buf).join("lem-bench.lock")
    }

    /// Takes the lock, waiting as `wait` says. `on_wait` is told what is waited for, in words for a person, once for
    /// each holder.
    ///
    /// # Errors
    /// [`StoreError::Locked`], which names the holder's process id, when another measurement went on for too long.
    /// [`StoreError::Io`] or [`StoreError::NotARegularFile`] when the lock file cannot be used: then nothing is known about
    /// other measurements.
    pub fn acquire(path: &Path, wait: WaitPolicy, mut on_wait: impl FnMut(&str)) -> Result<Self, StoreError> {
        let began = Instant::now();
        let mut file = open(path)?;
        let mut told: Option<Option<u32>> = None;
        loop {
            match file.try_lock() {
                Ok(()) => {
                    // Who holds it is a service to others. The lock counts without it, also where another user's file
                    // can only be read.
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
            if told != Some(holder) {
                told = Some(holder);
                let who = holder.map_or_else(String::new, |pid| format!(" by process {pid}"));
                on_wait(&format!("waiting for another measurement{who} on this machine to end ({})", path.display()));
            }
            std::thread::sleep(RETRY.min(left));
        }
    }
}

impl Drop for MachineLock {
    fn drop(&mut self) {
        drop(write_holder(&mut self.file, None));
        // Closing the file would do; a child that got a copy of it would then keep the lock.
        drop(self.file.unlock());
    }
}

/// Opens the lock file, or makes it for all users.
fn open(path: &Path) -> Result<File, StoreError> {
    ensure_regular_file(path)?;
    // Not `create(true)`: Linux refuses that for another user's file in a folder like `/tmp`, even to root
    // (`fs.protected_regular`).
    let opened = match plain().write(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            match plain().write(true).create_new(true).open(path) {
                Ok(file) => for_all_users(file),
                // Another process was faster.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => plain().write(true).open(path),
                Err(error) => Err(error),
            }
        }
        // A file that can only be read can be locked all the same.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => plain().open(path),
        other => other,
    };
    opened.map_err(StoreError::io("open the lock", path))
}

/// Reads, and follows no link.
fn plain() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NOFOLLOW | libc::O_NONBLOCK);
    options
}

#[cfg(unix)]
fn for_all_users(file: File) -> io::Result<File> {
    // The umask takes the right to write from others; they need it to say that they hold the lock.
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666))?;
    Ok(file)
}

/// Whether all users may write there: asked of the folder and not of this user's rights, for root could write to
/// many more than others and would then not meet them.
#[cfg(unix)]
fn is_for_all_users(folder: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(folder).is_ok_and(|there| there.is_dir() && there.permissions().mode() & 0o002 != 0)
}

#[cfg(not(unix))]
fn is_for_all_users(_folder: &Path) -> bool {
    false
}

#[cfg(not(unix))]
fn for_all_users(file: File) -> io::Result<File> {
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
        MachineLock::acquire(path, WaitPolicy::NoWait, |_| panic!("told to wait"))
    }

    #[test]
    fn the_second_is_told_who_holds_it_and_gets_it_afterwards() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let first = no_wait(&path).unwrap();
        let error = no_wait(&path).unwrap_err();
        let pid = std::process::id();
        assert!(matches!(error, StoreError::Locked { holder: Some(holder), .. } if holder == pid), "{error}");
        assert!(error.to_string().contains(&format!("(process {pid})")), "{error}");
        drop(first);
        assert_eq!(std::fs::read(&path).unwrap(), b"", "nobody holds it");
        no_wait(&path).unwrap();
    }

    #[test]
    fn waiting_is_announced_once_and_ends() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let first = no_wait(&path).unwrap();
        let mut told = Vec::new();
        let wait = WaitPolicy::UpTo(Duration::from_millis(450));
        let error = MachineLock::acquire(&path, wait, |text| told.push(text.to_owned())).unwrap_err();
        assert!(error.to_string().contains("waiting"), "{error}");
        let told = told.join("\n").replace(path.to_str().unwrap(), "PATH");
        insta::assert_snapshot!(told.replace(&std::process::id().to_string(), "PID"), @"waiting for another measurement by process PID on this machine to end (PATH)");
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
    fn a_link_or_pipe_in_its_place_is_refused() {
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
    fn every_user_may_say_that_they_hold_it() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        no_wait(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o666);
        std::fs::write(&path, "not a number, and quite a long one at that").unwrap();
        let _held = no_wait(&path).unwrap();

        assert!(MachineLock::default_path().ends_with("lem-bench.lock"));
        assert!(!is_for_all_users(Path::new("/etc")) && !is_for_all_users(&path), "root may write there, others not");
    }
}

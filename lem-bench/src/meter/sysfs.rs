//! Reads integers from sysfs files.
//!
//! [`NumberFile`] keeps its file open. A successful read is one `pread` into a buffer on the stack and does not allocate.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::channel::ReadError;

/// Room for the digits of any 64-bit number, its sign and a newline.
const BUFFER_SIZE: usize = 32;

/// An open file that contains one decimal integer.
#[derive(Debug)]
pub(super) struct NumberFile {
    path: PathBuf,
    file: File,
    last: Option<i64>,
}

impl NumberFile {
    /// Opens the file and reads it once, so that an unreadable file is an error here.
    ///
    /// # Errors
    /// The file cannot be opened or read, or contains no number.
    pub fn open(path: PathBuf) -> io::Result<Self> {
        let file = File::open(&path)?;
        let mut opened = Self { path, file, last: None };
        opened.last = Some(opened.number()?);
        Ok(opened)
    }

    /// Returns the path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the number.
    ///
    /// # Errors
    /// [`ReadError::Lost`] if the file or its device no longer exists, [`ReadError::Failed`] for any other error and for
    /// text that is not a number.
    pub fn read(&mut self) -> Result<i64, ReadError> {
        let number = self.number().map_err(|error| self.read_error(&error))?;
        // The number is unchanged: the device may be idle, or the file was removed or replaced while it is open. sysfs
        // returns ENODEV in that case, but other file systems (a bind mount, a test) report nothing.
        if self.last == Some(number) && self.is_unlinked() {
            let reopened = Self::open(self.path.clone()).map_err(|error| self.read_error(&error))?;
            *self = reopened;
            return Ok(self.last.unwrap_or(number));
        }
        self.last = Some(number);
        Ok(number)
    }

    /// Reads the number as a count.
    ///
    /// # Errors
    /// As [`NumberFile::read`]; [`ReadError::Failed`] if the number is negative.
    pub fn count(&mut self) -> Result<u64, ReadError> {
        let number = self.read()?;
        u64::try_from(number).map_err(|_| ReadError::Failed(format!("{}: {number} is negative", self.path.display())))
    }

    fn number(&self) -> io::Result<i64> {
        let mut buffer = [0u8; BUFFER_SIZE];
        let filled = read_from_start(&self.file, &mut buffer)?;
        parse(&buffer[..filled]).ok_or_else(|| {
            let text = String::from_utf8_lossy(&buffer[..filled]);
            io::Error::new(io::ErrorKind::InvalidData, format!("not a number: {:?}", text.trim_end()))
        })
    }

    fn read_error(&self, error: &io::Error) -> ReadError {
        let text = format!("{}: {error}", self.path.display());
        if is_gone(error) { ReadError::Lost(text) } else { ReadError::Failed(text) }
    }

    #[cfg(unix)]
    fn is_unlinked(&self) -> bool {
        use std::os::unix::fs::MetadataExt;
        self.file.metadata().is_ok_and(|file| file.nlink() == 0)
    }

    #[cfg(not(unix))]
    fn is_unlinked(&self) -> bool {
        !self.path.exists()
    }
}

/// Reads a short text file and trims white space; `None` if it cannot be read.
pub(super) fn text(path: &Path) -> Option<String> {
    std::fs::read_to_string(path).ok().map(|text| text.trim().to_owned())
}

/// Reads a number once; `None` if the file cannot be read or does not contain one.
pub(super) fn number(path: &Path) -> Option<i64> {
    parse(text(path)?.as_bytes())
}

/// Parses a decimal integer with optional white space around it; `None` if it is not one or does not fit.
fn parse(text: &[u8]) -> Option<i64> {
    let text = text.trim_ascii();
    let (negative, digits) = match text.split_first() {
        Some((b'-', digits)) => (true, digits),
        _ => (false, text),
    };
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0i64, |number, byte| {
        let digit = i64::from(byte.is_ascii_digit().then(|| byte - b'0')?);
        let shifted = number.checked_mul(10)?;
        if negative { shifted.checked_sub(digit) } else { shifted.checked_add(digit) }
    })
}

/// Returns whether the error means that the file's device no longer exists.
fn is_gone(error: &io::Error) -> bool {
    #[cfg(unix)]
    if matches!(error.raw_os_error(), Some(libc::ENODEV | libc::ENXIO | libc::ESTALE)) {
        return true;
    }
    error.kind() == io::ErrorKind::NotFound
}

#[cfg(unix)]
fn read_from_start(file: &File, buffer: &mut [u8]) -> io::Result<usize> {
    use std::os::unix::fs::FileExt;
    loop {
        match file.read_at(buffer, 0) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            done => return done,
        }
    }
}

#[cfg(not(unix))]
fn read_from_start(mut file: &File, buffer: &mut [u8]) -> io::Result<usize> {
    use std::io::{Read, Seek, SeekFrom};
    file.seek(SeekFrom::Start(0))?;
    file.read(buffer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_full_range() {
        assert_eq!(parse(b"262143328850\n"), Some(262_143_328_850));
        assert_eq!(parse(b" 0 "), Some(0));
        assert_eq!(parse(b"-12500\n"), Some(-12_500));
        assert_eq!(parse(b"9223372036854775807"), Some(i64::MAX));
        assert_eq!(parse(b"-9223372036854775808"), Some(i64::MIN));
        for text in ["", "\n", "-", "12a", "1 2", "+3", "0x10", "1.5", "9223372036854775808"] {
            assert_eq!(parse(text.as_bytes()), None, "{text:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn distinguishes_lost_from_busy_device() {
        for gone in [libc::ENODEV, libc::ENXIO, libc::ESTALE, libc::ENOENT] {
            assert!(is_gone(&io::Error::from_raw_os_error(gone)), "{gone}");
        }
        for passing in [libc::EAGAIN, libc::EIO, libc::EPERM, libc::ENODATA] {
            assert!(!is_gone(&io::Error::from_raw_os_error(passing)), "{passing}");
        }
    }
}

//! One whole number in one sysfs file, read again and again through a handle that stays open.
//!
//! A successful read costs one `pread` into a buffer on the stack and allocates nothing. Must not know what the number
//! means.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::ReadError;

/// A file that holds one decimal whole number.
#[derive(Debug)]
pub(super) struct NumberFile {
    path: PathBuf,
    file: File,
    last: Option<i64>,
}

/// More digits than the largest 64-bit number has, its sign and a line end.
const BUFFER: usize = 32;

impl NumberFile {
    /// Opens the file and reads it once, so that what can't be read is known at once.
    pub(super) fn open(path: PathBuf) -> io::Result<Self> {
        let file = File::open(&path)?;
        let mut opened = Self { path, file, last: None };
        opened.last = Some(opened.number()?);
        Ok(opened)
    }

    /// The number now.
    ///
    /// # Errors
    /// [`ReadError::Lost`] when the file or its device is gone, [`ReadError::Failed`] on anything else, text that is
    /// no number included.
    pub(super) fn read(&mut self) -> Result<i64, ReadError> {
        let number = self.number().map_err(|error| self.explain(&error))?;
        // The number stands still: so it does at rest, and so it does when the file was removed or replaced under the
        // open handle. sysfs itself answers with ENODEV then; other file systems (a bind mount, a test) stay silent.
        if self.last == Some(number) && self.is_unlinked() {
            let again = Self::open(self.path.clone()).map_err(|error| self.explain(&error))?;
            *self = again;
            return Ok(self.last.unwrap_or(number));
        }
        self.last = Some(number);
        Ok(number)
    }

    /// The number now, as a count that can't be negative.
    ///
    /// # Errors
    /// As [`NumberFile::read`]; a negative number fails.
    pub(super) fn count(&mut self) -> Result<u64, ReadError> {
        let number = self.read()?;
        u64::try_from(number).map_err(|_| ReadError::Failed(format!("{}: {number} is no count", self.path.display())))
    }

    fn number(&self) -> io::Result<i64> {
        let mut buffer = [0u8; BUFFER];
        let filled = read_from_start(&self.file, &mut buffer)?;
        parse(&buffer[..filled]).ok_or_else(|| {
            let text = String::from_utf8_lossy(&buffer[..filled]);
            io::Error::new(io::ErrorKind::InvalidData, format!("not a number: {:?}", text.trim_end()))
        })
    }

    fn explain(&self, error: &io::Error) -> ReadError {
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

/// Reads a short text file and cuts the white space off its ends; `None` if it can't be read.
pub(super) fn text(path: &Path) -> Option<String> {
    std::fs::read_to_string(path).ok().map(|text| text.trim().to_owned())
}

/// Reads a number once.
pub(super) fn number(path: &Path) -> Option<i64> {
    parse(text(path)?.as_bytes())
}

/// A whole number in decimal, white space around it allowed; `None` if it is anything else or does not fit.
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

/// Whether the error says that the file's device is gone for good.
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
    fn numbers_are_read_to_the_edges_of_their_range_and_nothing_else_is_a_number() {
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
    fn a_device_that_went_away_is_told_from_one_that_is_busy() {
        for gone in [libc::ENODEV, libc::ENXIO, libc::ESTALE, libc::ENOENT] {
            assert!(is_gone(&io::Error::from_raw_os_error(gone)), "{gone}");
        }
        for passing in [libc::EAGAIN, libc::EIO, libc::EPERM, libc::ENODATA] {
            assert!(!is_gone(&io::Error::from_raw_os_error(passing)), "{passing}");
        }
    }
}

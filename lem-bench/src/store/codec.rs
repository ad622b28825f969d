//! The samples file: columns of whole numbers, where each lies, and how it is checked.
//!
//! Must not know what the numbers mean, nor in which order cycles come.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::fs::ensure_regular_file;
use crate::model::{OLDEST_SCHEMA_VERSION, RequestLog, SCHEMA_VERSION};

/// The first sixteen bytes of a samples file.
pub(super) fn file_head(schema_version: u32) -> [u8; 16] {
    let mut head = *b"LEMSMPL\n\0\0\0\0\0\0\0\0";
    head[8..12].copy_from_slice(&schema_version.to_le_bytes());
    head
}

/// How a column's values are written, in numpy's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Dtype {
    /// Four bytes a value, little-endian.
    #[serde(rename = "<u4")]
    U4,
    /// Eight bytes a value, little-endian.
    #[serde(rename = "<u8")]
    U8,
}

impl Dtype {
    fn width(self) -> u64 {
        match self {
            Self::U4 => 4,
            Self::U8 => 8,
        }
    }
}

/// Where a column lies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Column {
    offset: u64,
    count: u64,
    dtype: Dtype,
    crc32: String,
}

/// Where the times of a cycle's requests lie.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Columns {
    latency_ns: Column,
    ttft_ns: Column,
    itl_ns: Column,
    itl_count: Column,
}

impl Columns {
    /// Appends the columns of `requests` to `bytes`, which will be written at `offset` (a multiple of eight); `None`
    /// when there is nothing to write.
    pub(super) fn encode(requests: &RequestLog, offset: u64, bytes: &mut Vec<u8>) -> Option<Self> {
        let RequestLog { latency_ns, ttft_ns, itl_ns, itl_count, phases: _ } = requests;
        if latency_ns.is_empty() && ttft_ns.is_empty() && itl_ns.is_empty() && itl_count.is_empty() {
            return None;
        }
        let start = bytes.len();
        let mut column = |count: usize, dtype: Dtype, fill: &mut dyn FnMut(&mut Vec<u8>)| {
            let at = bytes.len();
            bytes.reserve(count * dtype.width() as usize + 8);
            fill(bytes);
            let crc32 = hex(crc32fast::hash(&bytes[at..]));
            bytes.resize(start + (bytes.len() - start).next_multiple_of(8), 0);
            Column { offset: offset + (at - start) as u64, count: count as u64, dtype, crc32 }
        };
        let mut wide = |values: &[u64]| {
            if values.iter().all(|value| u32::try_from(*value).is_ok()) {
                let four = |value: &u64| (*value as u32).to_le_bytes();
                column(values.len(), Dtype::U4, &mut |bytes| bytes.extend(values.iter().flat_map(four)))
            } else {
                let eight = |value: &u64| value.to_le_bytes();
                column(values.len(), Dtype::U8, &mut |bytes| bytes.extend(values.iter().flat_map(eight)))
            }
        };
        let (latency_ns, ttft_ns, itl_ns) = (wide(latency_ns), wide(ttft_ns), wide(itl_ns));
        let count = |value: &u32| value.to_le_bytes();
        let fill = &mut |bytes: &mut Vec<u8>| bytes.extend(itl_count.iter().flat_map(count));
        let itl_count = column(itl_count.len(), Dtype::U4, fill);
        Some(Self { latency_ns, ttft_ns, itl_ns, itl_count })
    }
}

/// A samples file that is read from its beginning to its end.
#[derive(Debug)]
pub(super) struct Samples {
    file: File,
    len: u64,
    /// Columns lie one after the other: the next does not begin before this. So all that is read is never more than
    /// the file, whatever a journal claims.
    free: u64,
    bytes: Vec<u8>,
}

impl Samples {
    /// Opens a samples file. The error says what is wrong with it.
    pub(super) fn open(path: &Path) -> Result<Self, String> {
        ensure_regular_file(path).map_err(|error| error.to_string())?;
        let opened = File::open(path).and_then(|mut file| {
            let len = file.metadata()?.len();
            let mut head = [0; 16];
            file.read_exact(&mut head)?;
            Ok((file, len, head))
        });
        let (file, len, head) = opened.map_err(|error| format!("can't read {}: {error}", path.display()))?;
        if !(OLDEST_SCHEMA_VERSION..=SCHEMA_VERSION).any(|version| head == file_head(version)) {
            return Err(format!(
                "{} is not a samples file of schema {OLDEST_SCHEMA_VERSION} to {SCHEMA_VERSION}",
                path.display()
            ));
        }
        Ok(Self { file, len, free: head.len() as u64, bytes: Vec::new() })
    }

    /// Puts the columns back into `requests`. On an error, which says what is wrong, `requests` is as it was.
    pub(super) fn fill(&mut self, columns: &Columns, requests: &mut RequestLog) -> Result<(), String> {
        let latency_ns = self.wide("latency_ns", &columns.latency_ns)?;
        let ttft_ns = self.wide("ttft_ns", &columns.ttft_ns)?;
        let itl_ns = self.wide("itl_ns", &columns.itl_ns)?;
        if columns.itl_count.dtype != Dtype::U4 {
            return Err("column `itl_count` is not `<u4`".to_owned());
        }
        let itl_count = self.read("itl_count", &columns.itl_count)?;
        let itl_count = itl_count.as_chunks().0.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect();
        *requests = RequestLog { latency_ns, ttft_ns, itl_ns, itl_count, phases: std::mem::take(&mut requests.phases) };
        Ok(())
    }

    fn wide(&mut self, name: &str, column: &Column) -> Result<Vec<u64>, String> {
        let bytes = self.read(name, column)?;
        Ok(match column.dtype {
            Dtype::U4 => bytes.as_chunks().0.iter().map(|bytes| u64::from(u32::from_le_bytes(*bytes))).collect(),
            Dtype::U8 => bytes.as_chunks().0.iter().map(|bytes| u64::from_le_bytes(*bytes)).collect(),
        })
    }

    /// The bytes of a column, checked.
    fn read(&mut self, name: &str, column: &Column) -> Result<&[u8], String> {
        let size = column.count.checked_mul(column.dtype.width());
        let stop = size.and_then(|size| size.checked_add(column.offset)).filter(|stop| *stop <= self.len);
        let (Some(size), Some(stop)) = (size, stop) else {
            return Err(format!("column `{name}` ends behind the end of the samples file"));
        };
        if column.offset < self.free {
            return Err(format!("column `{name}` lies over the one before it"));
        }
        self.free = stop;
        self.bytes.resize(size as usize, 0);
        let read = self.file.seek(SeekFrom::Start(column.offset)).and_then(|_| self.file.read_exact(&mut self.bytes));
        read.map_err(|error| format!("column `{name}` can't be read: {error}"))?;
        if hex(crc32fast::hash(&self.bytes)) != column.crc32 {
            return Err(format!("column `{name}` is damaged: its checksum is wrong"));
        }
        Ok(&self.bytes)
    }
}

/// The field of the checksum, with the comma in front of it.
const FIELD: &[u8] = br#","crc32":""#;
/// Its length with eight digits, the closing quote and the closing brace.
const SEAL: usize = FIELD.len() + 8 + 2;

/// Turns the text of a JSON object that is not empty into a line of a journal.
pub(super) fn append_crc(object: &mut Vec<u8>) {
    debug_assert!(object.ends_with(b"}") && object.len() > 2 && !object.contains(&b'\n'));
    object.pop();
    let digits = hex(crc32fast::hash(object));
    object.extend_from_slice(FIELD);
    object.extend_from_slice(digits.as_bytes());
    object.extend_from_slice(b"\"}\n");
}

/// Whether a line, without its line feed, is as it was written.
pub(super) fn is_intact(line: &[u8]) -> bool {
    let Some((body, seal)) = line.len().checked_sub(SEAL).and_then(|at| line.split_at_checked(at)) else {
        return false;
    };
    let mut expected = FIELD.to_vec();
    expected.extend_from_slice(hex(crc32fast::hash(body)).as_bytes());
    expected.extend_from_slice(b"\"}");
    seal == expected
}

/// A checksum as it is written: eight hexadecimal digits.
pub(super) fn hex(crc32: u32) -> String {
    format!("{crc32:08x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(itl_ns: Vec<u64>) -> RequestLog {
        RequestLog {
            latency_ns: vec![1, 2, 3],
            ttft_ns: vec![7],
            itl_count: vec![itl_ns.len() as u32],
            itl_ns,
            ..Default::default()
        }
    }

    fn file_of(logs: &[RequestLog]) -> (tempfile::NamedTempFile, Vec<Columns>) {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut bytes = file_head(SCHEMA_VERSION).to_vec();
        let columns = logs
            .iter()
            .map(|log| {
                let mut new = Vec::new();
                let columns = Columns::encode(log, bytes.len() as u64, &mut new).unwrap();
                bytes.append(&mut new);
                columns
            })
            .collect();
        std::fs::write(file.path(), bytes).unwrap();
        (file, columns)
    }

    #[test]
    fn columns_are_as_narrow_as_their_values_allow_and_come_back() {
        let logs = [log(vec![10, 4_294_967_295]), log(vec![10, 4_294_967_296, u64::MAX]), log(vec![])];
        let (file, columns) = file_of(&logs);
        assert_eq!((columns[0].itl_ns.dtype, columns[1].itl_ns.dtype), (Dtype::U4, Dtype::U8));
        assert_eq!(columns[0].latency_ns.offset, 16);
        // Three values of four bytes, then four bytes of room.
        assert_eq!(columns[0].ttft_ns.offset, 32);
        let mut samples = Samples::open(file.path()).unwrap();
        for (expected, columns) in logs.iter().zip(&columns) {
            let mut read = RequestLog::default();
            samples.fill(columns, &mut read).unwrap();
            assert_eq!(read, *expected);
        }
        assert_eq!(Columns::encode(&RequestLog::default(), 16, &mut Vec::new()), None);
    }

    #[test]
    fn what_a_journal_claims_is_bounded_by_the_file() {
        let (file, columns) = file_of(&[log(vec![10, 20])]);
        let error_of = |change: &dyn Fn(&mut Columns)| {
            let mut claimed = columns[0].clone();
            change(&mut claimed);
            let mut samples = Samples::open(file.path()).unwrap();
            let mut read = RequestLog::default();
            let why = samples.fill(&claimed, &mut read).unwrap_err();
            assert_eq!(read, RequestLog::default());
            why
        };
        let errors = [
            error_of(&|c| c.itl_ns.count = u64::MAX),
            error_of(&|c| c.itl_ns.count = 1 << 40),
            error_of(&|c| c.itl_ns.offset = u64::MAX - 7),
            error_of(&|c| c.ttft_ns.offset = 16),
            error_of(&|c| c.latency_ns.offset = 0),
            error_of(&|c| c.itl_ns.count = 1),
            error_of(&|c| c.itl_count.dtype = Dtype::U8),
        ];
        insta::assert_snapshot!(errors.join("\n"), @"
        column `itl_ns` ends behind the end of the samples file
        column `itl_ns` ends behind the end of the samples file
        column `itl_ns` ends behind the end of the samples file
        column `ttft_ns` lies over the one before it
        column `latency_ns` lies over the one before it
        column `itl_ns` is damaged: its checksum is wrong
        column `itl_count` is not `<u4`
        ");
        let mut samples = Samples::open(file.path()).unwrap();
        samples.fill(&columns[0], &mut RequestLog::default()).unwrap();
        insta::assert_snapshot!(samples.fill(&columns[0], &mut RequestLog::default()).unwrap_err(), @"column `latency_ns` lies over the one before it");
    }

    #[test]
    fn a_samples_file_of_another_version_is_refused() {
        let (file, _) = file_of(&[log(vec![])]);
        let mut bytes = std::fs::read(file.path()).unwrap();
        bytes[8] = 99;
        std::fs::write(file.path(), &bytes).unwrap();
        assert!(Samples::open(file.path()).unwrap_err().contains("not a samples file of schema 1 to 2"));
        std::fs::write(file.path(), b"LEM").unwrap();
        assert!(Samples::open(file.path()).unwrap_err().contains("can't read"));
    }

    #[test]
    fn a_line_is_an_object_with_its_checksum_at_the_end() {
        let mut line = br#"{"record":"run_end","at":5}"#.to_vec();
        append_crc(&mut line);
        // `zlib.crc32(b'{"record":"run_end","at":5')`
        assert_eq!(
            String::from_utf8(line.clone()).unwrap(),
            "{\"record\":\"run_end\",\"at\":5,\"crc32\":\"5f4bc3de\"}\n"
        );
        assert!(is_intact(&line[..line.len() - 1]));
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_noticed() {
        let mut line = br#"{"record":"run_end","at":5,"benches":2}"#.to_vec();
        append_crc(&mut line);
        line.pop();
        for bit in 0..line.len() * 8 {
            line[bit / 8] ^= 1 << (bit % 8);
            assert!(!is_intact(&line), "bit {bit}");
            line[bit / 8] ^= 1 << (bit % 8);
        }
        for cut in 0..line.len() {
            assert!(!is_intact(&line[..cut]), "cut at {cut}");
        }
        assert!(is_intact(&line));
    }
}

//! The encodings of the files of a run: columns of integers in the samples file, and lines with a checksum.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::run_dir::ensure_regular_file;
use crate::model::{OLDEST_SCHEMA_VERSION, RequestLog, SCHEMA_VERSION};

/// The start of the checksum field at the end of each line.
const CRC_FIELD: &[u8] = br#","crc32":""#;

/// The length of the checksum field with eight digits, the closing quote and the closing brace.
const CRC_FIELD_LEN: usize = CRC_FIELD.len() + 8 + 2;

/// Returns the first sixteen bytes of a samples file.
pub(super) fn samples_header(schema_version: u32) -> [u8; 16] {
    let mut header = *b"LEMSMPL\n\0\0\0\0\0\0\0\0";
    header[8..12].copy_from_slice(&schema_version.to_le_bytes());
    header
}

/// The type of a column's values, in numpy's notation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Dtype {
    /// Four bytes per value, little-endian.
    #[serde(rename = "<u4")]
    U4,
    /// Eight bytes per value, little-endian.
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

/// The position of a column in the samples file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Column {
    offset: u64,
    count: u64,
    dtype: Dtype,
    crc32: String,
}

/// The positions of the request times of a cycle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Columns {
    latency_ns: Column,
    ttft_ns: Column,
    itl_ns: Column,
    itl_count: Column,
}

impl Columns {
    /// Appends the columns of `requests` to `bytes`, which will be written at `offset` (a multiple of eight). Returns
    /// `None` when there is nothing to write.
    pub fn encode(requests: &RequestLog, offset: u64, bytes: &mut Vec<u8>) -> Option<Self> {
        let RequestLog { latency_ns, ttft_ns, itl_ns, itl_count, phases: _ } = requests;
        if latency_ns.is_empty() && ttft_ns.is_empty() && itl_ns.is_empty() && itl_count.is_empty() {
            return None;
        }
        let start = bytes.len();
        let mut append = |dtype: Dtype, values: &mut dyn Iterator<Item = u64>| {
            let begin = bytes.len();
            bytes.reserve(values.size_hint().0 * dtype.width() as usize + 8);
            let mut count = 0;
            for value in values {
                match dtype {
                    Dtype::U4 => bytes.extend((value as u32).to_le_bytes()),
                    Dtype::U8 => bytes.extend(value.to_le_bytes()),
                }
                count += 1;
            }
            let crc32 = hex(crc32fast::hash(&bytes[begin..]));
            bytes.resize(start + (bytes.len() - start).next_multiple_of(8), 0);
            Column { offset: offset + (begin - start) as u64, count, dtype, crc32 }
        };
        let [latency_ns, ttft_ns, itl_ns] = [latency_ns, ttft_ns, itl_ns].map(|values| {
            let fits_u32 = values.iter().all(|value| u32::try_from(*value).is_ok());
            append(if fits_u32 { Dtype::U4 } else { Dtype::U8 }, &mut values.iter().copied())
        });
        let itl_count = append(Dtype::U4, &mut itl_count.iter().map(|count| u64::from(*count)));
        Some(Self { latency_ns, ttft_ns, itl_ns, itl_count })
    }
}

/// A samples file, read from its beginning to its end.
#[derive(Debug)]
pub(super) struct Samples {
    file: File,
    len: u64,
    /// The end of the last column that was read. Columns are stored in order and must not overlap, so that a damaged
    /// journal cannot make this read more bytes in total than the file has.
    last_end: u64,
    bytes: Vec<u8>,
}

impl Samples {
    /// Opens a samples file.
    ///
    /// # Errors
    /// A message describing what is wrong with the file.
    pub fn open(path: &Path) -> Result<Self, String> {
        ensure_regular_file(path).map_err(|error| error.to_string())?;
        let opened = File::open(path).and_then(|mut file| {
            let len = file.metadata()?.len();
            let mut header = [0; 16];
            file.read_exact(&mut header)?;
            Ok((file, len, header))
        });
        let (file, len, header) = opened.map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        if !(OLDEST_SCHEMA_VERSION..=SCHEMA_VERSION).any(|version| header == samples_header(version)) {
            return Err(format!(
                "{} is not a samples file of schema {OLDEST_SCHEMA_VERSION} to {SCHEMA_VERSION}",
                path.display()
            ));
        }
        Ok(Self { file, len, last_end: header.len() as u64, bytes: Vec::new() })
    }

    /// Reads the columns into `requests`.
    ///
    /// # Errors
    /// A message describing what is wrong; `requests` is then unchanged.
    pub fn read_into(&mut self, columns: &Columns, requests: &mut RequestLog) -> Result<(), String> {
        let latency_ns = self.read_u64("latency_ns", &columns.latency_ns)?;
        let ttft_ns = self.read_u64("ttft_ns", &columns.ttft_ns)?;
        let itl_ns = self.read_u64("itl_ns", &columns.itl_ns)?;
        if columns.itl_count.dtype != Dtype::U4 {
            return Err("column `itl_count` is not `<u4`".to_owned());
        }
        let itl_count = self.read_bytes("itl_count", &columns.itl_count)?;
        let itl_count = itl_count.as_chunks().0.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect();
        *requests = RequestLog { latency_ns, ttft_ns, itl_ns, itl_count, phases: std::mem::take(&mut requests.phases) };
        Ok(())
    }

    fn read_u64(&mut self, name: &str, column: &Column) -> Result<Vec<u64>, String> {
        let bytes = self.read_bytes(name, column)?;
        Ok(match column.dtype {
            Dtype::U4 => bytes.as_chunks().0.iter().map(|bytes| u64::from(u32::from_le_bytes(*bytes))).collect(),
            Dtype::U8 => bytes.as_chunks().0.iter().map(|bytes| u64::from_le_bytes(*bytes)).collect(),
        })
    }

    /// Returns the bytes of a column after checking its position and checksum.
    fn read_bytes(&mut self, name: &str, column: &Column) -> Result<&[u8], String> {
        let size = column.count.checked_mul(column.dtype.width());
        let stop = size.and_then(|size| size.checked_add(column.offset)).filter(|stop| *stop <= self.len);
        let (Some(size), Some(stop)) = (size, stop) else {
            return Err(format!("column `{name}` ends after the end of the samples file"));
        };
        if column.offset < self.last_end {
            return Err(format!("column `{name}` overlaps the one before it"));
        }
        self.last_end = stop;
        self.bytes.resize(size as usize, 0);
        let read = self.file.seek(SeekFrom::Start(column.offset)).and_then(|_| self.file.read_exact(&mut self.bytes));
        read.map_err(|error| format!("column `{name}` cannot be read: {error}"))?;
        if hex(crc32fast::hash(&self.bytes)) != column.crc32 {
            return Err(format!("column `{name}` is damaged: its checksum is wrong"));
        }
        Ok(&self.bytes)
    }
}
/// Turns the text of a JSON object that is not empty into a line: appends the field with the checksum of the bytes
/// before it, and a line feed.
pub(super) fn append_crc(object: &mut Vec<u8>) {
    debug_assert!(object.ends_with(b"}") && object.len() > 2 && !object.contains(&b'\n'));
    object.pop();
    let digits = hex(crc32fast::hash(object));
    object.extend_from_slice(CRC_FIELD);
    object.extend_from_slice(digits.as_bytes());
    object.extend_from_slice(b"\"}\n");
}

/// Returns whether the checksum of a line, without its line feed, is right.
pub(super) fn is_intact(line: &[u8]) -> bool {
    let Some((body, field)) = line.len().checked_sub(CRC_FIELD_LEN).and_then(|index| line.split_at_checked(index))
    else {
        return false;
    };
    let mut expected = CRC_FIELD.to_vec();
    expected.extend_from_slice(hex(crc32fast::hash(body)).as_bytes());
    expected.extend_from_slice(b"\"}");
    field == expected
}

/// Formats a checksum as eight hexadecimal digits.
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
        let mut bytes = samples_header(SCHEMA_VERSION).to_vec();
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
    fn columns_round_trip_in_narrowest_type() {
        let logs = [log(vec![10, 4_294_967_295]), log(vec![10, 4_294_967_296, u64::MAX]), log(vec![])];
        let (file, columns) = file_of(&logs);
        assert_eq!((columns[0].itl_ns.dtype, columns[1].itl_ns.dtype), (Dtype::U4, Dtype::U8));
        assert_eq!(columns[0].latency_ns.offset, 16);
        // Three values of four bytes, then four bytes of padding.
        assert_eq!(columns[0].ttft_ns.offset, 32);
        let mut samples = Samples::open(file.path()).unwrap();
        for (expected, columns) in logs.iter().zip(&columns) {
            let mut read = RequestLog::default();
            samples.read_into(columns, &mut read).unwrap();
            assert_eq!(read, *expected);
        }
        assert_eq!(Columns::encode(&RequestLog::default(), 16, &mut Vec::new()), None);
    }

    #[test]
    fn rejects_columns_outside_file() {
        let (file, columns) = file_of(&[log(vec![10, 20])]);
        let error_of = |change: &dyn Fn(&mut Columns)| {
            let mut claimed = columns[0].clone();
            change(&mut claimed);
            let mut samples = Samples::open(file.path()).unwrap();
            let mut read = RequestLog::default();
            let error = samples.read_into(&claimed, &mut read).unwrap_err();
            assert_eq!(read, RequestLog::default());
            error
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
        column `itl_ns` ends after the end of the samples file
        column `itl_ns` ends after the end of the samples file
        column `itl_ns` ends after the end of the samples file
        column `ttft_ns` overlaps the one before it
        column `latency_ns` overlaps the one before it
        column `itl_ns` is damaged: its checksum is wrong
        column `itl_count` is not `<u4`
        ");
        let mut samples = Samples::open(file.path()).unwrap();
        samples.read_into(&columns[0], &mut RequestLog::default()).unwrap();
        insta::assert_snapshot!(samples.read_into(&columns[0], &mut RequestLog::default()).unwrap_err(), @"column `latency_ns` overlaps the one before it");
    }

    #[test]
    fn rejects_samples_of_unknown_version() {
        let (file, _) = file_of(&[log(vec![])]);
        let mut bytes = std::fs::read(file.path()).unwrap();
        bytes[8] = 99;
        std::fs::write(file.path(), &bytes).unwrap();
        assert!(Samples::open(file.path()).unwrap_err().contains("not a samples file of schema 1 to 2"));
        std::fs::write(file.path(), b"LEM").unwrap();
        assert!(Samples::open(file.path()).unwrap_err().contains("cannot read"));
    }

    #[test]
    fn line_ends_with_checksum() {
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
    fn checksum_detects_flipped_bits_and_truncation() {
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

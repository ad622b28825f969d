//! The samples file of a journal: the columns that its lines refer to.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::checksum::hex;
use super::columns::{Column, ColumnWriter, RequestColumns};
use super::run_dir::ensure_regular_file;
use super::trace_codec;
use crate::model::{OLDEST_SCHEMA_VERSION, RequestLog, SCHEMA_VERSION, Thinned, Trace};

/// Returns the first sixteen bytes of a samples file.
pub(super) fn samples_header(schema_version: u32) -> [u8; 16] {
    let mut header = *b"LEMSMPL\n\0\0\0\0\0\0\0\0";
    header[8..12].copy_from_slice(&schema_version.to_le_bytes());
    header
}

/// The fields of a line that refer to the samples file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct References {
    /// The times of requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub columns: Option<RequestColumns>,
    /// The names of phases.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub phase_names: Vec<String>,
    /// How the times were thinned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thinned: Option<Thinned>,
    /// Encoded traces.
    #[serde(default, skip_serializing_if = "Column::is_empty")]
    pub trace_bytes: Column,
}

impl References {
    /// Appends request times and traces to `bytes`, which will be written at `offset` (a multiple of eight).
    pub fn encode(requests: Option<&RequestLog>, traces: &[Trace], offset: u64, bytes: &mut Vec<u8>) -> Self {
        let mut writer = ColumnWriter::new(bytes, offset);
        let mut phase_names: Vec<String> = Vec::new();
        for phase in requests.iter().flat_map(|requests| &requests.phases) {
            if !phase_names.contains(&phase.name) {
                phase_names.push(phase.name.clone());
            }
        }
        let columns = requests.map(|requests| RequestColumns::write(requests, &phase_names, &mut writer));
        Self {
            columns: columns.filter(|columns| *columns != RequestColumns::default()),
            phase_names,
            thinned: requests.and_then(|requests| requests.thinned.clone()),
            trace_bytes: writer.raw(&trace_codec::encode(traces)),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.columns.is_none() && self.trace_bytes.is_empty()
    }
}

/// A samples file.
#[derive(Debug)]
pub(super) struct Samples {
    file: Mutex<File>,
    len: u64,
    /// The end of the last column that was claimed. Columns are stored in order and must not overlap, so that a damaged
    /// journal cannot make this read more bytes in total than the file has.
    last_end: u64,
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
        Ok(Self { file: Mutex::new(file), len, last_end: header.len() as u64 })
    }

    /// Checks that the columns of a line are in the file, after those of the lines before.
    ///
    /// # Errors
    /// A message describing what is wrong.
    pub fn claim(&mut self, references: &References) -> Result<(), String> {
        let columns = references.columns.iter().flat_map(RequestColumns::all);
        for (name, column) in columns.chain([("trace_bytes", &references.trace_bytes)]) {
            if column.is_empty() {
                continue;
            }
            let stop = column.size().and_then(|size| size.checked_add(column.offset)).filter(|stop| *stop <= self.len);
            let Some(stop) = stop else {
                return Err(format!("column `{name}` ends after the end of the samples file"));
            };
            if column.offset < self.last_end {
                return Err(format!("column `{name}` overlaps the one before it"));
            }
            self.last_end = stop;
        }
        Ok(())
    }

    /// Reads the request times of a line.
    ///
    /// # Errors
    /// A message describing what is wrong.
    pub fn requests(&self, references: &References) -> Result<RequestLog, String> {
        let read = |name: &'static str, column: &Column| {
            let damaged = || format!("column `{name}` has another number of values than {}", column.count);
            column.decode(&self.bytes(name, column)?).ok_or_else(damaged)
        };
        match &references.columns {
            Some(columns) => {
                let requests = columns.read(&references.phase_names, read)?;
                let thinned =
                    references.thinned.clone().filter(|thinned| thinned.every > 1 || thinned.phases.is_some());
                let thinned = thinned.map(|thinned| Thinned { every: thinned.every.max(1), ..thinned });
                Ok(RequestLog { thinned, ..requests })
            }
            None => Ok(RequestLog::default()),
        }
    }

    /// Reads the traces of a line.
    ///
    /// # Errors
    /// A message describing what is wrong.
    pub fn traces(&self, references: &References) -> Result<Vec<Trace>, String> {
        let bytes = self.bytes("trace_bytes", &references.trace_bytes)?;
        trace_codec::decode(&bytes).ok_or_else(|| "column `trace_bytes` does not contain traces".to_owned())
    }

    /// Returns the bytes of a claimed column after checking their checksum.
    fn bytes(&self, name: &str, column: &Column) -> Result<Vec<u8>, String> {
        if column.is_empty() {
            return Ok(Vec::new());
        }
        let mut bytes = vec![0; column.size().unwrap_or(0) as usize];
        {
            let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
            let read = file.seek(SeekFrom::Start(column.offset)).and_then(|_| file.read_exact(&mut bytes));
            read.map_err(|error| format!("column `{name}` cannot be read: {error}"))?;
        }
        if hex(crc32fast::hash(&bytes)) != column.crc32 {
            return Err(format!("column `{name}` is damaged: its checksum is wrong"));
        }
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::super::columns::Dtype;
    use super::*;
    use crate::model::PhaseSpan;
    use crate::units::Stamp;

    fn log(itl_ns: Vec<u64>) -> RequestLog {
        let phase =
            |name: &str, start| PhaseSpan { name: name.to_owned(), start: Stamp(start), stop: Stamp(start + 7) };
        RequestLog {
            latency_ns: vec![1_000_000_001, 2, 3_000_000_003],
            ttft_ns: vec![7],
            itl_count: vec![itl_ns.len() as u32],
            itl_ns,
            tpot_ns: vec![9],
            phases: vec![phase("prefill", 5), phase("decode", 12), phase("prefill", 19)],
            thinned: None,
        }
    }

    fn file_of(logs: &[RequestLog]) -> (tempfile::NamedTempFile, Vec<References>) {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut bytes = samples_header(SCHEMA_VERSION).to_vec();
        let references = logs
            .iter()
            .map(|log| {
                let mut new = Vec::new();
                let references = References::encode(Some(log), &[], bytes.len() as u64, &mut new);
                bytes.append(&mut new);
                references
            })
            .collect();
        std::fs::write(file.path(), bytes).unwrap();
        (file, references)
    }

    #[test]
    fn columns_round_trip() {
        let logs = [log(vec![10, 4_294_967_295]), log(vec![10, 4_294_967_296, u64::MAX]), log(vec![])];
        let (file, references) = file_of(&logs);
        let columns = references[0].columns.as_ref().unwrap();
        assert_eq!(columns.latency_ns.offset, 16);
        // Three values of four bytes, then four bytes of padding.
        assert_eq!(columns.ttft_ns.offset, 32);
        let mut samples = Samples::open(file.path()).unwrap();
        for (expected, references) in logs.iter().zip(&references) {
            samples.claim(references).unwrap();
            assert_eq!(samples.requests(references).unwrap(), *expected);
        }
        assert!(References::encode(Some(&RequestLog::default()), &[], 16, &mut Vec::new()).is_empty());
    }

    #[test]
    fn rejects_columns_outside_file() {
        let (file, references) = file_of(&[log(vec![10, 4_000_000_000])]);
        let error_of = |change: &dyn Fn(&mut RequestColumns)| {
            let mut claimed = references[0].clone();
            change(claimed.columns.as_mut().unwrap());
            let mut samples = Samples::open(file.path()).unwrap();
            samples.claim(&claimed).and_then(|()| samples.requests(&claimed)).unwrap_err()
        };
        let errors = [
            error_of(&|c| c.itl_ns.count = u64::MAX),
            error_of(&|c| c.itl_ns.count = 1 << 40),
            error_of(&|c| c.itl_ns.offset = u64::MAX - 7),
            error_of(&|c| c.ttft_ns.offset = 16),
            error_of(&|c| c.latency_ns.offset = 0),
            error_of(&|c| c.itl_ns.count = 1),
            error_of(&|c| c.itl_count.dtype = Dtype::U8),
            error_of(&|c| c.phase_name.bytes = Some(40)),
            error_of(&|c| c.phase_name.count = 2),
        ];
        insta::assert_snapshot!(errors.join("\n"));
        let mut samples = Samples::open(file.path()).unwrap();
        samples.claim(&references[0]).unwrap();
        assert_eq!(samples.claim(&references[0]).unwrap_err(), "column `latency_ns` overlaps the one before it");
    }

    #[test]
    fn rejects_phases_without_name() {
        let (file, references) = file_of(&[log(vec![])]);
        let unnamed = References { phase_names: vec!["prefill".to_owned()], ..references[0].clone() };
        let error = Samples::open(file.path()).unwrap().requests(&unnamed).unwrap_err();
        assert_eq!(error, "column `phase_name` refers to a name that is not there");
    }

    #[test]
    fn rejects_samples_of_unknown_version() {
        let (file, _) = file_of(&[log(vec![])]);
        let mut bytes = std::fs::read(file.path()).unwrap();
        bytes[8] = 99;
        std::fs::write(file.path(), &bytes).unwrap();
        assert!(Samples::open(file.path()).unwrap_err().contains("not a samples file of schema 1 to 3"));
        std::fs::write(file.path(), b"LEM").unwrap();
        assert!(Samples::open(file.path()).unwrap_err().contains("cannot read"));
    }
}

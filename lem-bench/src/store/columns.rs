//! Columns of integers in the samples file: their positions, and their encodings.

use serde::{Deserialize, Serialize};

use super::checksum::hex;
use crate::model::{PhaseSpan, RequestLog};
use crate::units::Stamp;

/// How the values of a column are stored. Fixed widths are in numpy's notation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Dtype {
    /// One byte per value.
    #[serde(rename = "|u1")]
    U1,
    /// Four bytes per value, little-endian.
    #[default]
    #[serde(rename = "<u4")]
    U4,
    /// Eight bytes per value, little-endian.
    #[serde(rename = "<u8")]
    U8,
    /// The difference to the value before (the first: to 0), as a zigzag number in LEB128.
    #[serde(rename = "delta")]
    Delta,
}

/// The position of a column in the samples file. The default is that of an empty column.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Column {
    /// The offset of its first byte.
    pub offset: u64,
    /// The number of its values.
    pub count: u64,
    pub dtype: Dtype,
    /// Its length in bytes, if that does not follow from the two fields above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    pub crc32: String,
}

impl Column {
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Returns its length in bytes; `None` when that is not possible.
    pub fn size(&self) -> Option<u64> {
        match self.dtype {
            Dtype::U1 => Some(self.count),
            Dtype::U4 => self.count.checked_mul(4),
            Dtype::U8 => self.count.checked_mul(8),
            // Each value has one to ten bytes.
            Dtype::Delta => self.bytes.filter(|bytes| (self.count..=self.count.saturating_mul(10)).contains(bytes)),
        }
    }

    /// Decodes its values from its bytes; `None` when these have another number of values.
    pub fn decode(&self, bytes: &[u8]) -> Option<Vec<u64>> {
        let values: Vec<u64> = match self.dtype {
            Dtype::U1 => bytes.iter().map(|byte| u64::from(*byte)).collect(),
            Dtype::U4 => bytes.as_chunks().0.iter().map(|bytes| u64::from(u32::from_le_bytes(*bytes))).collect(),
            Dtype::U8 => bytes.as_chunks().0.iter().map(|bytes| u64::from_le_bytes(*bytes)).collect(),
            Dtype::Delta => {
                let (mut rest, mut values, mut value) = (bytes, Vec::with_capacity(self.count as usize), 0_u64);
                while !rest.is_empty() {
                    value = value.wrapping_add(unzigzag(take_varint(&mut rest)?));
                    values.push(value);
                }
                values
            }
        };
        (values.len() as u64 == self.count).then_some(values)
    }
}

/// Appends columns to bytes that will be written at an offset of the samples file.
#[derive(Debug)]
pub(super) struct ColumnWriter<'a> {
    bytes: &'a mut Vec<u8>,
    /// The offset of the first byte in the file, a multiple of eight.
    offset: u64,
}

impl<'a> ColumnWriter<'a> {
    pub fn new(bytes: &'a mut Vec<u8>, offset: u64) -> Self {
        Self { bytes, offset }
    }

    /// Appends integers: by their differences where that takes at most three quarters of the bytes, else with a fixed
    /// width.
    pub fn integers(&mut self, values: impl Iterator<Item = u64> + Clone) -> Column {
        let (mut count, mut fits_u32, mut delta_len, mut last) = (0_usize, true, 0, 0_u64);
        for value in values.clone() {
            count += 1;
            fits_u32 &= u32::try_from(value).is_ok();
            delta_len += varint_len(zigzag(value.wrapping_sub(last)));
            last = value;
        }
        let width = if fits_u32 { 4 } else { 8 };
        let dtype = match fits_u32 {
            _ if delta_len * 4 <= count * width * 3 => Dtype::Delta,
            true => Dtype::U4,
            false => Dtype::U8,
        };
        let begin = self.bytes.len();
        self.bytes.reserve(if dtype == Dtype::Delta { delta_len } else { count * width } + 8);
        match dtype {
            Dtype::U4 => values.for_each(|value| self.bytes.extend((value as u32).to_le_bytes())),
            Dtype::U8 => values.for_each(|value| self.bytes.extend(value.to_le_bytes())),
            Dtype::U1 | Dtype::Delta => {
                let mut last = 0;
                for value in values {
                    push_varint(self.bytes, zigzag(value.wrapping_sub(last)));
                    last = value;
                }
            }
        }
        self.finish(begin, count as u64, dtype)
    }

    /// Appends bytes.
    pub fn raw(&mut self, raw: &[u8]) -> Column {
        let begin = self.bytes.len();
        self.bytes.extend_from_slice(raw);
        self.finish(begin, raw.len() as u64, Dtype::U1)
    }

    fn finish(&mut self, begin: usize, count: u64, dtype: Dtype) -> Column {
        if count == 0 {
            return Column::default();
        }
        let size = self.bytes.len() - begin;
        let crc32 = hex(crc32fast::hash(&self.bytes[begin..]));
        self.bytes.resize(self.bytes.len().next_multiple_of(8), 0);
        let bytes = (dtype == Dtype::Delta).then_some(size as u64);
        Column { offset: self.offset + begin as u64, count, dtype, bytes, crc32 }
    }
}

/// The positions of the request times of a cycle.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RequestColumns {
    #[serde(default, skip_serializing_if = "Column::is_empty")]
    pub latency_ns: Column,
    #[serde(default, skip_serializing_if = "Column::is_empty")]
    pub ttft_ns: Column,
    #[serde(default, skip_serializing_if = "Column::is_empty")]
    pub itl_ns: Column,
    #[serde(default, skip_serializing_if = "Column::is_empty")]
    pub itl_count: Column,
    #[serde(default, skip_serializing_if = "Column::is_empty")]
    pub tpot_ns: Column,
    /// Of each phase, the index of its name.
    #[serde(default, skip_serializing_if = "Column::is_empty")]
    pub phase_name: Column,
    /// Of each phase, its start minus the end of the one before, in ns, as a zigzag number.
    #[serde(default, skip_serializing_if = "Column::is_empty")]
    pub phase_gap_ns: Column,
    /// Of each phase, its length in ns.
    #[serde(default, skip_serializing_if = "Column::is_empty")]
    pub phase_length_ns: Column,
}

impl RequestColumns {
    /// Appends the columns of `requests`, whose phases have their names in `names`.
    pub fn write(requests: &RequestLog, names: &[String], writer: &mut ColumnWriter<'_>) -> Self {
        let RequestLog { latency_ns, ttft_ns, itl_ns, itl_count, tpot_ns, phases, thinned: _ } = requests;
        let name_of = |phase: &PhaseSpan| names.iter().position(|name| *name == phase.name).unwrap_or(names.len());
        let ends = std::iter::once(0).chain(phases.iter().map(|phase| phase.stop.0));
        let gaps = phases.iter().zip(ends).map(|(phase, end)| zigzag(phase.start.0.wrapping_sub(end)));
        Self {
            latency_ns: writer.integers(latency_ns.iter().copied()),
            ttft_ns: writer.integers(ttft_ns.iter().copied()),
            itl_ns: writer.integers(itl_ns.iter().copied()),
            itl_count: writer.integers(itl_count.iter().map(|count| u64::from(*count))),
            tpot_ns: writer.integers(tpot_ns.iter().copied()),
            phase_name: writer.integers(phases.iter().map(|phase| name_of(phase) as u64)),
            phase_gap_ns: writer.integers(gaps),
            phase_length_ns: writer.integers(phases.iter().map(|phase| phase.stop.0.wrapping_sub(phase.start.0))),
        }
    }

    /// Returns all columns with their names, in the order in which they are stored.
    pub fn all(&self) -> [(&'static str, &Column); 8] {
        [
            ("latency_ns", &self.latency_ns),
            ("ttft_ns", &self.ttft_ns),
            ("itl_ns", &self.itl_ns),
            ("itl_count", &self.itl_count),
            ("tpot_ns", &self.tpot_ns),
            ("phase_name", &self.phase_name),
            ("phase_gap_ns", &self.phase_gap_ns),
            ("phase_length_ns", &self.phase_length_ns),
        ]
    }

    /// Reads the columns with `read`. `names` are those of the phases.
    ///
    /// # Errors
    /// That of `read`, or a message that a column has an impossible value.
    pub fn read(
        &self,
        names: &[String],
        read: impl Fn(&'static str, &Column) -> Result<Vec<u64>, String>,
    ) -> Result<RequestLog, String> {
        let [latency_ns, ttft_ns, itl_ns, itl_count, tpot_ns, name, gap, length] =
            self.all().map(|(name, column)| read(name, column));
        let counts = itl_count?.into_iter().map(u32::try_from).collect::<Result<_, _>>();
        let mut end = 0_u64;
        let phases = name?.into_iter().zip(gap?).zip(length?).map(|((name, gap), length)| {
            let name = names.get(usize::try_from(name).ok()?)?.clone();
            let start = end.wrapping_add(unzigzag(gap));
            end = start.wrapping_add(length);
            Some(PhaseSpan { name, start: Stamp(start), stop: Stamp(end) })
        });
        Ok(RequestLog {
            latency_ns: latency_ns?,
            ttft_ns: ttft_ns?,
            itl_ns: itl_ns?,
            itl_count: counts.map_err(|_| "column `itl_count` has a value above 4294967295")?,
            tpot_ns: tpot_ns?,
            phases: phases.collect::<Option<_>>().ok_or("column `phase_name` refers to a name that is not there")?,
            thinned: None,
        })
    }
}

/// Maps differences to numbers that are small where the difference is, whatever its sign.
pub(super) fn zigzag(difference: u64) -> u64 {
    (difference << 1) ^ ((difference.cast_signed() >> 63) as u64)
}

pub(super) fn unzigzag(number: u64) -> u64 {
    (number >> 1) ^ (number & 1).wrapping_neg()
}

fn varint_len(value: u64) -> usize {
    (64 - (value | 1).leading_zeros() as usize).div_ceil(7)
}

/// Appends a number in LEB128: seven bits per byte, the lowest first; the highest bit of a byte is set if another
/// follows.
pub(super) fn push_varint(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

/// Removes a number from the start of `bytes`; `None` if there is none.
pub(super) fn take_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for (index, byte) in bytes.iter().enumerate().take(10) {
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            *bytes = &bytes[index + 1..];
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(values: &[u64]) -> (Column, Vec<u8>) {
        let mut bytes = Vec::new();
        let column = ColumnWriter::new(&mut bytes, 16).integers(values.iter().copied());
        (column, bytes)
    }

    #[test]
    fn integers_round_trip_in_smallest_encoding() {
        let noisy: Vec<u64> = (0..100).map(|i| 1_000_000_000 + i * i * 7_919_777 % 900_000_000).collect();
        let steady: Vec<u64> = (0..100).map(|i| 8_098_395 - i % 3).collect();
        for (values, dtype, size) in [
            (noisy, Dtype::U4, 400),
            (steady, Dtype::Delta, 103),
            (vec![1 << 63, 1, 1 << 62, 3 << 61], Dtype::U8, 32),
            (vec![0; 9], Dtype::Delta, 9),
            (vec![1 << 40], Dtype::Delta, 6),
        ] {
            let (column, bytes) = written(&values);
            assert_eq!((column.dtype, column.size(), column.offset), (dtype, Some(size), 16), "{values:?}");
            assert_eq!(bytes.len() as u64, size.next_multiple_of(8));
            assert_eq!(column.decode(&bytes[..size as usize]).as_ref(), Some(&values));
            assert_eq!(column.decode(&bytes[..size as usize - 1]), None, "a value is missing");
        }
        assert_eq!(written(&[]), (Column::default(), Vec::new()));
    }

    #[test]
    fn varints_have_the_length_that_is_planned() {
        for value in [0, 1, 127, 128, 16_383, 16_384, u64::from(u32::MAX), u64::MAX] {
            let mut bytes = Vec::new();
            push_varint(&mut bytes, value);
            assert_eq!(bytes.len(), varint_len(value), "{value}");
            assert_eq!(take_varint(&mut bytes.as_slice()), Some(value));
            assert_eq!(take_varint(&mut &bytes[..bytes.len() - 1]), None);
            assert_eq!(unzigzag(zigzag(value)), value);
        }
    }
}

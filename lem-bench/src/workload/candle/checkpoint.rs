//! Reads safetensors checkpoints: one file or the shards of an index; names and shapes first, numbers when asked.
//!
//! Must not know Llama. Reads plainly instead of mapping: a file cut short under a mapping kills the process, and pages
//! that arrive late would be paid for inside a measured window.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor};
use serde::Deserialize;

use super::Error;

/// The name of an unsharded checkpoint.
pub(super) const SINGLE: &str = "model.safetensors";
/// The index of a sharded checkpoint.
pub(super) const INDEX: &str = "model.safetensors.index.json";
/// The format's own limit on the header, in bytes.
const MAX_HEADER: u64 = 100_000_000;

/// Where every tensor of a checkpoint lies.
#[derive(Debug)]
pub(super) struct Checkpoint {
    /// The file, or the folder where there are several: what to name when a tensor is missing.
    path: PathBuf,
    tensors: BTreeMap<String, Entry>,
}

/// One tensor in a file.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) file: PathBuf,
    pub(super) shape: Vec<usize>,
    /// `None` for a format that no Llama uses; an error only where the tensor is asked for.
    dtype: Option<DType>,
    format: String,
    /// Bytes from the start of the file.
    start: u64,
    len: usize,
}

#[derive(Deserialize)]
struct RawEntry {
    dtype: String,
    shape: Vec<usize>,
    data_offsets: [u64; 2],
}

#[derive(Deserialize)]
struct RawIndex {
    weight_map: BTreeMap<String, String>,
}

impl Checkpoint {
    /// Reads the headers of the checkpoint in `dir`.
    pub(super) fn open(dir: &Path) -> Result<Self, Error> {
        let single = dir.join(SINGLE);
        if single.is_file() {
            let tensors = read_header(&single)?;
            return Ok(Self { path: single, tensors });
        }
        let index = dir.join(INDEX);
        if !index.is_file() {
            return Err(Error::MissingFile {
                dir: dir.to_owned(),
                file: format!("{SINGLE} or {INDEX}"),
                remedy: "download the safetensors weights, or convert the ones that are there (save_pretrained in \
                         transformers writes them)",
            });
        }
        let mut tensors = BTreeMap::new();
        for shard in shards(&index)? {
            if !dir.join(&shard).is_file() {
                return Err(Error::MissingFile {
                    dir: dir.to_owned(),
                    file: shard,
                    remedy: "model.safetensors.index.json names it; the download is incomplete, fetch the folder again",
                });
            }
            tensors.extend(read_header(&dir.join(shard))?);
        }
        Ok(Self { path: dir.to_owned(), tensors })
    }

    /// The tensor's place, or the error that it is missing.
    pub(super) fn entry(&self, name: &str) -> Result<&Entry, Error> {
        self.tensors.get(name).ok_or_else(|| Error::MissingTensor { tensor: name.to_owned(), path: self.path.clone() })
    }

    /// The names of all tensors, sorted.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// The file, or the folder where there are several.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Entry {
    /// Reads the numbers, converted to `dtype`, onto `device`.
    pub(super) fn load(&self, dtype: DType, device: &Device) -> Result<Tensor, Error> {
        let format = self.dtype.ok_or_else(|| Error::Weights {
            path: self.file.clone(),
            reason: format!("numbers in {} are not supported: take weights in F32, F16, BF16 or F64", self.format),
        })?;
        let bytes = self.read().map_err(|source| Error::Read { path: self.file.clone(), source })?;
        // Converted before the upload: narrower formats make it cheaper, and every device gets the same numbers.
        Tensor::from_raw_buffer(&bytes, format, &self.shape, &Device::Cpu)
            .and_then(|tensor| tensor.to_dtype(dtype))
            .and_then(|tensor| tensor.to_device(device))
            .map_err(Error::compute("load the weights onto the device"))
    }

    fn read(&self) -> io::Result<Vec<u8>> {
        let mut file = File::open(&self.file)?;
        file.seek(SeekFrom::Start(self.start))?;
        let mut bytes = vec![0; self.len];
        file.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}

fn shards(index: &Path) -> Result<BTreeSet<String>, Error> {
    let damaged = |reason: String| Error::Weights { path: index.to_owned(), reason };
    let text = std::fs::read_to_string(index).map_err(|source| Error::Read { path: index.to_owned(), source })?;
    let raw: RawIndex = serde_json::from_str(&text)
        .map_err(|error| damaged(format!("not an index of shards: {error}; fetch it again")))?;
    let shards: BTreeSet<String> = raw.weight_map.into_values().collect();
    // A shard lies beside its index. Anything else would read outside the model folder.
    match shards.iter().find(|shard| Path::new(shard).file_name() != Some(shard.as_ref())) {
        Some(outside) => Err(damaged(format!("shard {outside:?} is not a plain file name"))),
        None if shards.is_empty() => Err(damaged("it names no shards; fetch it again".to_owned())),
        None => Ok(shards),
    }
}

fn read_header(path: &Path) -> Result<BTreeMap<String, Entry>, Error> {
    let unreadable = |source| Error::Read { path: path.to_owned(), source };
    let damaged = |reason: String| Error::Weights { path: path.to_owned(), reason };
    let mut file = File::open(path).map_err(unreadable)?;
    let file_len = file.metadata().map_err(unreadable)?.len();
    if file_len < 8 {
        return Err(damaged(format!("it has {file_len} bytes, too few for safetensors; fetch it again")));
    }
    let mut prefix = [0; 8];
    file.read_exact(&mut prefix).map_err(unreadable)?;
    let header_len = u64::from_le_bytes(prefix);
    if header_len > MAX_HEADER || header_len > file_len - 8 {
        return Err(damaged(format!(
            "a header of {header_len} bytes does not fit its {file_len} bytes: not safetensors (a Git LFS pointer?) or \
             truncated; fetch it again"
        )));
    }
    let mut header = vec![0; header_len as usize];
    file.read_exact(&mut header).map_err(unreadable)?;
    let mut raw: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(&header)
        .map_err(|error| damaged(format!("its header is not JSON: {error}; fetch it again")))?;
    raw.remove("__metadata__");
    let data = 8 + header_len;
    raw.into_iter()
        .map(|(name, value)| match entry(path, value, data, file_len) {
            Ok(entry) => Ok((name, entry)),
            Err(reason) => Err(damaged(format!("tensor {name}: {reason}"))),
        })
        .collect()
}

fn entry(file: &Path, value: serde_json::Value, data: u64, file_len: u64) -> Result<Entry, String> {
    let raw: RawEntry =
        serde_json::from_value(value).map_err(|error| format!("bad header entry: {error}; fetch the file again"))?;
    let dtype = dtype(&raw.dtype);
    let [begin, end] = raw.data_offsets;
    let len = end.checked_sub(begin).ok_or(format!("bytes {begin}..{end} run backwards; fetch the file again"))?;
    if dtype.is_some_and(|dtype| byte_count(dtype, &raw.shape) != Some(len)) {
        return Err(format!(
            "shape {:?} in {} does not fill bytes {begin}..{end}; fetch the file again",
            raw.shape, raw.dtype
        ));
    }
    match data.checked_add(end) {
        Some(last) if last <= file_len => Ok(Entry {
            file: file.to_owned(),
            shape: raw.shape,
            dtype,
            format: raw.dtype,
            start: data + begin,
            len: len as usize,
        }),
        _ => Err(format!(
            "it ends at byte {}, the file has {file_len}: the file is truncated; fetch it again",
            data.saturating_add(end)
        )),
    }
}

fn byte_count(dtype: DType, shape: &[usize]) -> Option<u64> {
    shape.iter().try_fold(dtype.size_in_bytes() as u64, |bytes, &dim| bytes.checked_mul(dim as u64))
}

/// Formats that candle converts. Integers are left out: a Llama has none, and converting would hide a quantised model.
fn dtype(name: &str) -> Option<DType> {
    match name {
        "F32" => Some(DType::F32),
        "F16" => Some(DType::F16),
        "BF16" => Some(DType::BF16),
        "F64" => Some(DType::F64),
        _ => None,
    }
}

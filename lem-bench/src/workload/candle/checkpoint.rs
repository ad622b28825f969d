//! Reader of safetensors checkpoints: one file, or the shards of an index. Reads names and shapes first, numbers later.
//!
//! Files are read and not mapped. If a mapped file is truncated, the process gets SIGBUS, and page faults would add
//! energy to a measured window.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor};
use serde::Deserialize;

use super::{Error, json};

/// The name of an unsharded checkpoint.
pub(super) const SINGLE: &str = "model.safetensors";
/// The index of a sharded checkpoint.
pub(super) const INDEX: &str = "model.safetensors.index.json";
/// Limit of the safetensors format for the header, in bytes.
const MAX_HEADER: u64 = 100_000_000;

/// The tensors of a checkpoint and their positions.
#[derive(Debug)]
pub(super) struct Checkpoint {
    /// The file, or the folder if there are several. Errors about missing tensors contain it.
    path: PathBuf,
    tensors: BTreeMap<String, Entry>,
}

/// One tensor in a file.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub file: PathBuf,
    pub shape: Vec<usize>,
    /// `None` for a format that is not supported, which is an error only when the tensor is loaded.
    dtype: Option<DType>,
    format: String,
    /// Offset from the start of the file, in bytes.
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
    ///
    /// # Errors
    /// A file is missing or damaged.
    pub fn open(dir: &Path) -> Result<Self, Error> {
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
                remedy: "download the safetensors weights, or convert the existing ones (save_pretrained in \
                         transformers writes them)",
            });
        }
        let mut tensors = BTreeMap::new();
        for shard in shards(&index)? {
            if !dir.join(&shard).is_file() {
                return Err(Error::MissingFile {
                    dir: dir.to_owned(),
                    file: shard,
                    remedy: "model.safetensors.index.json lists it: the download is incomplete; fetch the folder again",
                });
            }
            tensors.extend(read_header(&dir.join(shard))?);
        }
        Ok(Self { path: dir.to_owned(), tensors })
    }

    /// Returns the entry of a tensor.
    ///
    /// # Errors
    /// [`Error::MissingTensor`] if there is none.
    pub fn entry(&self, name: &str) -> Result<&Entry, Error> {
        self.tensors.get(name).ok_or_else(|| Error::MissingTensor { tensor: name.to_owned(), path: self.path.clone() })
    }

    /// Returns the names of all tensors, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// Returns the file, or the folder if there are several.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Entry {
    /// Reads the numbers, converts them to `dtype`, and copies them to `device`.
    pub(super) fn load(&self, dtype: DType, device: &Device) -> Result<Tensor, Error> {
        let format = self.dtype.ok_or_else(|| Error::Weights {
            path: self.file.clone(),
            reason: format!("dtype {} is not supported: use weights in F32, F16, BF16 or F64", self.format),
        })?;
        let bytes = self.read().map_err(|source| Error::Read { path: self.file.clone(), source })?;
        // The conversion is before the upload, so that less is copied and all devices get the same numbers.
        Tensor::from_raw_buffer(&bytes, format, &self.shape, &Device::Cpu)
            .and_then(|tensor| tensor.to_dtype(dtype))
            .and_then(|tensor| tensor.to_device(device))
            .map_err(Error::compute("copy the weights to the device"))
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
    let raw: RawIndex = json::parse(&text)
        .and_then(|index| serde_json::from_value(index).map_err(|error| error.to_string()))
        .map_err(|error| damaged(format!("not an index of shards: {error}; fetch the file again")))?;
    let shards: BTreeSet<String> = raw.weight_map.into_values().collect();
    // Shards are in the folder of the index. A path could point outside the model folder.
    match shards.iter().find(|shard| Path::new(shard).file_name() != Some(shard.as_ref())) {
        Some(outside) => Err(damaged(format!("shard {outside:?} is not a plain file name; fetch the file again"))),
        None if shards.is_empty() => Err(damaged("the index has no shards; fetch the file again".to_owned())),
        None => Ok(shards),
    }
}

fn read_header(path: &Path) -> Result<BTreeMap<String, Entry>, Error> {
    let unreadable = |source| Error::Read { path: path.to_owned(), source };
    let damaged = |reason: String| Error::Weights { path: path.to_owned(), reason };
    let mut file = File::open(path).map_err(unreadable)?;
    let file_len = file.metadata().map_err(unreadable)?.len();
    if file_len < 8 {
        return Err(damaged(format!("the file has only {file_len} bytes, so it is not safetensors; fetch it again")));
    }
    let mut prefix = [0; 8];
    file.read_exact(&mut prefix).map_err(unreadable)?;
    let header_len = u64::from_le_bytes(prefix);
    if header_len > MAX_HEADER || header_len > file_len - 8 {
        return Err(damaged(format!(
            "a header of {header_len} bytes does not fit a file of {file_len} bytes: truncated, or not safetensors (a \
             Git LFS pointer?); fetch it again"
        )));
    }
    let mut header = vec![0; header_len as usize];
    file.read_exact(&mut header).map_err(unreadable)?;
    let mut raw: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(&header)
        .map_err(|error| damaged(format!("the header is not JSON: {error}; fetch the file again")))?;
    raw.remove("__metadata__");
    let data = 8 + header_len;
    raw.into_iter()
        .map(|(name, value)| match parse_entry(path, value, data, file_len) {
            Ok(entry) => Ok((name, entry)),
            Err(reason) => Err(damaged(format!("tensor {name}: {reason}"))),
        })
        .collect()
}

fn parse_entry(file: &Path, value: serde_json::Value, data: u64, file_len: u64) -> Result<Entry, String> {
    let raw: RawEntry =
        serde_json::from_value(value).map_err(|error| format!("wrong header entry: {error}; fetch the file again"))?;
    let dtype = dtype(&raw.dtype);
    let [begin, end] = raw.data_offsets;
    let len = end.checked_sub(begin).ok_or(format!("bytes {begin}..{end} are not a range; fetch the file again"))?;
    if dtype.is_some_and(|dtype| byte_count(dtype, &raw.shape) != Some(len)) {
        return Err(format!(
            "shape {:?} of {} does not have the size of bytes {begin}..{end}; fetch the file again",
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
            "it ends at byte {}, but the file has {file_len}: the file is truncated; fetch it again",
            data.saturating_add(end)
        )),
    }
}

fn byte_count(dtype: DType, shape: &[usize]) -> Option<u64> {
    shape.iter().try_fold(dtype.size_in_bytes() as u64, |bytes, &dim| bytes.checked_mul(dim as u64))
}

/// Returns a format that candle can convert. Integers are not supported: a Llama has none, and a conversion would hide
/// that the model is quantized.
fn dtype(name: &str) -> Option<DType> {
    match name {
        "F32" => Some(DType::F32),
        "F16" => Some(DType::F16),
        "BF16" => Some(DType::BF16),
        "F64" => Some(DType::F64),
        _ => None,
    }
}

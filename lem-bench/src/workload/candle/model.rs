//! An opened Llama: checked, loaded, with its tokenizer. How it generates is in `generate`.
//!
//! Must not know benches or meters, nor whether the folder holds the embedded model or a real one.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use candle_core::Tensor;
use candle_nn::VarBuilder;
use candle_transformers::models::llama::{Cache, Llama};
use tokenizers::Tokenizer;

use super::checkpoint::Checkpoint;
use super::config::{self, ModelConfig};
use super::tokenizer::CORPUS;
use super::{Device, Dtype, Error, OpenOptions};

/// A Llama ready to run. Shareable between threads; a request takes `&self` and brings a KV cache of its own.
pub struct Model {
    pub(super) llama: Llama,
    pub(super) config: ModelConfig,
    /// Empty, with the rotary tables made: a request clones it, which copies pointers only.
    pub(super) empty_cache: Cache,
    pub(super) device: candle_core::Device,
    place: Device,
    dtype: Dtype,
    tokenizer: Tokenizer,
    path: PathBuf,
    parameters: u64,
    corpus_ids: OnceLock<Vec<u32>>,
}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Model")
            .field("path", &self.path)
            .field("dtype", &self.dtype)
            .field("device", &self.place)
            .field("parameters", &self.parameters)
            .finish_non_exhaustive()
    }
}

impl Model {
    /// Opens a Hugging Face Llama folder: `config.json`, `tokenizer.json`, and `model.safetensors` or the shards of
    /// `model.safetensors.index.json`. Files, config, tensor names and shapes are checked before any weights are read.
    ///
    /// # Errors
    /// A missing or damaged file, a config that candle's Llama does not compute, a missing or misshapen tensor, a device
    /// that cannot be used: each [`Error`] names the file and the remedy. It never panics on what is in the folder.
    pub fn open(dir: &Path, options: OpenOptions) -> Result<Self, Error> {
        let config_json = required(
            dir,
            "config.json",
            "point at a Hugging Face model folder (a GGUF file or a hub cache's root is not one)",
        )?;
        let tokenizer_json = required(
            dir,
            "tokenizer.json",
            "fetch it from the model's repository (AutoTokenizer's save_pretrained writes it for older models)",
        )?;
        let config = config::read(&config_json)?;
        let checkpoint = Checkpoint::open(dir)?;
        let parameters = check_tensors(&checkpoint, &config)?;
        let tokenizer = Tokenizer::from_file(&tokenizer_json)
            .map_err(|error| Error::Tokenizer { path: tokenizer_json, reason: error.to_string() })?;
        let (place, device) = options.device.open()?;
        let dtype = match options.dtype {
            Dtype::Auto => config.dtype.unwrap_or(Dtype::F32),
            chosen => chosen,
        };
        let llama = load(&checkpoint, &config, dtype, &device)?;
        let empty_cache = Cache::new(true, dtype.candle(), &config.llama, &device)
            .map_err(Error::compute("make the rotary tables"))?;
        let path = dir.canonicalize().unwrap_or_else(|_| dir.to_owned());
        let model = Self {
            llama,
            config,
            empty_cache,
            device,
            place,
            dtype,
            tokenizer,
            path,
            parameters,
            corpus_ids: OnceLock::new(),
        };
        model.synchronize()?;
        Ok(model)
    }

    /// The ids of a text, with the special tokens that the model's tokenizer adds (for most a BOS in front).
    ///
    /// # Errors
    /// [`Error::Tokenizer`] where the tokenizer fails.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>, Error> {
        self.ids(text, true)
    }

    /// The text of some ids, without special tokens.
    ///
    /// # Errors
    /// [`Error::Tokenizer`] where the tokenizer fails.
    pub fn decode(&self, ids: &[u32]) -> Result<String, Error> {
        self.tokenizer.decode(ids, true).map_err(|error| self.tokenizer_failed(&error))
    }

    /// The suite's text in this model's ids, without special tokens; encoded on first use.
    pub(super) fn corpus_ids(&self) -> Result<&[u32], Error> {
        if let Some(ids) = self.corpus_ids.get() {
            return Ok(ids);
        }
        let ids = self.ids(CORPUS, false)?;
        Ok(self.corpus_ids.get_or_init(|| ids))
    }

    fn ids(&self, text: &str, special: bool) -> Result<Vec<u32>, Error> {
        let encoding = self.tokenizer.encode_fast(text, special).map_err(|error| self.tokenizer_failed(&error))?;
        Ok(encoding.get_ids().to_vec())
    }

    fn tokenizer_failed(&self, error: &tokenizers::Error) -> Error {
        Error::Tokenizer { path: self.path.join("tokenizer.json"), reason: error.to_string() }
    }

    /// Returns when all work given to the device is done; at once on the CPU.
    ///
    /// # Errors
    /// [`Error::Compute`] where work that was under way failed.
    pub fn synchronize(&self) -> Result<(), Error> {
        self.device.synchronize().map_err(Error::compute("synchronise the device"))
    }

    /// Rows of the embedding: ids are below it. The tokenizer may know fewer tokens.
    pub fn vocab_size(&self) -> usize {
        self.config.shape.vocab
    }

    /// The device that the model runs on.
    pub fn device(&self) -> Device {
        self.place
    }

    /// The number format of weights and KV cache; never [`Dtype::Auto`].
    pub fn dtype(&self) -> Dtype {
        self.dtype
    }

    /// Numbers in the weights; tied embeddings count once.
    pub fn parameters(&self) -> u64 {
        self.parameters
    }

    /// The most tokens, prompt and output together, that a sequence may have: `max_position_embeddings`, at most
    /// 131,072.
    pub fn context_length(&self) -> usize {
        self.config.llama.max_position_embeddings
    }

    /// Bytes that each token of each sequence takes in the KV cache: 2 · layers · KV heads · head size · bytes a number.
    pub fn kv_bytes_per_token(&self) -> usize {
        let shape = &self.config.shape;
        2 * shape.layers * shape.kv_heads * shape.head_dim() * self.dtype.bytes()
    }

    /// The folder that the model was opened from, absolute.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

fn required(dir: &Path, file: &str, remedy: &'static str) -> Result<PathBuf, Error> {
    let path = dir.join(file);
    if path.is_file() {
        return Ok(path);
    }
    Err(Error::MissingFile { dir: dir.to_owned(), file: file.to_owned(), remedy })
}

/// Holds names and shapes against the config (candle's loader panics on a missing tensor); returns the parameter count.
fn check_tensors(checkpoint: &Checkpoint, config: &ModelConfig) -> Result<u64, Error> {
    let mut parameters = 0;
    for spec in config.shape.tensors() {
        let entry = checkpoint.entry(&spec.name)?;
        if entry.shape != spec.shape {
            return Err(Error::TensorShape {
                tensor: spec.name,
                path: entry.file.clone(),
                expected: spec.shape,
                found: entry.shape.clone(),
            });
        }
        parameters += spec.shape.iter().map(|&dim| dim as u64).product::<u64>();
    }
    match checkpoint.names().find(|name| name.ends_with("_proj.bias")) {
        Some(bias) => Err(Error::Weights {
            path: checkpoint.path().to_owned(),
            reason: format!("{bias} would be ignored by candle's Llama, which has no biases: take another model"),
        }),
        None => Ok(parameters),
    }
}

fn load(
    checkpoint: &Checkpoint,
    config: &ModelConfig,
    dtype: Dtype,
    device: &candle_core::Device,
) -> Result<Llama, Error> {
    let mut tensors: HashMap<String, Tensor> = HashMap::new();
    for spec in config.shape.tensors() {
        let tensor = checkpoint.entry(&spec.name)?.load(dtype.candle(), device)?;
        tensors.insert(spec.name, tensor);
    }
    let weights = VarBuilder::from_tensors(tensors, dtype.candle(), device);
    Llama::load(weights, &config.llama).map_err(Error::compute("build the model"))
}

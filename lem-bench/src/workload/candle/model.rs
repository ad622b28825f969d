//! A loaded Llama with its tokenizer. `generate` contains its generation.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use candle_core::Tensor;
use candle_nn::VarBuilder;
use candle_transformers::models::llama::{Cache, Llama};

use super::checkpoint::Checkpoint;
use super::config::{self, ModelConfig};
use super::encoder::Encoder;
use super::tokenizer::CORPUS;
use super::{Device, Dtype, Error, OpenOptions};
use crate::bench::Bencher;

/// What is measured.
const ARCHITECTURE: &str = "LlamaForCausalLM on candle";

/// The name of the added tokens without a row in the embedding.
const UNUSABLE_TOKENS: &str = "tokens without embedding";

/// A loaded Llama. Threads can share it: a request takes `&self` and has its own KV cache.
pub struct Model {
    pub(super) llama: Llama,
    pub(super) config: ModelConfig,
    /// An empty cache with the rotary tables. A request clones it, which copies only pointers.
    pub(super) empty_cache: Cache,
    pub(super) device: candle_core::Device,
    device_id: Device,
    dtype: Dtype,
    encoder: Encoder,
    path: PathBuf,
    parameters: u64,
    corpus_ids: OnceLock<Vec<u32>>,
}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Model")
            .field("path", &self.path)
            .field("dtype", &self.dtype)
            .field("device", &self.device_id)
            .field("parameters", &self.parameters)
            .finish_non_exhaustive()
    }
}

impl Model {
    /// Opens a Hugging Face Llama folder: `config.json`, `tokenizer.json`, and `model.safetensors` or the shards of
    /// `model.safetensors.index.json`. Checks files, config, names and shapes of tensors, and the tokenizer before it reads
    /// weights. Padding and truncation that are saved in `tokenizer.json` are switched off.
    ///
    /// # Errors
    /// A file is missing or damaged, candle's Llama does not support the config, a tensor is missing or has another
    /// shape, the tokenizer has tokens outside the embedding, or the device cannot be used. The [`Error`] names the file and the remedy. No contents cause a panic.
    pub fn open(dir: &Path, options: OpenOptions) -> Result<Self, Error> {
        let config_json = required(
            dir,
            "config.json",
            "set the path of a Hugging Face model folder (not of a GGUF file or of the root of the hub cache)",
        )?;
        let tokenizer_json = required(
            dir,
            "tokenizer.json",
            "fetch it from the model's repository (for older models, save_pretrained of AutoTokenizer writes it)",
        )?;
        let config = config::read(&config_json)?;
        let checkpoint = Checkpoint::open(dir)?;
        let parameters = check_tensors(&checkpoint, &config)?;
        let encoder = Encoder::open(tokenizer_json, config.shape.vocab)?;
        let (device_id, device) = options.device.open()?;
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
            device_id,
            dtype,
            encoder,
            path,
            parameters,
            corpus_ids: OnceLock::new(),
        };
        model.synchronize()?;
        Ok(model)
    }

    /// Returns the ids of a text, with the special tokens that the tokenizer adds (often a BOS at the beginning).
    ///
    /// # Errors
    /// [`Error::Tokenizer`] if the tokenizer fails, or an added token in the text has no row in the embedding.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>, Error> {
        self.encoder.encode(text, true)
    }

    /// Returns the text of some ids, without special tokens.
    ///
    /// # Errors
    /// [`Error::Tokenizer`] if the tokenizer fails.
    pub fn decode(&self, ids: &[u32]) -> Result<String, Error> {
        self.encoder.decode(ids)
    }

    /// Returns the ids of `corpus.txt`, without special tokens. Encodes it on the first call.
    pub(super) fn corpus_ids(&self) -> Result<&[u32], Error> {
        if let Some(ids) = self.corpus_ids.get() {
            return Ok(ids);
        }
        let ids = self.encoder.encode(CORPUS, false)?;
        Ok(self.corpus_ids.get_or_init(|| ids))
    }

    /// Waits until the device has completed all its work. Does nothing on the CPU.
    ///
    /// # Errors
    /// [`Error::Compute`] if earlier work failed.
    pub fn synchronize(&self) -> Result<(), Error> {
        self.device.synchronize().map_err(Error::compute("synchronize the device"))
    }

    /// Returns the number of rows of the embedding. All ids are below it. The tokenizer can have fewer tokens.
    pub fn vocab_size(&self) -> usize {
        self.config.shape.vocab
    }

    /// Returns the device of the model.
    pub fn device(&self) -> Device {
        self.device_id
    }

    /// Returns the number format of weights and KV cache, never [`Dtype::Auto`].
    pub fn dtype(&self) -> Dtype {
        self.dtype
    }

    /// Returns the number of parameters. Tied embeddings count once.
    pub fn parameters(&self) -> u64 {
        self.parameters
    }

    /// Returns the maximum length of a sequence, prompt and output together, in tokens: `max_position_embeddings`, but
    /// at most 131,072.
    pub fn context_length(&self) -> usize {
        self.config.llama.max_position_embeddings
    }

    /// Returns the size of one token of one sequence in the KV cache, in bytes: 2 · layers · KV heads · head size ·
    /// bytes per number.
    pub fn kv_bytes_per_token(&self) -> usize {
        let shape = &self.config.shape;
        2 * shape.layers * shape.kv_heads * shape.head_dim() * self.dtype.bytes()
    }

    /// Returns the folder of the model, as an absolute path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the name of the model: that of the folder, or `organisation/name` for a snapshot in the hub cache of
    /// Hugging Face.
    pub fn name(&self) -> String {
        let components: Vec<_> = self.path().iter().map(|part| part.to_string_lossy()).collect();
        match components.as_slice() {
            [.., repository, snapshots, _] if snapshots == "snapshots" => repository
                .strip_prefix("models--")
                .map_or_else(|| repository.to_string(), |name| name.replace("--", "/")),
            [.., folder] => folder.to_string(),
            [] => String::new(),
        }
    }

    /// States what is measured as facts of a bench: name, architecture, number of parameters and dtype. Results of
    /// different models are then not compared. Added tokens of the tokenizer that have no row in the embedding are stated
    /// too.
    pub fn state_facts(&self, b: &mut Bencher<'_>) {
        b.fact("model", self.name());
        b.fact("architecture", ARCHITECTURE);
        b.fact("parameters", self.parameters());
        b.fact("dtype", self.dtype());
        let unusable = self.encoder.unusable_tokens();
        if !unusable.is_empty() {
            b.fact(UNUSABLE_TOKENS, unusable);
        }
    }

    /// Returns metadata for a report. The order of the keys is stable, and counts are plain integers.
    pub fn describe(&self) -> Vec<(String, String)> {
        let shape = &self.config.shape;
        let described = [
            ("name", self.name()),
            ("path", self.path().display().to_string()),
            ("architecture", ARCHITECTURE.to_owned()),
            ("parameters", self.parameters().to_string()),
            ("dtype", self.dtype().to_string()),
            ("layers", shape.layers.to_string()),
            ("hidden", shape.hidden.to_string()),
            ("heads", shape.heads.to_string()),
            ("kv_heads", shape.kv_heads.to_string()),
            ("vocab", shape.vocab.to_string()),
            ("context_tokens", self.context_length().to_string()),
            ("device", self.device().to_string()),
            ("kv_bytes_per_token", self.kv_bytes_per_token().to_string()),
        ];
        let unusable = Some((UNUSABLE_TOKENS, self.encoder.unusable_tokens())).filter(|(_, tokens)| !tokens.is_empty());
        described.into_iter().chain(unusable).map(|(key, value)| (key.to_owned(), value)).collect()
    }
}

fn required(dir: &Path, file: &str, remedy: &'static str) -> Result<PathBuf, Error> {
    let path = dir.join(file);
    if path.is_file() {
        return Ok(path);
    }
    Err(Error::MissingFile { dir: dir.to_owned(), file: file.to_owned(), remedy })
}

/// Checks names and shapes against the config, because candle's loader panics on a missing tensor. Returns the number
/// of parameters.
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
            reason: format!("candle's Llama has no biases and would ignore {bias}: use another model"),
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

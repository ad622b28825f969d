//! The embedded model: a small Llama in Hugging Face layout, made from a fixed seed.
//!
//! Must not know how a model is opened, or how files come to lie safely on disk. Its weights are random: what it writes
//! means nothing, but it costs what a model of its size costs.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use serde_json::json;

use super::draw::Stream;
use super::hash::fnv64;
use super::layout::{Role, Shape, Spec};
use super::tokenizer::{self, BOS, CORPUS, EOS, PAD, SPECIAL};
use super::{Error, checkpoint, install};

/// 3.4 M parameters: decoding takes 1 to 4 ms a token on two slow cores.
const SHAPE: Shape =
    Shape { vocab: 1024, hidden: 256, intermediate: 688, layers: 4, heads: 4, kv_heads: 2, tied: false };
const CONTEXT: usize = 2048;
const SEED: u64 = 0x1e3b_e7c4;
/// Bump when the maker changes so that the same inputs give other files: the folder's name carries it.
const RECIPE: u32 = 1;

/// Returns the folder of the embedded model, `<home>/lem-bench-model/tiny-llama-<hash>`, making the model first where
/// it is not there or damaged (about 0.1 s in a release build; 14 MB).
///
/// The folder holds `config.json`, `tokenizer.json` and `model.safetensors` (f32) and is byte-equal on every machine.
/// Processes that call this at once end with one good model.
///
/// # Errors
/// [`Error::Write`] names the path that cannot be written, and the remedy.
pub fn embedded(home: &Path) -> Result<PathBuf, Error> {
    let config = config();
    let recipe = format!("{RECIPE} {SEED} {CORPUS} {config}");
    let dir = home.join("lem-bench-model").join(format!("tiny-llama-{:016x}", fnv64(recipe.as_bytes())));
    install::ensure(&dir, |making| make(making, &config))?;
    Ok(dir)
}

fn make(dir: &Path, config: &str) -> Result<(), Error> {
    let write = |file: &str, text: &str| {
        let path = dir.join(file);
        fs::write(&path, text).map_err(|source| Error::Write { path, source })
    };
    let tokenizer_json = dir.join("tokenizer.json");
    let trained = tokenizer::train(SHAPE.vocab)
        .map_err(|error| Error::Tokenizer { path: tokenizer_json, reason: error.to_string() })?;
    write("config.json", config)?;
    write("tokenizer.json", &trained.json)?;
    write_weights(&dir.join(checkpoint::SINGLE), trained.tokens)
}

/// `config.json` as Hugging Face's `save_pretrained` writes it.
fn config() -> String {
    let value = json!({
        "architectures": ["LlamaForCausalLM"],
        "attention_bias": false,
        "attention_dropout": 0.0,
        "bos_token_id": BOS,
        "eos_token_id": EOS,
        "head_dim": SHAPE.head_dim(),
        "hidden_act": "silu",
        "hidden_size": SHAPE.hidden,
        "initializer_range": 0.02,
        "intermediate_size": SHAPE.intermediate,
        "max_position_embeddings": CONTEXT,
        "mlp_bias": false,
        "model_type": "llama",
        "num_attention_heads": SHAPE.heads,
        "num_hidden_layers": SHAPE.layers,
        "num_key_value_heads": SHAPE.kv_heads,
        "pad_token_id": PAD,
        "pretraining_tp": 1,
        "rms_norm_eps": 1e-5,
        "rope_scaling": null,
        "rope_theta": 10000.0,
        "tie_word_embeddings": SHAPE.tied,
        "torch_dtype": "float32",
        "use_cache": true,
        "vocab_size": SHAPE.vocab
    });
    format!("{value:#}\n")
}

fn write_weights(path: &Path, tokens: usize) -> Result<(), Error> {
    let make = |spec: Spec| {
        let tensor = Tensor::from_vec(numbers(&spec, tokens), spec.shape.as_slice(), &Device::Cpu)?;
        Ok((spec.name, tensor))
    };
    let tensors = SHAPE
        .tensors()
        .map(make)
        .collect::<candle_core::Result<HashMap<String, Tensor>>>()
        .map_err(Error::compute("draw the embedded model's weights"))?;
    candle_core::safetensors::save(&tensors, path)
        .map_err(|error| Error::Write { path: path.to_owned(), source: std::io::Error::other(error) })?;
    // safetensors writes for the owner alone; let it be as readable as its neighbours.
    fs::metadata(path.with_file_name("config.json"))
        .and_then(|config| fs::set_permissions(path, config.permissions()))
        .map_err(|source| Error::Write { path: path.to_owned(), source })
}

/// Weights scaled so that the residual stream and the logits stay near unit size, as in a trained model.
fn numbers(spec: &Spec, tokens: usize) -> Vec<f32> {
    let count = spec.shape.iter().product();
    let fan_in = spec.shape.last().map_or(1.0, |&columns| columns as f32);
    // Every layer adds to the residual stream twice.
    let additions = (2 * SHAPE.layers) as f32;
    let standard_deviation = match spec.role {
        Role::Norm => return vec![1.0; count],
        Role::Embedding => 1.0,
        Role::Input | Role::Head => fan_in.sqrt().recip(),
        Role::Output => (fan_in * additions).sqrt().recip(),
    };
    let mut numbers = Stream::named(SEED, &spec.name).bell(count, standard_deviation);
    if spec.role == Role::Head {
        // A logit of 0 never wins among a thousand that spread around 0: greedy decoding neither stops early nor
        // leaves the vocabulary.
        numbers[..SPECIAL.len() * SHAPE.hidden].fill(0.0);
        numbers[tokens * SHAPE.hidden..].fill(0.0);
    }
    numbers
}

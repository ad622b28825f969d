//! The embedded model: a small Llama in Hugging Face layout, generated from a fixed seed.
//!
//! Its weights are random, so its output has no meaning, but its costs are those of a model of this size.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use serde_json::json;

use super::layout::{Role, Shape, Spec, Stream};
use super::tokenizer::{self, BOS, CORPUS, EOS, PAD, SPECIAL};
use super::{Error, checkpoint, install};
use crate::model::fnv1a64;

/// 3.4 million parameters. Decoding takes 1 to 4 ms per token on two slow cores.
const SHAPE: Shape =
    Shape { vocab: 1024, hidden: 256, intermediate: 688, layers: 4, heads: 4, kv_heads: 2, tied: false };
/// Maximum length of prompt and output together, in tokens.
const CONTEXT_TOKENS: usize = 2048;
/// Seed of the weights.
const SEED: u64 = 0x1e3b_e7c4;
/// Version of the generator. Increase it if the same inputs give other files: it is part of the name of the folder.
const RECIPE: u32 = 1;

/// Returns the folder of the embedded model, `<home>/lem-bench-model/tiny-llama-<hash>`. Generates the model if it is
/// missing or damaged, which takes about 0.1 s in a release build and 14 MB.
///
/// The folder contains `config.json`, `tokenizer.json` and `model.safetensors` (f32). The files are identical on every
/// machine. Several processes can call this at the same time.
///
/// # Errors
/// [`Error::Write`] if a file cannot be written, with its path and the remedy.
pub fn embedded(home: &Path) -> Result<PathBuf, Error> {
    let config = config();
    let recipe = format!("{RECIPE} {SEED} {CORPUS} {config}");
    let dir = home.join("lem-bench-model").join(format!("tiny-llama-{:016x}", fnv1a64(recipe.as_bytes())));
    install::ensure(&dir, |temporary| generate(temporary, &config))?;
    Ok(dir)
}

fn generate(dir: &Path, config: &str) -> Result<(), Error> {
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

/// Returns a `config.json` like that of Hugging Face's `save_pretrained`.
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
        "max_position_embeddings": CONTEXT_TOKENS,
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
    let named_tensor = |spec: Spec| {
        let tensor = Tensor::from_vec(numbers(&spec, tokens), spec.shape.as_slice(), &Device::Cpu)?;
        Ok((spec.name, tensor))
    };
    let tensors = SHAPE
        .tensors()
        .map(named_tensor)
        .collect::<candle_core::Result<HashMap<String, Tensor>>>()
        .map_err(Error::compute("generate the weights of the embedded model"))?;
    candle_core::safetensors::save(&tensors, path)
        .map_err(|error| Error::Write { path: path.to_owned(), source: std::io::Error::other(error) })?;
    // safetensors makes the file readable for the owner only. Use the permissions of the other files.
    fs::metadata(path.with_file_name("config.json"))
        .and_then(|config| fs::set_permissions(path, config.permissions()))
        .map_err(|source| Error::Write { path: path.to_owned(), source })
}

/// Returns random weights. Their scale keeps the residual stream and the logits near unit size, as in a trained model.
fn numbers(spec: &Spec, tokens: usize) -> Vec<f32> {
    let count = spec.shape.iter().product();
    let fan_in = spec.shape.last().map_or(1.0, |&columns| columns as f32);
    // Each layer adds to the residual stream twice.
    let additions = (2 * SHAPE.layers) as f32;
    let standard_deviation = match spec.role {
        Role::Norm => return vec![1.0; count],
        Role::Embedding => 1.0,
        Role::Input | Role::Head => fan_in.sqrt().recip(),
        Role::Output => (fan_in * additions).sqrt().recip(),
    };
    let mut numbers = Stream::named(SEED, &spec.name).bell(count, standard_deviation);
    if spec.role == Role::Head {
        // A logit of 0 is never the maximum of a thousand logits around 0, so greedy decoding chooses neither special
        // tokens, which would end it, nor ids without a token.
        numbers[..SPECIAL.len() * SHAPE.hidden].fill(0.0);
        numbers[tokens * SHAPE.hidden..].fill(0.0);
    }
    numbers
}

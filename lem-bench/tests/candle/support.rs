//! Model folders for tests: the embedded model, and a very small one.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use candle_core::{Device, Tensor};
use lem_bench::workload::candle::{DeviceChoice, Dtype, Model, OpenOptions, embedded};
use serde_json::{Value, json};

/// Returns the folder of the embedded model, made once for all tests in cargo's target folder.
pub(crate) fn embedded_dir() -> PathBuf {
    embedded(Path::new(env!("CARGO_TARGET_TMPDIR"))).expect("the embedded model")
}

pub(crate) fn on_cpu(dtype: Dtype) -> OpenOptions {
    OpenOptions { dtype, device: DeviceChoice::Cpu }
}

pub(crate) fn open(dir: &Path) -> Model {
    Model::open(dir, on_cpu(Dtype::Auto)).expect("the model opens")
}

pub(crate) fn open_error(dir: &Path) -> String {
    Model::open(dir, on_cpu(Dtype::Auto)).expect_err("the model does not open").to_string()
}

pub(crate) fn copy_dir(from: &Path, to: &Path) {
    for file in ["config.json", "tokenizer.json", "model.safetensors"] {
        fs::copy(from.join(file), to.join(file)).expect("copy");
    }
}

pub(crate) fn edit_config(dir: &Path, edit: impl FnOnce(&mut Value)) {
    let path = dir.join("config.json");
    let mut value = serde_json::from_slice(&fs::read(&path).expect("read")).expect("JSON");
    edit(&mut value);
    fs::write(path, value.to_string()).expect("write");
}

pub(crate) fn tensors(dir: &Path) -> HashMap<String, Tensor> {
    candle_core::safetensors::load(dir.join("model.safetensors"), &Device::Cpu).expect("candle reads the weights")
}

pub(crate) fn edit_tensors(dir: &Path, edit: impl FnOnce(&mut HashMap<String, Tensor>)) {
    let mut all = tensors(dir);
    edit(&mut all);
    candle_core::safetensors::save(&all, dir.join("model.safetensors")).expect("save");
}

/// Creates a Llama with one layer and hidden size 8, with the embedded model's tokenizer.
pub(crate) fn tiny() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("tempdir");
    let config = json!({
        "model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_size": 8, "intermediate_size": 12,
        "vocab_size": 1024, "num_hidden_layers": 1, "num_attention_heads": 2, "num_key_value_heads": 1,
        "rms_norm_eps": 1e-5, "max_position_embeddings": 16, "bos_token_id": 1, "eos_token_id": 2
    });
    fs::write(dir.path().join("config.json"), config.to_string()).expect("write");
    fs::copy(embedded_dir().join("tokenizer.json"), dir.path().join("tokenizer.json")).expect("copy");
    let layer = |name: &str| format!("model.layers.0.{name}.weight");
    let shapes: [(String, &[usize]); 12] = [
        ("model.embed_tokens.weight".to_owned(), &[1024, 8]),
        ("model.norm.weight".to_owned(), &[8]),
        ("lm_head.weight".to_owned(), &[1024, 8]),
        (layer("input_layernorm"), &[8]),
        (layer("post_attention_layernorm"), &[8]),
        (layer("self_attn.q_proj"), &[8, 8]),
        (layer("self_attn.k_proj"), &[4, 8]),
        (layer("self_attn.v_proj"), &[4, 8]),
        (layer("self_attn.o_proj"), &[8, 8]),
        (layer("mlp.gate_proj"), &[12, 8]),
        (layer("mlp.up_proj"), &[12, 8]),
        (layer("mlp.down_proj"), &[8, 12]),
    ];
    let tensors: HashMap<String, Tensor> = shapes
        .into_iter()
        .map(|(name, shape)| {
            let count: usize = shape.iter().product();
            let numbers: Vec<f32> = (0..count).map(|i| ((i * 37 + name.len()) % 101) as f32 / 50.0 - 1.0).collect();
            (name, Tensor::from_vec(numbers, shape, &Device::Cpu).expect("tensor"))
        })
        .collect();
    candle_core::safetensors::save(&tensors, dir.path().join("model.safetensors")).expect("save");
    dir
}

/// Starts the test `name` of this binary in a child process with `argument` in `LEM_TEST_CHILD`.
pub(crate) fn child(name: &str, argument: &str, environment: &[(&str, &str)]) -> std::process::Child {
    Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .env("LEM_TEST_CHILD", argument)
        .envs(environment.iter().copied())
        .stdout(Stdio::piped())
        .spawn()
        .expect("start")
}

/// Waits for a child; returns the text after `child:` in its output.
pub(crate) fn child_output(child: std::process::Child) -> String {
    let output = child.wait_with_output().expect("wait");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}");
    let at = text.find("child:").expect("a `child:` line");
    text[at + 6..].lines().next().expect("a line").to_owned()
}

pub(crate) fn child_argument() -> Option<String> {
    std::env::var("LEM_TEST_CHILD").ok()
}

pub(crate) fn fnv64(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &b| (hash ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3))
}

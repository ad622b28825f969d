//! The embedded model is the same on all machines, and is never left incomplete.

use std::fs;
use std::path::Path;

use candle_core::IndexOp;
use lem_bench::workload::candle::embedded;

use crate::support::{child, child_argument, child_output, embedded_dir, fnv64, open, tensors};

/// Pinned hashes. When they change, bump `RECIPE` in the code that makes the model: old results are not comparable.
const PINNED: &str = "config.json=699bbb2389d89a1a tokenizer.json=133e1fdf29cf2359 model.safetensors=b8f35d08947e1761";

fn hashes(dir: &Path) -> String {
    ["config.json", "tokenizer.json", "model.safetensors"]
        .map(|file| format!("{file}={:016x}", fnv64(&fs::read(dir.join(file)).expect("read"))))
        .join(" ")
}

#[test]
fn files_match_pinned_hashes() {
    assert_eq!(hashes(&embedded_dir()), PINNED);
}

/// Child process: makes the model in the folder that the parent passes. Without a parent, uses a temporary folder.
#[test]
fn child_makes_model() {
    let own = tempfile::tempdir().unwrap();
    let home = child_argument().map_or_else(|| own.path().to_owned(), Into::into);
    println!("\nchild:{}", hashes(&embedded(&home).unwrap()));
}

#[test]
fn files_do_not_depend_on_threads() {
    for threads in ["1", "2", "7"] {
        let home = tempfile::tempdir().unwrap();
        let environment = [("RAYON_NUM_THREADS", threads), ("CANDLE_NUM_THREADS", threads)];
        let making = child("embedded::child_makes_model", home.path().to_str().unwrap(), &environment);
        assert_eq!(child_output(making), PINNED, "with {threads} threads");
    }
}

#[test]
fn concurrent_processes_make_one_model() {
    let home = tempfile::tempdir().unwrap();
    let start = || child("embedded::child_makes_model", home.path().to_str().unwrap(), &[]);
    let children = [start(), start(), start()];
    for child in children {
        assert_eq!(child_output(child), PINNED);
    }
    let left: Vec<_> =
        fs::read_dir(home.path().join("lem-bench-model")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "expected the model and the lock: {left:?}");
}

#[test]
fn survives_killed_processes() {
    let home = tempfile::tempdir().unwrap();
    for milliseconds in [10, 30, 50, 70, 90, 110] {
        let mut making = child("embedded::child_makes_model", home.path().to_str().unwrap(), &[]);
        std::thread::sleep(std::time::Duration::from_millis(milliseconds));
        making.kill().unwrap();
        making.wait().unwrap();
    }
    assert_eq!(hashes(&embedded(home.path()).unwrap()), PINNED);
}

#[test]
fn replaces_damaged_model() {
    let home = tempfile::tempdir().unwrap();
    let dir = embedded(home.path()).unwrap();
    let weights = dir.join("model.safetensors");
    let mut bytes = fs::read(&weights).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&weights, &bytes).unwrap();
    assert_eq!(embedded(home.path()).unwrap(), dir);
    assert_eq!(hashes(&dir), PINNED);
}

#[test]
fn unwritable_home_error_has_path() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("file");
    fs::write(&file, b"").unwrap();
    let error = embedded(&file).unwrap_err().to_string();
    assert!(error.contains(file.to_str().unwrap()) && error.contains("LEM_BENCH_HOME"), "{error}");
}

/// Reads the weights with candle's reader.
#[test]
fn weights_have_documented_scale() {
    let tensors = tensors(&embedded_dir());
    let deviation = |name: &str| {
        let numbers = tensors[name].flatten_all().unwrap().to_vec1::<f32>().unwrap();
        (numbers.iter().map(|x| x * x).sum::<f32>() / numbers.len() as f32).sqrt()
    };
    assert_eq!(deviation("model.norm.weight"), 1.0);
    assert!((deviation("model.embed_tokens.weight") - 1.0).abs() < 0.01);
    assert!((deviation("model.layers.2.self_attn.q_proj.weight") * 16.0 - 1.0).abs() < 0.01);
    let head = &tensors["lm_head.weight"];
    let sums = head.abs().unwrap().sum(1).unwrap();
    assert_eq!(sums.i(..4).unwrap().to_vec1::<f32>().unwrap(), [0.0; 4]);
    assert!(sums.i(4..).unwrap().to_vec1::<f32>().unwrap().iter().all(|&sum| sum > 1.0));
}

#[test]
fn describes_model() {
    let model = open(&embedded_dir());
    assert_eq!(model.parameters(), 3_426_560);
    // 2 (key, value) x 4 layers x 2 heads x 64 numbers x 4 bytes.
    assert_eq!(model.kv_bytes_per_token(), 4096);
    let describe = model.describe();
    let value = |key: &str| describe.iter().find(|(k, _)| k == key).map(|(_, v)| v.as_str());
    assert!(value("name").unwrap().starts_with("tiny-llama-"));
    assert_eq!(value("dtype"), Some("f32"));
    assert_eq!(value("vocab"), Some("1024"));
    assert_eq!(value("device"), Some("cpu"));
}

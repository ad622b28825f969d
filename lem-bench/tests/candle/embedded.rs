//! The embedded model is the same everywhere, and whole whatever happens while it is made.

use std::fs;
use std::path::Path;

use candle_core::IndexOp;
use lem_bench::workload::candle::embedded;

use crate::support::{answer, child, child_argument, embedded_dir, fnv64, open, tensors};

/// Pinned: a change here means that `RECIPE` in the maker must be bumped and that results no longer compare.
const PINNED: &str = "config.json=699bbb2389d89a1a tokenizer.json=133e1fdf29cf2359 model.safetensors=b8f35d08947e1761";

fn hashes(dir: &Path) -> String {
    ["config.json", "tokenizer.json", "model.safetensors"]
        .map(|file| format!("{file}={:016x}", fnv64(&fs::read(dir.join(file)).expect("read"))))
        .join(" ")
}

#[test]
fn the_files_are_the_pinned_ones() {
    assert_eq!(hashes(&embedded_dir()), PINNED);
}

/// Makes the model in the folder that the parent names; without a parent, in a folder of its own.
#[test]
fn child_makes_the_model() {
    let own = tempfile::tempdir().unwrap();
    let home = child_argument().map_or_else(|| own.path().to_owned(), Into::into);
    println!("\nchild:{}", hashes(&embedded(&home).unwrap()));
}

#[test]
fn the_files_are_equal_over_thread_counts() {
    for threads in ["1", "2", "7"] {
        let home = tempfile::tempdir().unwrap();
        let environment = [("RAYON_NUM_THREADS", threads), ("CANDLE_NUM_THREADS", threads)];
        let making = child("embedded::child_makes_the_model", home.path().to_str().unwrap(), &environment);
        assert_eq!(answer(making), PINNED, "with {threads} threads");
    }
}

#[test]
fn processes_at_once_end_with_one_good_model() {
    let home = tempfile::tempdir().unwrap();
    let start = || child("embedded::child_makes_the_model", home.path().to_str().unwrap(), &[]);
    let children = [start(), start(), start()];
    for child in children {
        assert_eq!(answer(child), PINNED);
    }
    let left: Vec<_> =
        fs::read_dir(home.path().join("lem-bench-model")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "the model and the lock: {left:?}");
}

#[test]
fn a_process_killed_in_the_making_does_no_harm() {
    let home = tempfile::tempdir().unwrap();
    for milliseconds in [10, 30, 50, 70, 90, 110] {
        let mut making = child("embedded::child_makes_the_model", home.path().to_str().unwrap(), &[]);
        std::thread::sleep(std::time::Duration::from_millis(milliseconds));
        making.kill().unwrap();
        making.wait().unwrap();
    }
    assert_eq!(hashes(&embedded(home.path()).unwrap()), PINNED);
}

#[test]
fn a_damaged_model_is_made_again() {
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
fn a_home_that_cannot_be_written_is_named() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("file");
    fs::write(&file, b"").unwrap();
    let error = embedded(&file).unwrap_err().to_string();
    assert!(error.contains(file.to_str().unwrap()) && error.contains("LEM_BENCH_HOME"), "{error}");
}

/// Read by candle's own reader, not by ours.
#[test]
fn weights_are_scaled_and_special_rows_are_zero() {
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
fn describes_itself() {
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

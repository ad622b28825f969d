//! Layouts of real model folders: shards, tied embeddings, number formats, scaled rotary embeddings.

use std::collections::HashMap;
use std::fs;

use candle_core::{DType, Tensor};
use lem_bench::workload::candle::{Dtype, Model};
use serde_json::json;

use crate::support::{copy_dir, edit_config, edit_tensors, embedded_dir, on_cpu, open, open_error, tensors, tiny};

fn ids(model: &Model) -> Vec<u32> {
    let prompt = model.encode("The energy of a token is").expect("ids");
    model.generate(&[prompt], 16, |_| ()).expect("tokens").tokens.concat()
}

#[test]
fn shards_match_single_file() {
    let dir = tempfile::tempdir().unwrap();
    copy_dir(&embedded_dir(), dir.path());
    let whole = ids(&open(dir.path()));
    let mut shards = [HashMap::<String, Tensor>::new(), HashMap::new()];
    let mut weight_map = serde_json::Map::new();
    for (n, (name, tensor)) in tensors(dir.path()).into_iter().enumerate() {
        weight_map.insert(name.clone(), format!("model-0000{}-of-00002.safetensors", n % 2 + 1).into());
        shards[n % 2].insert(name, tensor);
    }
    fs::remove_file(dir.path().join("model.safetensors")).unwrap();
    for (n, shard) in shards.iter().enumerate() {
        let path = dir.path().join(format!("model-0000{}-of-00002.safetensors", n + 1));
        candle_core::safetensors::save(shard, path).unwrap();
    }
    let index = dir.path().join("model.safetensors.index.json");
    fs::write(&index, json!({"metadata": {"total_size": 1}, "weight_map": weight_map}).to_string()).unwrap();
    assert_eq!(ids(&open(dir.path())), whole);

    fs::remove_file(dir.path().join("model-00002-of-00002.safetensors")).unwrap();
    let error = open_error(dir.path());
    assert!(error.contains("model-00002-of-00002.safetensors") && error.contains("incomplete"), "{error}");

    fs::write(&index, json!({"weight_map": {"a": "../elsewhere.safetensors"}}).to_string()).unwrap();
    assert!(open_error(dir.path()).contains("not a plain file name"));
    fs::write(&index, "[]").unwrap();
    assert!(open_error(dir.path()).contains("index"));
}

#[test]
fn supports_tied_embeddings() {
    let dir = tiny();
    edit_tensors(dir.path(), |all| {
        all.remove("lm_head.weight");
    });
    edit_config(dir.path(), |config| config["tie_word_embeddings"] = true.into());
    let tied = open(dir.path());
    // The same model with an explicit head.
    let untied = tiny();
    edit_tensors(untied.path(), |all| {
        let head = all["model.embed_tokens.weight"].clone();
        all.insert("lm_head.weight".to_owned(), head);
    });
    let untied = open(untied.path());
    let run = |model: &Model| model.generate(&[vec![1, 9, 4]], 8, |_| ()).unwrap().tokens;
    assert_eq!(run(&tied), run(&untied));
    assert_eq!(untied.parameters() - tied.parameters(), 1024 * 8);
}

#[test]
fn auto_dtype_reads_both_config_keys() {
    for key in ["torch_dtype", "dtype"] {
        let dir = tiny();
        edit_tensors(dir.path(), |all| {
            for tensor in all.values_mut() {
                *tensor = tensor.to_dtype(DType::BF16).unwrap();
            }
        });
        edit_config(dir.path(), |config| config[key] = "bfloat16".into());
        assert_eq!(open(dir.path()).dtype(), Dtype::Bf16);
        let widened = Model::open(dir.path(), on_cpu(Dtype::F32)).unwrap();
        assert_eq!(widened.dtype(), Dtype::F32);
        assert_eq!(widened.generate(&[vec![1]], 3, |_| ()).unwrap().output_tokens(), 3);
    }
}

#[test]
fn applies_llama3_rope_scaling() {
    let dir = tempfile::tempdir().unwrap();
    copy_dir(&embedded_dir(), dir.path());
    let plain = ids(&open(dir.path()));
    edit_config(dir.path(), |config| {
        config["rope_scaling"] = json!({"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0,
            "high_freq_factor": 4.0, "original_max_position_embeddings": 16});
    });
    assert_ne!(ids(&open(dir.path())), plain);
}

/// Adds the keys of another JSON object to `tokenizer.json`.
fn add_to_tokenizer(dir: &std::path::Path, keys: &serde_json::Value) {
    let path = dir.join("tokenizer.json");
    let mut tokenizer: serde_json::Value = serde_json::from_slice(&fs::read(&path).expect("read")).expect("JSON");
    for (key, value) in keys.as_object().expect("keys") {
        tokenizer[key] = value.clone();
    }
    fs::write(path, tokenizer.to_string()).expect("write");
}

#[test]
fn padding_and_truncation_of_the_tokenizer_are_off() {
    let dir = tempfile::tempdir().unwrap();
    copy_dir(&embedded_dir(), dir.path());
    let text = "The energy of a token is the power of the machine times the time that it takes. ".repeat(20);
    let plain = open(dir.path());
    let expected = plain.encode(&text).unwrap();
    let saved = serde_json::from_str(include_str!("padding-truncation.json")).unwrap();
    add_to_tokenizer(dir.path(), &saved);
    let model = open(dir.path());
    assert!(expected.len() > 64);
    assert_eq!(model.encode(&text).unwrap(), expected);
    assert!(model.encode("The energy").unwrap().len() < 10);
    let ids = |model: &Model| lem_bench::workload::candle::prompts(model, 8, 128, 1, 42).unwrap();
    assert_eq!(ids(&model), ids(&plain));
}

#[test]
fn unused_added_token_is_described() {
    let dir = tiny();
    let token = json!({"id": 1024, "content": "<extra>", "single_word": false, "lstrip": false, "rstrip": false,
        "normalized": false, "special": true});
    add_to_tokenizer(dir.path(), &json!({"added_tokens": [token]}));
    let model = open(dir.path());
    let described = model.describe();
    let unusable = described.iter().find(|(key, _)| key == "tokens without embedding");
    assert_eq!(unusable.map(|(_, tokens)| tokens.as_str()), Some("<extra> (1024)"), "{described:?}");
    assert!(model.encode("a token").is_ok());
    let error = model.encode("a <extra> token").unwrap_err().to_string();
    assert!(error.contains("`<extra>` with the id 1024, but the embedding has 1024 rows"), "{error}");
}

#[test]
fn byte_order_marks_are_skipped() {
    let dir = tiny();
    for file in ["config.json", "tokenizer.json"] {
        let path = dir.path().join(file);
        let text = fs::read_to_string(&path).unwrap();
        fs::write(path, format!("\u{feff}{text}")).unwrap();
    }
    open(dir.path());
}

#[test]
fn hub_snapshot_has_repository_name() {
    let cache = tempfile::tempdir().unwrap();
    let snapshot = cache.path().join("models--org--small-llama/snapshots/0123abcd");
    fs::create_dir_all(&snapshot).unwrap();
    copy_dir(tiny().path(), &snapshot);
    assert_eq!(open(&snapshot).name(), "org/small-llama");
}

//! Broken model folders: errors name the file or tensor, and no content makes opening panic.

use std::fs;

use candle_core::{DType, Device, Tensor};
use lem_bench::workload::candle::{Dtype, Model};

use crate::support::{edit_config, edit_tensors, on_cpu, open, open_error, tiny};

#[test]
fn opens_tiny_model() {
    let dir = tiny();
    let model = open(dir.path());
    assert_eq!(model.generate(&[vec![1, 5, 6]], 4, |_| ()).unwrap().output_tokens(), 4);
}

#[test]
fn missing_file_error_has_remedy() {
    for (file, remedy) in
        [("config.json", "Hugging Face model folder"), ("tokenizer.json", "fetch it"), ("model.safetensors", "convert")]
    {
        let dir = tiny();
        fs::remove_file(dir.path().join(file)).unwrap();
        let error = open_error(dir.path());
        assert!(error.contains(file) && error.contains(remedy), "{error}");
        assert!(error.contains(dir.path().to_str().unwrap()), "{error}");
    }
    assert!(open_error(std::path::Path::new("/no/such/folder")).contains("/no/such/folder"));
}

#[test]
fn invalid_json_error_names_file() {
    for file in ["config.json", "tokenizer.json"] {
        let dir = tiny();
        fs::write(dir.path().join(file), "{\"a\": ").unwrap();
        let error = open_error(dir.path());
        assert!(error.contains(file), "{error}");
    }
}

#[test]
fn detects_truncated_weights() {
    let dir = tiny();
    let path = dir.path().join("model.safetensors");
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() - 5]).unwrap();
    let error = open_error(dir.path());
    assert!(error.contains("truncated") && error.contains("model.safetensors"), "{error}");
}

#[test]
fn detects_git_lfs_pointer() {
    let dir = tiny();
    fs::write(dir.path().join("model.safetensors"), "version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
        .unwrap();
    let error = open_error(dir.path());
    assert!(error.contains("Git LFS pointer"), "{error}");
}

#[test]
fn missing_tensor_error_has_name() {
    for name in ["model.layers.0.mlp.up_proj.weight", "lm_head.weight", "model.embed_tokens.weight"] {
        let dir = tiny();
        edit_tensors(dir.path(), |all| {
            all.remove(name);
        });
        let error = open_error(dir.path());
        assert!(error.contains(&format!("no tensor {name} in")) && error.contains("model.safetensors"), "{error}");
    }
}

#[test]
fn wrong_shape_error_has_both_shapes() {
    let dir = tiny();
    edit_config(dir.path(), |config| config["intermediate_size"] = 16.into());
    let error = open_error(dir.path());
    assert!(error.contains("gate_proj") && error.contains("[12, 8]") && error.contains("[16, 8]"), "{error}");
}

#[test]
fn rejects_tokenizer_with_more_tokens_than_rows() {
    let dir = tiny();
    edit_config(dir.path(), |config| config["vocab_size"] = 512.into());
    edit_tensors(dir.path(), |all| {
        for name in ["model.embed_tokens.weight", "lm_head.weight"] {
            let rows = all[name].narrow(0, 0, 512).unwrap().contiguous().unwrap();
            all.insert(name.to_owned(), rows);
        }
    });
    let error = open_error(dir.path());
    assert!(error.contains("tokenizer.json") && error.contains("has the id 512"), "{error}");
    assert!(error.contains("the embedding has 512 rows"), "{error}");
}

#[test]
fn rejects_too_many_layers() {
    for layers in [2_u64, 1 << 60] {
        let dir = tiny();
        edit_config(dir.path(), |config| config["num_hidden_layers"] = layers.into());
        assert!(open_error(dir.path()).contains("model.layers.1.input_layernorm.weight"));
    }
}

#[test]
fn rejects_biases_and_integer_weights() {
    let dir = tiny();
    let bias = "model.layers.0.self_attn.q_proj.bias";
    edit_tensors(dir.path(), |all| {
        all.insert(bias.to_owned(), Tensor::zeros(8, DType::F32, &Device::Cpu).unwrap());
    });
    assert!(open_error(dir.path()).contains(bias));

    let dir = tiny();
    edit_tensors(dir.path(), |all| {
        all.insert("lm_head.weight".to_owned(), Tensor::zeros((1024, 8), DType::U8, &Device::Cpu).unwrap());
    });
    let error = open_error(dir.path());
    assert!(error.contains("U8") && error.contains("BF16"), "{error}");
}

#[test]
fn ignores_unused_tensors() {
    let dir = tiny();
    edit_tensors(dir.path(), |all| {
        let extra = Tensor::zeros(3, DType::I64, &Device::Cpu).unwrap();
        all.insert("model.layers.0.self_attn.rotary_emb.inv_freq".to_owned(), extra);
    });
    open(dir.path());
}

#[test]
fn rejects_other_architecture() {
    let dir = tiny();
    edit_config(dir.path(), |config| {
        config["model_type"] = "qwen2".into();
        config["architectures"] = serde_json::json!(["Qwen2ForCausalLM"]);
    });
    let error = open_error(dir.path());
    assert!(error.contains("qwen2") && error.contains("only Llama"), "{error}");
}

/// Truncates each file at many places and changes each byte of the weights' header.
#[test]
fn damaged_files_do_not_panic() {
    let dir = tiny();
    for file in ["config.json", "tokenizer.json", "model.safetensors"] {
        let path = dir.path().join(file);
        let good = fs::read(&path).unwrap();
        for part in 0..24 {
            fs::write(&path, &good[..good.len() * part / 24]).unwrap();
            assert!(Model::open(dir.path(), on_cpu(Dtype::Auto)).is_err(), "{file} cut at {part}/24");
        }
        fs::write(&path, &good).unwrap();
    }
    let path = dir.path().join("model.safetensors");
    let good = fs::read(&path).unwrap();
    let header = 8 + u64::from_le_bytes(good[..8].try_into().unwrap()) as usize;
    let mut refused = 0;
    for at in 0..header {
        for value in [b'9', b'"', 0xff] {
            let mut bad = good.clone();
            bad[at] = value;
            fs::write(&path, &bad).unwrap();
            refused += u32::from(Model::open(dir.path(), on_cpu(Dtype::Auto)).is_err());
        }
    }
    assert!(refused > 2 * header as u32, "{refused} of {}", 3 * header);
}

#[test]
fn rejects_absurd_config_numbers() {
    for (key, value) in [
        ("hidden_size", u64::MAX),
        ("vocab_size", 1 << 62),
        ("intermediate_size", 1 << 63),
        ("num_attention_heads", 7),
        ("num_attention_heads", 8),
        ("num_key_value_heads", 1 << 40),
        ("max_position_embeddings", 0),
    ] {
        let dir = tiny();
        edit_config(dir.path(), |config| config[key] = value.into());
        assert!(Model::open(dir.path(), on_cpu(Dtype::Auto)).is_err(), "{key} = {value}");
    }
}

//! Reads a Hugging Face `config.json` and checks whether candle's Llama supports the model.
//!
//! Settings that candle would ignore silently are errors, because another model would be measured.

use std::fs;
use std::path::Path;

use candle_transformers::models::llama::{self, Llama3RopeConfig, Llama3RopeType, LlamaEosToks};
use serde::Deserialize;

use super::layout::Shape;
use super::{Dtype, Error};

/// Maximum context, in tokens. Longer contexts are limited to this, because the rotary tables of ten million positions
/// would take gigabytes.
pub(super) const MAX_CONTEXT: usize = 131_072;

/// A checked configuration.
#[derive(Debug, Clone)]
pub(super) struct ModelConfig {
    pub llama: llama::Config,
    pub shape: Shape,
    /// The dtype in `config.json`; `None` if it has none or one that is not supported.
    pub dtype: Option<Dtype>,
    pub eos: Vec<u32>,
    pub bos: Option<u32>,
}

/// The used fields of Hugging Face's `config.json`. Newer files have `dtype` instead of `torch_dtype`, and all settings
/// of the rotary embedding in `rope_parameters`.
#[derive(Deserialize)]
struct Raw {
    hidden_size: usize,
    intermediate_size: usize,
    vocab_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    num_key_value_heads: Option<usize>,
    head_dim: Option<usize>,
    hidden_act: Option<String>,
    rms_norm_eps: Option<f64>,
    max_position_embeddings: Option<usize>,
    rope_theta: Option<f32>,
    rope_scaling: Option<RawRope>,
    rope_parameters: Option<RawRope>,
    bos_token_id: Option<u32>,
    eos_token_id: Option<LlamaEosToks>,
    tie_word_embeddings: Option<bool>,
    torch_dtype: Option<String>,
    dtype: Option<String>,
    attention_bias: Option<bool>,
    mlp_bias: Option<bool>,
    quantization_config: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct RawRope {
    #[serde(alias = "type")]
    rope_type: Option<String>,
    rope_theta: Option<f32>,
    factor: Option<f32>,
    low_freq_factor: Option<f32>,
    high_freq_factor: Option<f32>,
    original_max_position_embeddings: Option<usize>,
}

/// Reads and checks the config at `path`.
pub(super) fn read(path: &Path) -> Result<ModelConfig, Error> {
    let text = fs::read_to_string(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
    parse(&text).map_err(|reason| Error::Config { path: path.to_owned(), reason })
}

fn parse(text: &str) -> Result<ModelConfig, String> {
    // The family is checked first: the config of another family lacks some fields, and the error would be about those.
    let value: serde_json::Value = serde_json::from_str(text).map_err(|error| format!("not JSON: {error}"))?;
    check_family(&value)?;
    let raw: Raw = serde_json::from_value(value).map_err(|error| error.to_string())?;
    let shape = shape(&raw)?;
    check_supported(&raw, &shape)?;
    let rope = raw.rope_parameters.as_ref().or(raw.rope_scaling.as_ref());
    let rope_theta = raw.rope_theta.or(rope.and_then(|rope| rope.rope_theta)).unwrap_or(10_000.0);
    let context = raw.max_position_embeddings.unwrap_or(2048);
    if context == 0 {
        return Err("max_position_embeddings is 0".to_owned());
    }
    let dtype = raw.torch_dtype.as_deref().or(raw.dtype.as_deref()).and_then(|name| name.parse().ok());
    let llama = llama::Config {
        hidden_size: shape.hidden,
        intermediate_size: shape.intermediate,
        vocab_size: shape.vocab,
        num_hidden_layers: shape.layers,
        num_attention_heads: shape.heads,
        num_key_value_heads: shape.kv_heads,
        use_flash_attn: false,
        rms_norm_eps: raw.rms_norm_eps.unwrap_or(1e-6),
        rope_theta,
        bos_token_id: raw.bos_token_id,
        eos_token_id: raw.eos_token_id.clone(),
        rope_scaling: rope.map(rope_scaling).transpose()?.flatten(),
        max_position_embeddings: context.min(MAX_CONTEXT),
        tie_word_embeddings: shape.tied,
    };
    let eos = match raw.eos_token_id {
        None => Vec::new(),
        Some(LlamaEosToks::Single(id)) => vec![id],
        Some(LlamaEosToks::Multiple(ids)) => ids,
    };
    Ok(ModelConfig { llama, shape, dtype, eos, bos: raw.bos_token_id })
}

fn check_family(value: &serde_json::Value) -> Result<(), String> {
    let model_type = value.get("model_type").and_then(serde_json::Value::as_str);
    let architecture = value.pointer("/architectures/0").and_then(serde_json::Value::as_str);
    match (model_type, architecture) {
        (Some("llama"), None | Some("LlamaForCausalLM")) | (None, Some("LlamaForCausalLM")) => Ok(()),
        (None, None) => Err("no model_type: is this a Hugging Face model folder?".to_owned()),
        (kind, architecture) => Err(format!(
            "model_type {}, architecture {}: only Llama for text generation is supported (model_type llama, \
             LlamaForCausalLM)",
            kind.unwrap_or("missing"),
            architecture.unwrap_or("missing"),
        )),
    }
}

fn shape(raw: &Raw) -> Result<Shape, String> {
    let shape = Shape {
        vocab: raw.vocab_size,
        hidden: raw.hidden_size,
        intermediate: raw.intermediate_size,
        layers: raw.num_hidden_layers,
        heads: raw.num_attention_heads,
        kv_heads: raw.num_key_value_heads.unwrap_or(raw.num_attention_heads),
        tied: raw.tie_word_embeddings.unwrap_or(false),
    };
    let dimensions = [
        ("vocab_size", shape.vocab),
        ("hidden_size", shape.hidden),
        ("intermediate_size", shape.intermediate),
        ("num_hidden_layers", shape.layers),
        ("num_attention_heads", shape.heads),
        ("num_key_value_heads", shape.kv_heads),
    ];
    if let Some((name, _)) = dimensions.iter().find(|(_, value)| *value == 0) {
        return Err(format!("{name} is 0"));
    }
    if !shape.hidden.is_multiple_of(shape.heads) || !shape.head_dim().is_multiple_of(2) {
        return Err(format!(
            "hidden_size {} must be an even multiple of num_attention_heads {}",
            shape.hidden, shape.heads
        ));
    }
    if !shape.heads.is_multiple_of(shape.kv_heads) {
        return Err(format!(
            "num_attention_heads {} is not a multiple of num_key_value_heads {}",
            shape.heads, shape.kv_heads
        ));
    }
    Ok(shape)
}

fn check_supported(raw: &Raw, shape: &Shape) -> Result<(), String> {
    if raw.quantization_config.is_some() {
        return Err("the weights are quantized, which is not supported: use the unquantized model".to_owned());
    }
    if raw.attention_bias == Some(true) || raw.mlp_bias == Some(true) {
        return Err("attention_bias and mlp_bias are not supported by candle's Llama".to_owned());
    }
    if let Some(head_dim) = raw.head_dim.filter(|&dim| dim != shape.head_dim()) {
        return Err(format!(
            "head_dim {head_dim} is not hidden_size / num_attention_heads = {}, which candle's Llama requires",
            shape.head_dim()
        ));
    }
    match raw.hidden_act.as_deref() {
        None | Some("silu" | "swish") => Ok(()),
        Some(other) => Err(format!("hidden_act {other:?}: candle's Llama supports only silu")),
    }
}

fn rope_scaling(rope: &RawRope) -> Result<Option<Llama3RopeConfig>, String> {
    let field = |name: &str, value: Option<f32>| {
        value.filter(|v| v.is_finite() && *v > 0.0).ok_or(format!("rope scaling llama3 needs {name} above 0"))
    };
    match rope.rope_type.as_deref() {
        None if rope.factor.is_none() => Ok(None),
        Some("default") => Ok(None),
        Some("llama3") => Ok(Some(Llama3RopeConfig {
            factor: field("factor", rope.factor)?,
            low_freq_factor: field("low_freq_factor", rope.low_freq_factor)?,
            high_freq_factor: field("high_freq_factor", rope.high_freq_factor)?,
            original_max_position_embeddings: rope
                .original_max_position_embeddings
                .ok_or("rope scaling llama3 needs original_max_position_embeddings")?,
            rope_type: Llama3RopeType::Llama3,
        })),
        other => Err(format!(
            "rope scaling {:?}: candle's Llama supports only default and llama3",
            other.unwrap_or("without a type")
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"model_type":"llama","architectures":["LlamaForCausalLM"],"hidden_size":64,
        "intermediate_size":128,"vocab_size":32,"num_hidden_layers":2,"num_attention_heads":4,"rms_norm_eps":1e-5,
        "max_position_embeddings":512,"eos_token_id":[2,7],"torch_dtype":"bfloat16"}"#;

    fn with(field: &str) -> Result<ModelConfig, String> {
        parse(&GOOD.replacen('{', &format!("{{{field},"), 1))
    }

    #[test]
    fn reads_hugging_face_config() {
        let config = parse(GOOD).unwrap();
        assert_eq!(config.shape.kv_heads, 4);
        assert_eq!(config.dtype, Some(Dtype::Bf16));
        assert_eq!(config.eos, [2, 7]);
        assert_eq!(config.llama.max_position_embeddings, 512);
        assert_eq!(config.llama.rope_theta, 10_000.0);
    }

    #[test]
    fn reads_both_spellings_of_rope() {
        let llama3 = r#"{"rope_type":"llama3","factor":8.0,"low_freq_factor":1.0,"high_freq_factor":4.0,
            "original_max_position_embeddings":8192,"rope_theta":500000.0}"#;
        for key in ["rope_scaling", "rope_parameters"] {
            let config = with(&format!("\"{key}\":{llama3}")).unwrap();
            assert_eq!(config.llama.rope_theta, 500_000.0);
            assert_eq!(config.llama.rope_scaling.unwrap().factor, 8.0);
        }
        assert!(with(r#""rope_scaling":null"#).unwrap().llama.rope_scaling.is_none());
        let unscaled = with(r#""rope_parameters":{"rope_type":"default","rope_theta":5e5}"#).unwrap();
        assert!(unscaled.llama.rope_scaling.is_none());
        assert_eq!(unscaled.llama.rope_theta, 5e5);
    }

    #[test]
    fn rejects_settings_that_candle_ignores() {
        for (field, word) in [
            (r#""rope_scaling":{"type":"linear","factor":2.0}"#, "linear"),
            (r#""rope_scaling":{"factor":2.0}"#, "without a type"),
            (r#""rope_scaling":{"rope_type":"llama3","factor":2.0}"#, "low_freq_factor"),
            (r#""attention_bias":true"#, "attention_bias"),
            (r#""head_dim":32"#, "head_dim 32"),
            (r#""hidden_act":"gelu""#, "gelu"),
            (r#""quantization_config":{"bits":4}"#, "quantized"),
            (r#""num_key_value_heads":3"#, "num_key_value_heads 3"),
            (r#""num_key_value_heads":0"#, "num_key_value_heads is 0"),
        ] {
            let error = with(field).unwrap_err();
            assert!(error.contains(word), "{field}: {error}");
        }
    }

    #[test]
    fn names_wrong_family_and_missing_field() {
        let bert = parse(r#"{"model_type":"bert","architectures":["BertModel"]}"#).unwrap_err();
        assert!(bert.contains("bert") && bert.contains("BertModel") && bert.contains("llama"), "{bert}");
        let classifier = parse(&GOOD.replace("ForCausalLM", "ForSequenceClassification")).unwrap_err();
        assert!(classifier.contains("LlamaForSequenceClassification"), "{classifier}");
        let missing = parse(&GOOD.replace("vocab_size", "words")).unwrap_err();
        assert!(missing.contains("vocab_size"), "{missing}");
        assert!(parse("{").unwrap_err().contains("not JSON"));
        assert!(parse("[]").unwrap_err().contains("model_type"));
    }

    #[test]
    fn limits_context() {
        let long = GOOD.replace("512,", "10485760,");
        assert_eq!(parse(&long).unwrap().llama.max_position_embeddings, MAX_CONTEXT);
    }
}

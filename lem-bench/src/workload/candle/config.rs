//! Reads a Hugging Face `config.json` and checks whether candle's Llama supports the model.
//!
//! Settings that candle would ignore silently are errors, because another model would be measured.

use std::fs;
use std::path::Path;

use candle_transformers::models::llama::{self, Llama3RopeConfig, Llama3RopeType, LlamaEosToks};

use super::json::{self, Keys};
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
    /// The dtype in `config.json`; `None` without one, or if it is not supported.
    pub dtype: Option<Dtype>,
    pub eos: Vec<u32>,
    pub bos: Option<u32>,
}

/// Reads and checks the config at `path`.
pub(super) fn read(path: &Path) -> Result<ModelConfig, Error> {
    let text = fs::read_to_string(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
    parse(&text).map_err(|reason| Error::Config { path: path.to_owned(), reason })
}

/// Parses the used keys of Hugging Face's `config.json`. Newer files have `dtype` instead of `torch_dtype`, and all settings
/// of the rotary embedding in `rope_parameters`.
fn parse(text: &str) -> Result<ModelConfig, String> {
    // The family is checked first: the config of another family lacks some keys, and the error would be about those.
    let value = json::parse(text)?;
    check_family(&value)?;
    let keys = Keys::of(&value)?;
    let shape = shape(&keys)?;
    check_supported(&keys, &shape)?;
    let parameters = keys.object("rope_parameters", "rope_parameters.")?;
    let rope = parameters.or(keys.object("rope_scaling", "rope_scaling.")?);
    let rope_theta = match (keys.number("rope_theta")?, &rope) {
        (Some(theta), _) => Some(theta),
        (None, Some(rope)) => rope.number("rope_theta")?,
        (None, None) => None,
    };
    let context = keys.count("max_position_embeddings")?.unwrap_or(2048);
    if context == 0 {
        return Err("max_position_embeddings is 0".to_owned());
    }
    let dtype = ["torch_dtype", "dtype"].into_iter().find_map(|key| keys.text(key).ok()?);
    let (bos, eos) = (keys.ids("bos_token_id")?, keys.ids("eos_token_id")?);
    let llama = llama::Config {
        hidden_size: shape.hidden,
        intermediate_size: shape.intermediate,
        vocab_size: shape.vocab,
        num_hidden_layers: shape.layers,
        num_attention_heads: shape.heads,
        num_key_value_heads: shape.kv_heads,
        use_flash_attn: false,
        rms_norm_eps: keys.number("rms_norm_eps")?.unwrap_or(1e-6),
        rope_theta: rope_theta.unwrap_or(10_000.0) as f32,
        bos_token_id: bos.first().copied(),
        eos_token_id: (!eos.is_empty()).then(|| LlamaEosToks::Multiple(eos.clone())),
        rope_scaling: rope.as_ref().map(rope_scaling).transpose()?.flatten(),
        max_position_embeddings: context.min(MAX_CONTEXT),
        tie_word_embeddings: shape.tied,
    };
    let dtype = dtype.and_then(|name| name.parse().ok());
    Ok(ModelConfig { llama, shape, dtype, bos: bos.first().copied(), eos })
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

fn shape(keys: &Keys<'_>) -> Result<Shape, String> {
    let heads = keys.required_count("num_attention_heads")?;
    let shape = Shape {
        vocab: keys.required_count("vocab_size")?,
        hidden: keys.required_count("hidden_size")?,
        intermediate: keys.required_count("intermediate_size")?,
        layers: keys.required_count("num_hidden_layers")?,
        heads,
        kv_heads: keys.count("num_key_value_heads")?.unwrap_or(heads),
        tied: keys.flag("tie_word_embeddings")?.unwrap_or(false),
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

fn check_supported(keys: &Keys<'_>, shape: &Shape) -> Result<(), String> {
    if keys.has("quantization_config") {
        return Err("quantization_config: quantized weights are not supported; use the unquantized model".to_owned());
    }
    for key in ["attention_bias", "mlp_bias"] {
        if keys.flag(key)? == Some(true) {
            return Err(format!("{key}: candle's Llama has no biases; use another model"));
        }
    }
    if let Some(head_dim) = keys.count("head_dim")?.filter(|&dim| dim != shape.head_dim()) {
        return Err(format!(
            "head_dim {head_dim} is not hidden_size / num_attention_heads = {}, which candle's Llama requires",
            shape.head_dim()
        ));
    }
    match keys.text("hidden_act")? {
        None | Some("silu" | "swish") => Ok(()),
        Some(other) => Err(format!("hidden_act {other:?}: candle's Llama supports only silu")),
    }
}

fn rope_scaling(rope: &Keys<'_>) -> Result<Option<Llama3RopeConfig>, String> {
    let kind = match rope.text("rope_type")? {
        Some(kind) => Some(kind),
        None => rope.text("type")?,
    };
    let positive = |key: &str| match rope.number(key)?.map(|value| value as f32) {
        Some(value) if value.is_finite() && value > 0.0 => Ok(value),
        _ => Err(format!("rope scaling llama3 needs {} above 0", rope.path(key))),
    };
    match kind {
        None if !rope.has("factor") => Ok(None),
        Some("default") => Ok(None),
        Some("llama3") => Ok(Some(Llama3RopeConfig {
            factor: positive("factor")?,
            low_freq_factor: positive("low_freq_factor")?,
            high_freq_factor: positive("high_freq_factor")?,
            original_max_position_embeddings: rope.required_count("original_max_position_embeddings")?,
            rope_type: Llama3RopeType::Llama3,
        })),
        other => Err(format!(
            "{} {:?}: candle's Llama supports only default and llama3",
            rope.path("rope_type"),
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
    fn accepts_what_python_accepts() {
        let other = [
            r#""max_position_embeddings":2048.0,"bos_token_id":[1]"#,
            r#""max_position_embeddings":2048,"bos_token_id":1.0,"head_dim":16.0,"tie_word_embeddings":0"#,
            r#""max_position_embeddings":2048,"bos_token_id":[1, -1],"initializer_range":NaN,"z":[Infinity,-Infinity]"#,
            r#""max_position_embeddings":2048,"bos_token_id":1,"torch_dtype":{"":"bfloat16"},"rope_theta":10000"#,
        ];
        for fields in other {
            // The last one of two equal keys counts, as in Python.
            let text = GOOD.replace(r#""max_position_embeddings":512"#, fields);
            let config = parse(&format!("\u{feff}{text}")).unwrap_or_else(|error| panic!("{fields}: {error}"));
            assert_eq!((config.bos, config.llama.max_position_embeddings), (Some(1), 2048), "{fields}");
        }
        let none = GOOD.replace(r#""eos_token_id":[2,7]"#, r#""eos_token_id":-1,"bos_token_id":-1"#);
        let config = parse(&none).unwrap();
        assert_eq!((config.bos, config.eos), (None, Vec::new()));
    }

    #[test]
    fn errors_name_the_key() {
        for (key, value) in [
            ("vocab_size", "\"many\""),
            ("hidden_size", "64.5"),
            ("num_hidden_layers", "NaN"),
            ("num_key_value_heads", "[2]"),
            ("head_dim", "{}"),
            ("max_position_embeddings", "-2048"),
            ("rms_norm_eps", "NaN"),
            ("rope_theta", "\"10000\""),
            ("bos_token_id", "\"<s>\""),
            ("eos_token_id", "[2, \"</s>\"]"),
            ("tie_word_embeddings", "\"yes\""),
            ("attention_bias", "[]"),
            ("hidden_act", "3"),
            ("rope_scaling", "\"linear\""),
            ("rope_parameters", "[8]"),
        ] {
            // Other keys of the same name are removed first.
            let mut config: serde_json::Value = serde_json::from_str(GOOD).unwrap();
            config.as_object_mut().unwrap().remove(key);
            let text = config.to_string().replacen('{', &format!("{{\"{key}\":{value},"), 1);
            let error = parse(&text).unwrap_err();
            assert!(error.starts_with(&format!("{key} is ")), "{key}: {error}");
        }
        let nested = with(r#""rope_scaling":{"rope_type":"llama3","factor":"8"}"#).unwrap_err();
        assert!(nested.starts_with("rope_scaling.factor is"), "{nested}");
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

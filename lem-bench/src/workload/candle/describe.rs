//! Metadata of a model for a report: pairs of a key and a text, in a stable order.

use super::Model;

impl Model {
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

    /// Returns metadata for a report. The order of the keys is stable, and counts are plain integers.
    pub fn describe(&self) -> Vec<(String, String)> {
        let shape = &self.config.shape;
        [
            ("name", self.name()),
            ("path", self.path().display().to_string()),
            ("architecture", "LlamaForCausalLM on candle".to_owned()),
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
        ]
        .map(|(key, value)| (key.to_owned(), value))
        .into()
    }
}

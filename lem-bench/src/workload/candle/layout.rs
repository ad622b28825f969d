//! Names and shapes of the tensors of a Llama, as Hugging Face writes them and candle reads them.
//!
//! The generator of the embedded model and the check before loading share this list, so they cannot differ.

/// The dimensions that determine the shape of every tensor.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    pub(super) vocab: usize,
    pub(super) hidden: usize,
    pub(super) intermediate: usize,
    pub(super) layers: usize,
    pub(super) heads: usize,
    pub(super) kv_heads: usize,
    pub(super) tied: bool,
}

/// The role of a tensor, which determines the scale of its random weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Embedding,
    Norm,
    /// Reads the residual stream.
    Input,
    /// Adds to the residual stream.
    Output,
    Head,
}

/// One tensor of the model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spec {
    pub(super) name: String,
    pub(super) shape: Vec<usize>,
    pub(super) role: Role,
}

impl Spec {
    fn new(name: impl Into<String>, shape: &[usize], role: Role) -> Self {
        Self { name: name.into(), shape: shape.to_vec(), role }
    }
}

impl Shape {
    /// Returns the size of a head.
    pub(super) fn head_dim(&self) -> usize {
        self.hidden / self.heads
    }

    /// Returns all tensors. The iterator is lazy, so that a wrong, huge layer count fails at the first missing tensor
    /// and does not exhaust memory.
    pub(super) fn tensors(self) -> impl Iterator<Item = Spec> {
        let head = (!self.tied).then(|| Spec::new("lm_head.weight", &[self.vocab, self.hidden], Role::Head));
        [
            Spec::new("model.embed_tokens.weight", &[self.vocab, self.hidden], Role::Embedding),
            Spec::new("model.norm.weight", &[self.hidden], Role::Norm),
        ]
        .into_iter()
        .chain(head)
        .chain((0..self.layers).flat_map(move |layer| self.block(layer)))
    }

    fn block(&self, layer: usize) -> [Spec; 9] {
        let (hidden, intermediate, kv) = (self.hidden, self.intermediate, self.head_dim() * self.kv_heads);
        let spec =
            |name: &str, shape: &[usize], role| Spec::new(format!("model.layers.{layer}.{name}.weight"), shape, role);
        [
            spec("input_layernorm", &[hidden], Role::Norm),
            spec("self_attn.q_proj", &[hidden, hidden], Role::Input),
            spec("self_attn.k_proj", &[kv, hidden], Role::Input),
            spec("self_attn.v_proj", &[kv, hidden], Role::Input),
            spec("self_attn.o_proj", &[hidden, hidden], Role::Output),
            spec("post_attention_layernorm", &[hidden], Role::Norm),
            spec("mlp.gate_proj", &[intermediate, hidden], Role::Input),
            spec("mlp.up_proj", &[intermediate, hidden], Role::Input),
            spec("mlp.down_proj", &[hidden, intermediate], Role::Output),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_parameters_of_tinyllama() {
        // TinyLlama-1.1B: 1,100,048,384 parameters.
        let shape =
            Shape { vocab: 32000, hidden: 2048, intermediate: 5632, layers: 22, heads: 32, kv_heads: 4, tied: false };
        let parameters: usize = shape.tensors().map(|spec| spec.shape.iter().product::<usize>()).sum();
        assert_eq!(parameters, 1_100_048_384);
    }

    #[test]
    fn tied_embeddings_have_no_head() {
        let shape = Shape { vocab: 8, hidden: 4, intermediate: 4, layers: 1, heads: 2, kv_heads: 1, tied: true };
        assert!(shape.tensors().all(|spec| spec.role != Role::Head));
        assert_eq!(shape.tensors().count(), 11);
    }
}

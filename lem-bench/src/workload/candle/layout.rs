//! Names, shapes and random values of the tensors of a Llama, as Hugging Face writes them and candle reads them.
//!
//! The generator of the embedded model and the check before loading share this list, so they cannot differ.

use crate::model::fnv1a64;

/// The dimensions that determine the shape of every tensor.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    pub vocab: usize,
    pub hidden: usize,
    pub intermediate: usize,
    pub layers: usize,
    pub heads: usize,
    pub kv_heads: usize,
    pub tied: bool,
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
    pub name: String,
    pub shape: Vec<usize>,
    pub role: Role,
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

/// The generator SplitMix64 (Steele, Lea and Flood 2014).
pub(super) struct Stream(u64);

impl Stream {
    /// Returns the stream of a seed and a name. Each tensor has its own stream, so a new tensor does not change others.
    pub fn named(seed: u64, name: &str) -> Self {
        let mut mixed = Self(seed ^ fnv1a64(name.as_bytes()));
        mixed.next();
        mixed
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Returns a uniform number in `0..bound`, by multiply and shift (Lemire 2019). Without the rejection step, the
    /// bias is below `bound / 2^64`.
    pub fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.next()) * bound as u128) >> 64) as usize
    }

    /// Returns approximately normal numbers (sums of four uniform ones) with mean 0 and the given standard deviation.
    pub fn bell(&mut self, count: usize, standard_deviation: f32) -> Vec<f32> {
        // Four numbers of 16 bits: variance 4·(65536² − 1)/12, sums within ±131070, exact in f32.
        const SIGMA: f32 = 37_837.227;
        let scale = standard_deviation / SIGMA;
        (0..count)
            .map(|_| {
                let bits = self.next();
                let sum: i32 = (0..4).map(|lane| ((bits >> (16 * lane)) & 0xffff) as i32).sum();
                (sum - 131_070) as f32 * scale
            })
            .collect()
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

    #[test]
    fn matches_reference_splitmix64() {
        // The first outputs of the reference implementation for state 0.
        let mut stream = Stream(0);
        assert_eq!(stream.next(), 0xe220_a839_7b1d_cdaf);
        assert_eq!(stream.next(), 0x6e78_9e6a_a1b9_65f4);
    }

    #[test]
    fn bell_has_requested_moments() {
        let draws = Stream::named(7, "x").bell(100_000, 0.5);
        let mean = draws.iter().map(|&x| f64::from(x)).sum::<f64>() / 1e5;
        let variance = draws.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / 1e5;
        // Five standard errors.
        assert!(mean.abs() < 0.008, "{mean}");
        assert!((variance - 0.25).abs() < 0.006, "{variance}");
    }

    #[test]
    fn names_and_seeds_separate_streams() {
        let first = |seed, name| Stream::named(seed, name).next();
        assert_ne!(first(1, "a"), first(1, "b"));
        assert_ne!(first(1, "a"), first(2, "a"));
    }

    #[test]
    fn below_covers_range() {
        let mut stream = Stream::named(1, "ends");
        let mut seen = [0_u32; 3];
        for _ in 0..3000 {
            seen[stream.below(3)] += 1;
        }
        assert!(seen.iter().all(|&n| (900..1100).contains(&n)), "{seen:?}");
    }
}

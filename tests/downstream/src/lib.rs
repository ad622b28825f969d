//! What a user benches.

/// A sum that takes a moment.
pub fn sum(n: u64) -> u64 {
    (0..n).map(std::hint::black_box).sum()
}

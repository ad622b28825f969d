//! The code under measurement.

/// Adds up the numbers below `n`.
pub fn sum(n: u64) -> u64 {
    (0..n).map(std::hint::black_box).sum()
}

//! The inputs of a bench, and their seeded order.

use rand::seq::SliceRandom;
use rand::{SeedableRng, rngs::Xoshiro256PlusPlus};

/// A list of inputs: slice, array or `Vec`.
pub trait Inputs {
    /// Type of an input.
    type Input;

    /// Returns all inputs. The first is the fixed shape of the warm-up.
    fn all(&self) -> &[Self::Input];
}

impl<T> Inputs for Vec<T> {
    type Input = T;
    fn all(&self) -> &[T] {
        self
    }
}

impl<T, const N: usize> Inputs for [T; N] {
    type Input = T;
    fn all(&self) -> &[T] {
        self
    }
}

impl<T> Inputs for [T] {
    type Input = T;
    fn all(&self) -> &[T] {
        self
    }
}

impl<I: Inputs + ?Sized> Inputs for &I {
    type Input = I::Input;
    fn all(&self) -> &[I::Input] {
        (**self).all()
    }
}

/// Cycles through `n` inputs, in a new seeded order on each pass.
pub(super) struct InputOrder {
    indices: Vec<usize>,
    next: usize,
    rng: Xoshiro256PlusPlus,
}

impl InputOrder {
    pub(super) fn new(n: usize, seed: u64) -> Self {
        Self { indices: (0..n).collect(), next: n, rng: Xoshiro256PlusPlus::seed_from_u64(seed) }
    }

    /// Returns the index of the next input. Does not allocate.
    pub(super) fn next(&mut self) -> usize {
        if self.next >= self.indices.len() {
            self.indices.shuffle(&mut self.rng);
            self.next = 0;
        }
        self.next += 1;
        self.indices[self.next - 1]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shuffles_each_pass_by_seed() {
        let mut order = InputOrder::new(5, 7);
        let passes: Vec<Vec<usize>> = (0..3).map(|_| (0..5).map(|_| order.next()).collect()).collect();
        for pass in &passes {
            let mut sorted = pass.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, [0, 1, 2, 3, 4]);
        }
        assert!(passes[0] != passes[1] || passes[1] != passes[2]);
        let mut again = InputOrder::new(5, 7);
        assert_eq!(passes[0], (0..5).map(|_| again.next()).collect::<Vec<_>>());
    }
}

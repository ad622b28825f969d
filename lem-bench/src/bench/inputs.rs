//! Inputs of requests and their seeded order.

use rand::SeedableRng;
use rand::rngs::Xoshiro256PlusPlus;
use rand::seq::SliceRandom;

use super::driver::InputChoice;

/// A list of inputs: slice, array, `Vec`, or an iterator over a slice. A single `&str` is a list of one prompt.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a list of inputs",
    label = "expected a slice, an array or a `Vec`, or a single `&str`",
    note = "collect an iterator first: `prompts.map(…).collect::<Vec<_>>()`"
)]
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

impl<T> Inputs for std::slice::Iter<'_, T> {
    type Input = T;
    fn all(&self) -> &[T] {
        self.as_slice()
    }
}

impl<'a> Inputs for &'a str {
    type Input = &'a str;
    fn all(&self) -> &[&'a str] {
        std::slice::from_ref(self)
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
    pub fn new(n: usize, seed: u64) -> Self {
        Self { indices: (0..n).collect(), next: n, rng: Xoshiro256PlusPlus::seed_from_u64(seed) }
    }

    /// Returns the index of the chosen input. Does not allocate.
    pub fn choose(&mut self, choice: InputChoice) -> usize {
        if choice == InputChoice::First {
            return 0;
        }
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

    fn count<I: Inputs>(inputs: I) -> usize {
        inputs.all().len()
    }

    #[test]
    fn lists_are_inputs_and_a_prompt_is_one() {
        let prompts = vec!["a".to_owned(), "b".to_owned()];
        assert_eq!(count(&prompts), 2);
        assert_eq!(count(prompts.iter()), 2);
        assert_eq!(count(&prompts[1..]), 1);
        assert_eq!(count("one prompt"), 1);
    }

    #[test]
    fn shuffles_each_pass_by_seed() {
        let mut order = InputOrder::new(5, 7);
        let mut passes = || -> Vec<Vec<usize>> {
            (0..3).map(|_| (0..5).map(|_| order.choose(InputChoice::Next)).collect()).collect()
        };
        let passes = passes();
        for pass in &passes {
            let mut sorted = pass.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, [0, 1, 2, 3, 4]);
        }
        assert!(passes[0] != passes[1] || passes[1] != passes[2]);
        let mut again = InputOrder::new(5, 7);
        assert_eq!(passes[0], (0..5).map(|_| again.choose(InputChoice::Next)).collect::<Vec<_>>());
        assert_eq!(again.choose(InputChoice::First), 0);
    }
}

//! Inputs that are made in advance.

use std::collections::VecDeque;
use std::time::Duration;

use super::driver::{Driver, InputChoice, Run};
use crate::clock::Clock;

/// The longest time in which inputs of a cycle are created in advance, and the most of them: they take memory.
const MAX_STOCK_TIME: Duration = Duration::from_millis(250);
const MAX_STOCK: usize = 1 << 16;

/// Inputs that were made and are not used yet, and what is to be dropped.
pub(super) struct Stock<G, I, K> {
    make: G,
    pub inputs: VecDeque<I>,
    pub used: Vec<K>,
}

impl<G: FnMut() -> I, I, K> Stock<G, I, K> {
    pub fn new(make: G) -> Self {
        Self { make, inputs: VecDeque::new(), used: Vec::new() }
    }

    /// Makes the inputs of a step, and outside of windows those of the next window. Drops what was used. Returns how long it
    /// took.
    pub fn prepare(&mut self, run: Run, clock: &dyn Clock, driver: &dyn Driver) -> Duration {
        let is_outside = run.ahead > 0 || run.choice == InputChoice::First;
        let needed = run.repeat as usize;
        let wanted = needed.max((run.ahead as usize).min(MAX_STOCK));
        let must_clear = is_outside || self.used.len() >= MAX_STOCK;
        if self.inputs.len() >= needed && !must_clear {
            return Duration::ZERO;
        }
        let begin = clock.now();
        if must_clear {
            self.used.clear();
        }
        let may_make = |made: usize| made < needed || clock.now().since(begin) < MAX_STOCK_TIME;
        while self.inputs.len() < wanted && may_make(self.inputs.len()) && !driver.must_stop() {
            self.inputs.push_back((self.make)());
        }
        self.used.reserve(self.inputs.len());
        clock.now().since(begin)
    }
}

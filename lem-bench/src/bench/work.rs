//! Units of work: what an iteration says that it did.

use std::fmt::Display;

use serde::{Deserialize, Serialize};

use super::names;
use crate::model::Unit;

/// Work summed over iterations.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Prompt tokens read.
    pub input_tokens: u64,
    /// Tokens returned.
    pub output_tokens: u64,
    /// Other units, by name, in the order in which they first came.
    #[serde(deserialize_with = "names::counts")]
    pub units: Vec<(&'static str, u64)>,
}

impl Tally {
    /// Adds `n` of `unit`.
    pub fn count(&mut self, unit: &'static str, n: u64) {
        match self.units.iter_mut().find(|(name, _)| *name == unit) {
            Some((_, total)) => *total += n,
            None => self.units.push((unit, n)),
        }
    }

    /// Returns the amount of work in the unit that the energy is divided by; `requests` where nothing else was counted.
    pub fn headline_units(&self, requests: u64) -> u64 {
        match Unit::choose(self.output_tokens, self.input_tokens, self.units.iter().copied()) {
            Unit::OutputToken => self.output_tokens,
            Unit::InputToken => self.input_tokens,
            Unit::Custom(name) => self.units.iter().find(|(unit, _)| *unit == name).map_or(requests, |(_, n)| *n),
            Unit::Request | Unit::TotalToken => requests,
        }
    }

    /// Sets everything back to nothing, keeping the memory.
    pub fn clear(&mut self) {
        self.input_tokens = 0;
        self.output_tokens = 0;
        for (_, n) in &mut self.units {
            *n = 0;
        }
    }
}

/// How much work was done; the value that a closure returns.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say how much work was done",
    label = "return `()`, `Tokens {{ input, output }}`, `Count {{ unit, n }}`, or a `Result` of one of them",
    note = "implement `lem_bench::Work` for `{Self}`, or end the closure with `;` to return `()`"
)]
pub trait Work {
    /// Adds this work to `tally`.
    fn add_to(&self, tally: &mut Tally);
}

impl Work for () {
    fn add_to(&self, _tally: &mut Tally) {}
}

/// Tokens read and returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tokens {
    /// Prompt tokens read.
    pub input: u64,
    /// Tokens returned.
    pub output: u64,
}

impl Work for Tokens {
    fn add_to(&self, tally: &mut Tally) {
        tally.input_tokens += self.input;
        tally.output_tokens += self.output;
    }
}

/// Some other unit of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// Its name in the plural: `images`.
    pub unit: &'static str,
    /// How many.
    pub n: u64,
}

impl Work for Count {
    fn add_to(&self, tally: &mut Tally) {
        tally.count(self.unit, self.n);
    }
}

/// What a closure may return: work, or a `Result` of work. An `Err` is a failed request: counted, with its energy.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say how much work was done",
    label = "return `()`, `Tokens {{ input, output }}`, `Count {{ unit, n }}`, or a `Result` of one of them",
    note = "implement `lem_bench::Work` for `{Self}`, or end the closure with `;` to return `()`"
)]
pub trait IntoWork {
    /// Adds what was done to `tally`, or says what went wrong.
    ///
    /// # Errors
    /// The text of a failed request.
    fn settle(self, tally: &mut Tally) -> Result<(), String>;
}

impl<W: Work> IntoWork for W {
    fn settle(self, tally: &mut Tally) -> Result<(), String> {
        self.add_to(tally);
        Ok(())
    }
}

impl<W: Work, E: Display> IntoWork for Result<W, E> {
    fn settle(self, tally: &mut Tally) -> Result<(), String> {
        match self {
            Ok(work) => {
                work.add_to(tally);
                Ok(())
            }
            // The alternate form, because that is where error types of the anyhow kind print their chain.
            Err(error) => Err(format!("{error:#}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_adds_up_and_errors_keep_their_text() {
        let mut tally = Tally::default();
        Tokens { input: 3, output: 5 }.settle(&mut tally).unwrap();
        Ok::<_, String>(Tokens { input: 1, output: 1 }).settle(&mut tally).unwrap();
        Count { unit: "images", n: 2 }.settle(&mut tally).unwrap();
        Count { unit: "images", n: 4 }.settle(&mut tally).unwrap();
        assert_eq!((tally.input_tokens, tally.output_tokens), (4, 6));
        assert_eq!(tally.units, [("images", 6)]);
        assert_eq!(Err::<(), _>("no route").settle(&mut tally), Err("no route".to_owned()));
        tally.clear();
        assert_eq!(tally.output_tokens, 0);
    }
}

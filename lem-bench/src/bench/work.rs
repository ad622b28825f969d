//! Units of work: the amount of work that an iteration reports.

use std::fmt::Display;

use serde::{Deserialize, Serialize};

use super::values;
use crate::model::Unit;

/// Work summed over iterations.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Tally {
    /// Prompt tokens.
    pub input_tokens: u64,
    /// Generated tokens.
    pub output_tokens: u64,
    /// Successful calls of the body of `iter`; 0 for requests.
    pub iterations: u64,
    /// Other units by name, in order of first use.
    #[serde(deserialize_with = "values::intern_counts")]
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

    /// Returns the amount of work in the unit that the energy is divided by; `requests` if nothing else was counted.
    pub(crate) fn headline_units(&self, requests: u64) -> u64 {
        match Unit::choose(self.output_tokens, self.input_tokens, requests, self.units.iter().copied()) {
            Unit::OutputToken => self.output_tokens,
            Unit::InputToken => self.input_tokens,
            Unit::Custom(name) => self.units.iter().find(|(unit, _)| *unit == name).map_or(requests, |(_, n)| *n),
            Unit::Request | Unit::Iteration | Unit::TotalToken => requests,
        }
    }

    /// Resets all counts, and keeps the allocated memory.
    pub(crate) fn clear(&mut self) {
        self.input_tokens = 0;
        self.output_tokens = 0;
        self.iterations = 0;
        for (_, n) in &mut self.units {
            *n = 0;
        }
    }
}

/// An amount of work; the return value of the closure of `iter…`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an amount of work",
    label = "return `()`, `Tokens {{ input, output }}`, `Count {{ unit, n }}`, or a `Result` of one of them",
    note = "to return nothing, end the last line of the closure with `;`",
    note = "or implement `lem_bench::bench::Work` for `{Self}`"
)]
pub trait Work {
    /// Adds this work to `tally`.
    fn add_to(&self, tally: &mut Tally);
}

impl Work for () {
    fn add_to(&self, _tally: &mut Tally) {}
}

/// Prompt tokens and generated tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tokens {
    /// Prompt tokens.
    pub input: u64,
    /// Generated tokens.
    pub output: u64,
}

impl Work for Tokens {
    fn add_to(&self, tally: &mut Tally) {
        tally.input_tokens += self.input;
        tally.output_tokens += self.output;
    }
}

/// A custom unit of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// Name in the plural, such as `images`.
    pub unit: &'static str,
    /// Amount.
    pub n: u64,
}

impl Work for Count {
    fn add_to(&self, tally: &mut Tally) {
        tally.count(self.unit, self.n);
    }
}

/// A return value of the closure of `iter…`: work, or a `Result` of work.
///
/// An `Err` is a failed request. Its energy counts, its work does not.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an amount of work",
    label = "return `()`, `Tokens {{ input, output }}`, `Count {{ unit, n }}`, or a `Result` of one of them",
    note = "to return nothing, end the last line of the closure with `;`",
    note = "or implement `lem_bench::bench::Work` for `{Self}`"
)]
pub trait IntoWork {
    /// Adds the work to `tally`.
    ///
    /// # Errors
    /// Returns the error text of a failed request.
    fn record(self, tally: &mut Tally) -> Result<(), String>;
}

impl<W: Work> IntoWork for W {
    fn record(self, tally: &mut Tally) -> Result<(), String> {
        self.add_to(tally);
        Ok(())
    }
}

impl<W: Work, E: Display> IntoWork for Result<W, E> {
    fn record(self, tally: &mut Tally) -> Result<(), String> {
        match self {
            Ok(work) => {
                work.add_to(tally);
                Ok(())
            }
            // The alternate format prints the chain of `anyhow::Error` and similar types.
            Err(error) => Err(format!("{error:#}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_work_and_keeps_error_text() {
        let mut tally = Tally::default();
        Tokens { input: 3, output: 5 }.record(&mut tally).unwrap();
        Ok::<_, String>(Tokens { input: 1, output: 1 }).record(&mut tally).unwrap();
        Count { unit: "images", n: 2 }.record(&mut tally).unwrap();
        Count { unit: "images", n: 4 }.record(&mut tally).unwrap();
        assert_eq!((tally.input_tokens, tally.output_tokens), (4, 6));
        assert_eq!(tally.units, [("images", 6)]);
        assert_eq!(Err::<(), _>("no route").record(&mut tally), Err("no route".to_owned()));
        tally.clear();
        assert_eq!(tally.output_tokens, 0);
    }
}

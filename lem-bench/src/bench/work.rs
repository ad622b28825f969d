//! Units of work: the amount of work that an iteration reports.

use std::any::type_name;
use std::fmt::Display;
use std::hash::{Hash, Hasher};
use std::hint::black_box;

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

/// An amount of work: `()`, [`Tokens`] or [`Count`]. `()` is one iteration or request and no other work.
pub trait Work: sealed::Sealed {
    /// Adds this work to `tally`.
    fn add_to(&self, tally: &mut Tally);
}

mod sealed {
    pub trait Sealed {}
}

impl sealed::Sealed for () {}

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

// SAFETY: the type has no lifetime parameter.
unsafe impl castaway::LifetimeFree for Tokens {}

impl sealed::Sealed for Tokens {}

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

// SAFETY: the type has no lifetime parameter.
unsafe impl castaway::LifetimeFree for Count {}

impl sealed::Sealed for Count {}

impl Work for Count {
    fn add_to(&self, tally: &mut Tally) {
        tally.count(self.unit, self.n);
    }
}

/// The return value of a request: work, or a `Result` of work.
///
/// An `Err` is a failed request. Its energy counts, its work does not.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an amount of work",
    label = "return `()`, `Tokens {{ input, output }}`, `Count {{ unit, n }}`, or a `Result` of one of them",
    note = "to ignore the value, write the closure with braces and end its last line with `;`"
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

/// How the return values of a closure of `iter` are recorded. Rust has no specialization, so that a generic function cannot
/// treat each `Result` as one; it can only find out that the type is a `Result`, and whether a value is `Err`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ReturnKind {
    /// Work, or a value that means nothing.
    Value,
    /// A `Result` of a value: `Err` is a failed iteration.
    Fallible,
    /// A `Result` of work, which only `try_iter` can record.
    FallibleWork,
}

impl ReturnKind {
    /// Returns the kind of a type.
    pub fn of<O>() -> Self {
        let Some(ok) = type_name::<O>().strip_prefix("core::result::Result<") else { return Self::Value };
        let is_work = [type_name::<Tokens>(), type_name::<Count>()]
            .iter()
            .any(|work| ok.strip_prefix(work).is_some_and(|rest| rest.starts_with(',')));
        if is_work { Self::FallibleWork } else { Self::Fallible }
    }

    /// Records a value of this kind, and hides it from the optimizer.
    pub fn record<O>(self, value: &O, tally: &mut Tally) -> Result<(), String> {
        black_box(value);
        if self != Self::Value && variant(value) == variant(&Err::<(), ()>(())) {
            return Err("the closure of `iter` returned `Err`: use `try_iter` to see the error, or `.ok()` if it is a result like any other"
                .to_owned());
        }
        if let Ok(tokens) = castaway::cast!(value, &Tokens) {
            tokens.add_to(tally);
        } else if let Ok(count) = castaway::cast!(value, &Count) {
            count.add_to(tally);
        }
        Ok(())
    }
}

/// Returns the number of a value's enum variant, which its discriminant shows to a hasher only.
fn variant<T>(value: &T) -> u64 {
    struct Identity(u64);
    impl Hasher for Identity {
        fn write(&mut self, bytes: &[u8]) {
            self.0 = bytes.iter().fold(self.0, |number, byte| number << 8 | u64::from(*byte));
        }
        fn finish(&self) -> u64 {
            self.0
        }
    }
    let mut hasher = Identity(0);
    std::mem::discriminant(value).hash(&mut hasher);
    hasher.finish()
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

    fn recorded<O>(value: O) -> (Result<(), String>, u64) {
        let mut tally = Tally::default();
        let result = ReturnKind::of::<O>().record(&value, &mut tally);
        (result, tally.output_tokens + tally.units.iter().map(|(_, n)| n).sum::<u64>())
    }

    #[test]
    fn any_value_is_an_iteration_and_work_is_counted() {
        let text = String::from("borrowed");
        assert_eq!(recorded(7_u8), (Ok(()), 0));
        assert_eq!(recorded(text.as_str()), (Ok(()), 0));
        assert_eq!(recorded(Some(vec![1.0])), (Ok(()), 0));
        assert_eq!(recorded(Tokens { input: 1, output: 5 }), (Ok(()), 5));
        assert_eq!(recorded(Count { unit: "images", n: 4 }), (Ok(()), 4));
    }

    #[test]
    fn err_is_a_failed_iteration_whatever_the_types_are() {
        assert_eq!(recorded(Ok::<_, std::fmt::Error>("text")).0, Ok(()));
        assert!(recorded(Err::<&str, _>(std::fmt::Error)).0.is_err());
        // Types whose `Err` is stored in a niche.
        assert!(recorded(Err::<Box<u8>, _>(())).0.is_err());
        assert_eq!(recorded(Ok::<_, ()>(Box::new(1))).0, Ok(()));
        assert!(recorded(Err::<(), _>(std::num::NonZeroU8::MIN)).0.is_err());
    }

    #[test]
    fn results_of_work_need_try_iter() {
        assert_eq!(ReturnKind::of::<Result<Tokens, String>>(), ReturnKind::FallibleWork);
        assert_eq!(ReturnKind::of::<Result<Count, ()>>(), ReturnKind::FallibleWork);
        assert_eq!(ReturnKind::of::<Result<(), String>>(), ReturnKind::Fallible);
        assert_eq!(ReturnKind::of::<Result<Vec<Tokens>, String>>(), ReturnKind::Fallible);
        assert_eq!(ReturnKind::of::<Option<u8>>(), ReturnKind::Value);
    }
}

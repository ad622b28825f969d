//! The interface between a body and the runner: the body asks for the next step, runs it, and reports the result. Also
//! the values that bodies share.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::request::{Mark, PhaseMark};
use super::work::Tally;
use crate::clock::Clock;
use crate::units::Stamp;

/// The next step of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Step {
    /// Run `repeat` iterations, then report. Requests are recorded individually, so `repeat` is 1 for `iter_requests`.
    Run {
        /// Which input they get.
        choice: InputChoice,
        /// Number of iterations.
        repeat: u32,
    },
    /// Return from `iter…`.
    Stop,
}

/// Which input an iteration gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum InputChoice {
    /// The first input, which is the fixed shape of the warm-up.
    First,
    /// The next input in seeded order.
    Next,
}

/// The result of a step.
#[derive(Debug, Serialize)]
pub struct Iteration<'a> {
    /// Start of the first iteration.
    pub start: Stamp,
    /// End of the last iteration.
    pub stop: Stamp,
    /// Number of successful iterations.
    pub done: u32,
    /// Number of failed iterations.
    pub failed: u32,
    /// Error text of the last failed iteration.
    pub failure: Option<&'a str>,
    /// Work of the successful iterations.
    pub tally: &'a Tally,
    /// Output token marks, in the order in which they were recorded.
    pub marks: &'a [Mark],
    /// Phases, in the order in which they ended.
    pub phases: &'a [PhaseMark],
}

/// Runs a body: returns its next step, and takes the results.
///
/// A body calls [`Driver::next`] on its own thread between requests. The call blocks while the machine rests or another
/// body runs.
pub trait Driver {
    /// Returns the clock for timestamps of requests and tokens.
    fn clock(&self) -> Arc<dyn Clock>;

    /// Returns the seed of the input order.
    fn seed(&self) -> u64;

    /// Returns how long this body waited for other bodies. A time limit of the body excludes this.
    fn waited(&self) -> Duration {
        Duration::ZERO
    }

    /// Returns the next step. The driver calls `synchronize`, which waits for the device, before each window edge.
    fn next(&mut self, synchronize: &mut dyn FnMut()) -> Step;

    /// Takes the result of the last step.
    fn done(&mut self, iteration: Iteration<'_>);
}

type Values = HashMap<(TypeId, String), Arc<dyn Any + Send + Sync>>;

/// Values shared by the bodies of one process. Clones share the same values.
#[derive(Clone, Default)]
pub struct Fixtures {
    values: Arc<Mutex<Values>>,
}

impl Debug for Fixtures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fixtures").finish_non_exhaustive()
    }
}

impl Fixtures {
    /// Returns the value of this type and key. Calls `make` on first use, and again after an error.
    ///
    /// # Errors
    /// Returns the error of `make`.
    pub fn shared<K, T, E>(&self, key: K, make: impl FnOnce() -> Result<T, E>) -> Result<Arc<T>, E>
    where
        K: Debug,
        T: Any + Send + Sync,
    {
        let key = (TypeId::of::<T>(), format!("{key:?}"));
        let found = self.values.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        if let Some(fixture) = found.and_then(|fixture| fixture.downcast::<T>().ok()) {
            return Ok(fixture);
        }
        // Created outside the lock, so that `make` can use other fixtures. Only one body runs at a time.
        let fixture = Arc::new(make()?);
        self.values.lock().unwrap_or_else(PoisonError::into_inner).insert(key, Arc::<T>::clone(&fixture) as _);
        Ok(fixture)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn creates_once_per_type_and_key() {
        let fixtures = Fixtures::default();
        assert!(fixtures.shared("a", || Err::<u32, _>("offline")).is_err());
        let first = fixtures.shared("a", || Ok::<u32, ()>(1)).unwrap();
        let again = fixtures.shared("a", || Ok::<u32, ()>(2)).unwrap();
        assert!(Arc::ptr_eq(&first, &again));
        assert_eq!(*fixtures.shared("b", || Ok::<u32, ()>(3)).unwrap(), 3);
        assert_eq!(*fixtures.shared("a", || Ok::<u64, ()>(4)).unwrap(), 4);
    }
}

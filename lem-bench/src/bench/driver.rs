//! The interface between a body and the runner: the body asks for the next step, runs it, and reports the result. Also
//! the values that bodies share.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::marks::Mark;
use super::metrics::{self, MetricMark};
use super::request::PhaseMark;
use super::work::Tally;
use crate::clock::{Clock, count_process};
use crate::model::Fact;
use crate::units::Stamp;

/// The next step of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Step {
    /// Run iterations, then report. With concurrent requests: start those that are due, and report each that ends.
    Run(Run),
    /// Start no more requests, and report those in flight. Only where requests are in flight.
    Drain,
    /// Return from `iter…`.
    Stop,
}

/// Which iterations to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Which input they get.
    pub choice: InputChoice,
    /// The most iterations. Requests are recorded individually, so `iter_requests` runs one.
    pub repeat: u32,
    /// Whether to time each iteration.
    pub is_timed: bool,
    /// How many iterations may follow until the end of the next window; 0 inside of one. Inputs are created in advance.
    pub ahead: u32,
    /// When to ask for the next step at the latest, with concurrent requests.
    pub wake: Option<Stamp>,
    /// Whether it is the first step after a rest, so that arrivals begin again.
    pub is_start: bool,
}

impl Run {
    /// Returns a step of `repeat` iterations.
    pub const fn new(choice: InputChoice, repeat: u32) -> Self {
        Self { choice, repeat, is_timed: false, ahead: 0, wake: None, is_start: false }
    }
}

/// Which input an iteration gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum InputChoice {
    /// The first input, which is the fixed shape of the warm-up.
    First,
    /// The next input in seeded order.
    Next,
}

/// The result of a step, or of a concurrent request.
#[derive(Debug, Serialize)]
pub struct Iteration<'a> {
    /// Start of the first iteration.
    pub start: Stamp,
    /// Whether `start` is the arrival of a request at a given rate.
    pub is_arrival: bool,
    /// Number of requests that arrived at `start` and were dropped at `stop`, without a start: until the load ended, as many
    /// others were in flight as may be. Then nothing else is reported.
    pub dropped: u32,
    /// End of the last iteration.
    pub stop: Stamp,
    /// Number of successful iterations.
    pub done: u32,
    /// Number of failed iterations.
    pub failed: u32,
    /// Error text of the last failed iteration.
    pub failure: Option<&'a str>,
    /// Time of each iteration in ns, if they were timed.
    pub times_ns: &'a [u64],
    /// Time before `start` in which inputs were created or dropped.
    pub prepared: Duration,
    /// Work of the successful iterations.
    pub tally: &'a Tally,
    /// Output token marks, in the order of their times.
    pub marks: &'a [Mark],
    /// Phases, in the order in which they ended.
    pub phases: &'a [PhaseMark],
    /// Values of custom metrics.
    pub metrics: &'a [MetricMark],
}

/// A value of a gauge.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GaugeReading {
    /// Name.
    pub name: String,
    /// Unit.
    pub unit: String,
    /// Value.
    #[serde(serialize_with = "metrics::to_bits", deserialize_with = "metrics::from_bits")]
    pub value: f64,
}

/// What a driver calls at edges, outside of windows.
pub trait EdgeCalls {
    /// Waits until the device has finished all submitted work.
    fn synchronize(&mut self);

    /// Reads all gauges.
    fn read_gauges(&mut self) -> Vec<GaugeReading>;
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

    /// Counts the CPU time of a process and its descendants as that of the bench from now on. Returns whether there is such
    /// a process.
    fn count_process(&mut self, pid: u32) -> bool {
        count_process(pid)
    }

    /// Returns how long this body waited for other bodies. A time limit of the body excludes this.
    fn waited(&self) -> Duration {
        Duration::ZERO
    }

    /// Returns whether the body should report as soon as its current iteration ends.
    fn must_stop(&self) -> bool {
        false
    }

    /// Returns the next step. `edges` is what the driver calls at each edge: outside of windows, it waits for the device
    /// and reads the gauges. `in_flight` is the number of concurrent requests that have started and are not reported yet.
    fn next(&mut self, in_flight: usize, edges: &mut dyn EdgeCalls) -> Step;

    /// Takes a fact about what is measured, in the setup of the body. A later value of a name replaces the earlier one.
    fn fact(&mut self, _fact: Fact) {}

    /// Takes the result of the last step, or of a request that has ended.
    fn done(&mut self, iteration: Iteration<'_>);
}

/// A value that bodies can share: `Send + Sync + 'static`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be shared: it is not `Send + Sync + 'static`",
    note = "for a value that is `Send` and not `Sync`, use `b.shared_mut(key, …)`, which returns it behind a lock"
)]
pub trait Shareable: Any + Send + Sync {}

#[diagnostic::do_not_recommend]
impl<T: Any + Send + Sync> Shareable for T {}

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
        T: Shareable,
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

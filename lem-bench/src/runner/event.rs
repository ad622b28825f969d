//! The events of a run, and the trait of their observers.

use std::time::Duration;

use crate::model::Record;

/// An event of a run.
#[derive(Debug)]
pub enum Event<'a> {
    /// A record for the journal. It must be durable when the observer returns.
    Record(&'a Record),
    /// The current stage, for display.
    Progress(Progress<'a>),
}

/// The current stage of a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress<'a> {
    /// The bench; `None` while bare idle is measured.
    pub bench: Option<&'a str>,
    /// The stage.
    pub stage: Stage,
    /// The current or next cycle, from 0, and the number of cycles.
    pub cycle: (u32, u32),
    /// The least time that this stage takes.
    pub lasts: Duration,
    /// The planned time until the end of this bench.
    pub left: Duration,
}

/// A stage of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The body sets up.
    SetUp,
    /// Idle power before any bench has set up.
    BareIdle,
    /// Idle power with the bench set up.
    LoadedIdle,
    /// Warm-up.
    WarmUp,
    /// Rest between two cycles.
    Gap,
    /// Load before the first window of a cycle.
    RampIn,
    /// A measured window.
    Window,
}

/// Why an observer could not take an event. The run stops, because what cannot be recorded is not measured.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ObserverError(pub String);

/// Receives the events of a run, in order, from one thread at a time, never during a measured window.
pub trait Observer: Send {
    /// Takes an event. A record is durable when this returns.
    ///
    /// # Errors
    /// The event cannot be recorded.
    fn on(&mut self, event: &Event<'_>) -> Result<(), ObserverError>;
}

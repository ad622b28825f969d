//! What a run tells while it goes on, and who listens.

use std::time::Duration;

use crate::model::Record;

/// Something happened.
#[derive(Debug)]
pub enum Event<'a> {
    /// A record for the journal. It must be durable when the observer returns.
    Record(&'a Record),
    /// What is being done now, for people who watch.
    Progress(Progress<'a>),
}

/// What is being done now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress<'a> {
    /// The bench; `None` while the process' own idle is measured.
    pub bench: Option<&'a str>,
    /// What is done.
    pub stage: Stage,
    /// The cycle under way or next, from 0, and how many there are.
    pub cycle: (u32, u32),
    /// How long this stage will take at least.
    pub lasts: Duration,
    /// What is left of this bench, as planned.
    pub left: Duration,
}

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// User code prepares.
    SetUp,
    /// Idle is measured before the process sets anything up.
    BareIdle,
    /// Idle is measured with everything set up.
    LoadedIdle,
    /// Warm-up.
    WarmUp,
    /// Rest between two cycles.
    Gap,
    /// Load before a window.
    RampIn,
    /// A window.
    Window,
}

/// Why an observer could not take an event. The run stops: what can't be kept is not measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObserverError(pub String);

impl std::fmt::Display for ObserverError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ObserverError {}

/// Listens to a run. Called in order, from one thread at a time, never inside a measured window.
pub trait Observer: Send {
    /// Takes an event; a record is durable when this returns.
    ///
    /// # Errors
    /// When the event cannot be kept.
    fn on(&mut self, event: &Event<'_>) -> Result<(), ObserverError>;
}

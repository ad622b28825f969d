//! The journals of a duel: one a side, each a run of its own, and whose turn it is.
//!
//! Must not know how anything is measured.

use std::sync::{Arc, Mutex, PoisonError};

use crate::model::{IdleKind, Outcome, Record};
use crate::runner::{Event, Observer, ObserverError};
use crate::store::JournalWriter;

/// Whose turn it is.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Turn {
    /// The number of the side.
    pub(super) side: usize,
    /// Whether the bench has no other turn of this side.
    pub(super) last: bool,
}

/// The turn, as the one who sets it and those who go by it share it.
#[derive(Debug, Clone, Default)]
pub(super) struct Turns(Arc<Mutex<Turn>>);

impl Turns {
    /// From now on it is this side's turn.
    pub(super) fn set(&self, turn: Turn) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = turn;
    }

    fn now(&self) -> Turn {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes each record into the journal of the side whose turn it is, and what belongs to the session into all.
#[derive(Debug)]
pub(super) struct Journals {
    pub(super) turns: Turns,
    pub(super) sides: Vec<JournalWriter>,
}

impl Observer for Journals {
    fn on(&mut self, event: &Event<'_>) -> Result<(), ObserverError> {
        let Event::Record(record) = event else { return Ok(()) };
        let turn = self.turns.now();
        match record {
            Record::RunEnd(_) => self.all(event),
            Record::Idle(idle) if idle.kind == IdleKind::Bare => self.all(event),
            // A bench ends once, however many turns it has.
            Record::BenchEnd(end) if !turn.last && end.outcome == Outcome::Completed => Ok(()),
            _ => self.sides[turn.side].on(event),
        }
    }
}

impl Journals {
    fn all(&mut self, event: &Event<'_>) -> Result<(), ObserverError> {
        self.sides.iter_mut().try_for_each(|journal| journal.on(event))
    }
}

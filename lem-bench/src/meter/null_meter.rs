//! A meter without channels, for a process whose machine another process measures.

use super::channel::{Channel, Meter, ReadError, Value};
use crate::model::{Domain, Origin};

/// A meter without channels that has the name and origin of another process' meter.
#[derive(Debug)]
pub struct NullMeter {
    name: String,
    origin: Origin,
}

impl NullMeter {
    /// Returns a null meter with the name and origin of `meter`.
    pub fn of(meter: &dyn Meter) -> Self {
        Self { name: meter.name().to_owned(), origin: meter.origin() }
    }
}

impl Meter for NullMeter {
    fn name(&self) -> &str {
        &self.name
    }

    fn origin(&self) -> Origin {
        self.origin
    }

    fn domains(&self) -> &[Domain] {
        &[]
    }

    fn channels(&self) -> &[Channel] {
        &[]
    }

    fn read(&mut self, channel: usize) -> Result<Value, ReadError> {
        Err(ReadError::Failed(format!("the meter has no channel {channel}")))
    }
}

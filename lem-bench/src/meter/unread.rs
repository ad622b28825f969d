//! The meter of a process whose machine is measured by another one: it has nothing to read.

use super::{Channel, Meter, ReadError, Value};
use crate::model::{Domain, Origin};

/// A meter that stands for another process' meter.
#[derive(Debug)]
pub struct NullMeter {
    name: String,
    origin: Origin,
}

impl NullMeter {
    /// Stands for `meter`.
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
        Err(ReadError::Failed(format!("there is no channel {channel}")))
    }
}

//! An opened meter, with its headline domains and notes.

use std::sync::Arc;

use super::channel::Meter;
use super::composite::Part;
use super::device_monitor::DeviceMonitor;
use super::domain_selection::non_overlapping;
use super::error::OpenError;
use super::validate::validate;
use crate::model::DomainId;

/// An opened meter.
pub struct Opened {
    /// The meter; a [`Composite`](super::Composite) if several are read.
    pub meter: Box<dyn Meter>,
    /// The domains whose sum is the headline energy; none contains another.
    pub headline: Vec<DomainId>,
    /// For each channel of the meter, which meter reads it and with which origin.
    pub parts: Vec<Part>,
    /// Facts about the choice that belong into the result, one sentence each.
    pub notes: Vec<String>,
    /// Reads the processes, power limits and memory of the devices, if the meter supports it.
    pub monitor: Option<Arc<dyn DeviceMonitor>>,
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opened")
            .field("meter", &self.meter.name())
            .field("headline", &self.headline)
            .field("notes", &self.notes)
            .finish_non_exhaustive()
    }
}

impl Opened {
    pub(super) fn new(meter: Box<dyn Meter>, headline: Vec<DomainId>, notes: Vec<String>) -> Self {
        let parts = vec![Part::of(meter.as_ref()); meter.channels().len()];
        Self { meter, headline, parts, notes, monitor: None }
    }

    /// Validates a custom meter. The headline is those of its domains that no other domain contains.
    ///
    /// # Errors
    /// [`OpenError::SameDomain`] if it lists a domain twice; [`OpenError::Failed`] if a channel or a parent refers to a
    /// domain that it does not list, or a headline domain has neither an energy counter nor a power gauge.
    pub fn custom(meter: Box<dyn Meter>) -> Result<Self, OpenError> {
        validate(meter.as_ref())?;
        let headline = non_overlapping(meter.domains());
        Ok(Self::new(meter, headline, Vec::new()))
    }
}

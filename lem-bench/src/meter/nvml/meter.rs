//! NVIDIA GPUs as a meter: for each an energy counter where it has one, a power gauge, and what explains them.
//!
//! Must not know schedules or windows.

use std::sync::Arc;

use super::cards::{self, Gpu};
use super::facts;
use super::library::{self, read_error};
use super::sensors::Sensor;
use super::watch::Watch;
use crate::meter::{Channel, DeviceMonitor, Meter, NvmlOptions, OpenError, ReadError, Value};
use crate::model::{Domain, DomainKind, Origin};

/// The NVIDIA GPUs that this process may use, as domains `gpu:N` (N is NVML's index, by PCI address).
///
/// Energy is in mJ since the driver loaded (Volta and later), power in W. A read is one call into the driver; the
/// handles live as long as the process, so that no read looks a device up again.
#[derive(Debug)]
pub struct Nvml {
    library: &'static nvml_wrapper::Nvml,
    cards: Arc<[Gpu]>,
    domains: Vec<Domain>,
    channels: Vec<Channel>,
    /// For each channel its card and its sensor.
    places: Vec<(usize, Sensor)>,
    notes: Vec<String>,
}

impl Nvml {
    /// Opens the driver's library and the visible GPUs.
    ///
    /// # Errors
    /// [`OpenError::NoLibrary`] or [`OpenError::NoDriver`] without a working driver, [`OpenError::NoDevice`] when no
    /// GPU is there or visible, [`OpenError::Setting`] when `CUDA_VISIBLE_DEVICES` names what isn't there,
    /// [`OpenError::Denied`] and [`OpenError::Failed`] when the driver refuses.
    pub fn open(options: &NvmlOptions) -> Result<Self, OpenError> {
        let library = library::open(options.lib_path.as_deref())?;
        let opened = cards::open(library, options)?;
        let domain =
            |card: &Gpu| Domain { id: card.id.clone(), kind: DomainKind::Gpu, parent: None, label: card.name.clone() };
        let mut meter = Self {
            library,
            domains: opened.cards.iter().map(domain).collect(),
            channels: Vec::new(),
            places: Vec::new(),
            notes: opened.notes,
            cards: opened.cards.into(),
        };
        for (index, card) in meter.cards.iter().enumerate() {
            for sensor in Sensor::of(card) {
                meter.channels.push(sensor.channel(card));
                meter.places.push((index, sensor));
            }
        }
        Ok(meter)
    }

    /// What a reader of the result should know about the choice of GPUs: cards that were left out, cards divided into
    /// MIG instances, indices that CUDA may count otherwise.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// A look at the same GPUs that may be used while this meter is read elsewhere: processes and power limits.
    pub fn watch(&self) -> Arc<dyn DeviceMonitor> {
        Arc::new(Watch { cards: Arc::clone(&self.cards) })
    }
}

impl Meter for Nvml {
    fn name(&self) -> &'static str {
        "nvml"
    }

    fn origin(&self) -> Origin {
        Origin::Measured
    }

    fn domains(&self) -> &[Domain] {
        &self.domains
    }

    fn channels(&self) -> &[Channel] {
        &self.channels
    }

    fn read(&mut self, channel: usize) -> Result<Value, ReadError> {
        let (card, sensor) = self.places[channel];
        sensor.read(&self.cards[card].device).map_err(|error| read_error(&error))
    }

    fn facts(&self) -> Vec<(String, String)> {
        let mut all = facts::of_driver(self.library);
        for (index, card) in self.cards.iter().enumerate() {
            let sensors = self.places.iter().filter(|(place, _)| *place == index).map(|(_, sensor)| *sensor);
            all.extend(facts::of_card(card, &sensors.collect::<Vec<_>>()));
        }
        all
    }
}

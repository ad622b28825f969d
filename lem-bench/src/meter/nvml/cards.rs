//! Opens the GPUs that this process may use.
//!
//! Must not know what is read from them.

use nvml_wrapper::error::NvmlError;
use nvml_wrapper::{Device, Nvml};

use super::visible::{self, ListedGpu};
use crate::meter::{NvmlOptions, OpenError};
use crate::model::DomainId;

/// An opened GPU.
#[derive(Debug)]
pub(super) struct Gpu {
    /// `gpu:N`, N being NVML's index.
    pub(super) id: DomainId,
    pub(super) uuid: String,
    pub(super) name: String,
    pub(super) device: Device<'static>,
    /// The MIG instances by which the process was given this card; empty when it has the whole of it.
    pub(super) instances: Vec<String>,
    /// Whether the card is divided into MIG instances.
    pub(super) divided: bool,
}

/// The opened GPUs, and what a reader of the result should know about their choice.
#[derive(Debug)]
pub(super) struct Gpus {
    pub(super) cards: Vec<Gpu>,
    pub(super) notes: Vec<String>,
}

/// Opens the GPUs that `options` make visible.
///
/// # Errors
/// [`OpenError::NoDevice`] when there is none or none is visible, [`OpenError::Setting`] when `CUDA_VISIBLE_DEVICES`
/// names what isn't there, [`OpenError::Failed`] when the driver refuses.
pub(super) fn open(nvml: &'static Nvml, options: &NvmlOptions) -> Result<Gpus, OpenError> {
    let failed = |error: NvmlError| OpenError::Failed { why: format!("NVML: {error}") };
    let count = nvml.device_count().map_err(failed)?;
    let (mut listed, mut devices, mut notes) = (Vec::new(), Vec::new(), Vec::new());
    for index in 0..count {
        match list(nvml, index) {
            Ok((card, device)) => {
                listed.push(card);
                devices.push(Some(device));
            }
            Err(error) => notes.push(format!("GPU {index} can't be opened and is left out: {error}")),
        }
    }
    let setting = |why| OpenError::Setting { name: "CUDA_VISIBLE_DEVICES".to_owned(), why };
    let chosen =
        visible::choose(options.visible.as_deref(), options.device_order.as_deref(), &listed).map_err(setting)?;
    notes.extend(chosen.note);
    if chosen.cards.is_empty() {
        let why = match (&options.visible, listed.len()) {
            (_, 0) => format!("the NVIDIA driver lists no usable GPU {}", notes.join("; ")).trim_end().to_owned(),
            (visible, n) => {
                format!("CUDA_VISIBLE_DEVICES={} hides all {n} GPUs", visible.as_deref().unwrap_or_default())
            }
        };
        return Err(OpenError::NoDevice { why });
    }
    let cards = chosen.cards.into_iter().filter_map(|(at, instances)| {
        let ListedGpu { index, uuid, name, .. } = listed[at].clone();
        let id = DomainId::new(format!("gpu:{index}"));
        let device = devices[at].take()?;
        let divided = is_divided(&device);
        Some(Gpu { id, uuid, name, device, instances, divided })
    });
    let cards: Vec<_> = cards.collect();
    for card in cards.iter().filter(|card| card.divided) {
        notes.push(format!("{} is divided into MIG instances: its energy is the whole card's", card.id));
    }
    Ok(Gpus { cards, notes })
}

fn list(nvml: &'static Nvml, index: u32) -> Result<(ListedGpu, Device<'static>), NvmlError> {
    let device = nvml.device_by_index(index)?;
    let uuid = device.uuid()?;
    let name = device.name()?;
    Ok((ListedGpu { index, uuid, name, instances: instances(&device) }, device))
}

/// Whether MIG is on.
fn is_divided(device: &Device<'static>) -> bool {
    device.mig_mode().is_ok_and(|mode| mode.current == 1)
}

/// The UUIDs of the MIG instances on a card; empty where MIG is off or unknown.
fn instances(device: &Device<'static>) -> Vec<String> {
    let most = if is_divided(device) { device.mig_device_count().unwrap_or(0) } else { 0 };
    (0..most).filter_map(|index| device.mig_device_by_index(index).ok()?.uuid().ok()).collect()
}

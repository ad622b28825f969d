//! Opens NVML as a built-in meter, for `auto` together with RAPL.

use crate::meter::open::failure_note;
use crate::meter::{Composite, MeterKind, OpenError, OpenOptions, Opened, rapl};
use crate::model::Origin;

/// NVIDIA GPUs.
pub(in crate::meter) const KIND: MeterKind =
    MeterKind { name: "nvml", help: "NVIDIA GPUs", origin: Origin::Measured, open, open_for_auto: open_with_cpu };

#[cfg(feature = "nvml")]
fn open(options: &OpenOptions) -> Result<Opened, OpenError> {
    use crate::meter::{Meter, non_overlapping};

    let meter = super::Nvml::open(&options.nvml)?;
    let (notes, unmeasured, monitor) = (meter.notes().to_vec(), meter.unmeasured().to_vec(), Some(meter.monitor()));
    let headline = non_overlapping(meter.domains());
    Ok(Opened { unmeasured, monitor, ..Opened::new(Box::new(meter), headline, notes) })
}

#[cfg(not(feature = "nvml"))]
fn open(_: &OpenOptions) -> Result<Opened, OpenError> {
    Err(OpenError::NotBuilt { feature: "nvml".to_owned() })
}

/// Opens the GPUs, with the CPU's counters as additional domains if they are readable.
fn open_with_cpu(options: &OpenOptions) -> Result<Opened, OpenError> {
    let mut gpus = open(options)?;
    match (rapl::KIND.open)(options) {
        Ok(cpu) => {
            let meter = Box::new(Composite::new(vec![gpus.meter, cpu.meter])?);
            gpus.parts.extend(cpu.parts);
            gpus.notes.extend(cpu.notes);
            Ok(Opened { meter, ..gpus })
        }
        Err(error) => {
            if matches!(error, OpenError::Denied { .. }) {
                gpus.notes.push(format!("CPU energy is not measured: {}", failure_note(rapl::KIND.name, &error)));
            }
            Ok(gpus)
        }
    }
}

//! Opens hwmon as a built-in meter.

use super::Hwmon;
use crate::meter::{Meter, MeterKind, OpenError, OpenOptions, Opened};
use crate::model::Origin;

/// Sensors of other drivers.
pub(in crate::meter) const KIND: MeterKind =
    MeterKind { name: "hwmon", help: "sensors of other drivers", origin: Origin::Measured, open, open_for_auto: open };

fn open(options: &OpenOptions) -> Result<Opened, OpenError> {
    let meter = Hwmon::open(&options.sysfs_root)?;
    let mut notes: Vec<_> = meter.skipped().iter().map(|(id, why)| format!("{id} cannot be read: {why}")).collect();
    let mut headline = meter.summable();
    if headline.is_empty() {
        headline.extend(meter.domains().first().map(|domain| domain.id.clone()));
        let all: Vec<_> = meter.domains().iter().map(|domain| domain.id.as_str()).collect();
        notes.push(format!(
            "it is unknown which of {} includes which: only the first is in the headline; select others with --domain",
            all.join(", ")
        ));
    }
    Ok(Opened::new(Box::new(meter), headline, notes))
}

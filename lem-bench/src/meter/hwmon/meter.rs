//! Reads hwmon devices: energy counters, power gauges, temperatures and clocks.

use std::io;
use std::path::Path;

use super::devices::{self, Device};
use super::rails::{self, Rail};
use super::sensors::{self, OpenedSensor, Reader, SensorError};
use crate::meter::{Channel, Meter, MeterKind, OpenError, OpenOptions, Opened, ReadError, Value, non_overlapping};
use crate::model::{Domain, DomainId, DomainKind, Origin};

/// The energy counters and power gauges of hwmon drivers.
///
/// A read is one `pread` on an open handle (two where power is volts times amperes, and a read of the status of a battery),
/// and does not allocate. A power that no device can draw is an error.
#[derive(Debug)]
pub struct Hwmon {
    domains: Vec<Domain>,
    channels: Vec<Channel>,
    readers: Vec<Reader>,
    known: Vec<DomainId>,
    addresses: Vec<(String, String)>,
    unusable: Vec<Unusable>,
}

/// A domain whose sensors cannot be used.
#[derive(Debug)]
struct Unusable {
    domain: Domain,
    /// Whether it would be measured if its sensor worked: a device or a board, and no battery that may be full.
    is_expected: bool,
    why: String,
}

impl Hwmon {
    /// Opens every device under `root` (normally `/sys`) that has an energy counter or a power gauge, and reads each power
    /// once. A battery is opened only while it discharges.
    ///
    /// # Errors
    /// [`OpenError::NoDevice`] without such a device, [`OpenError::Denied`] if the user may read none of them,
    /// [`OpenError::NoSensor`] if none has a reading that can be its power, [`OpenError::Failed`] if none can be read for
    /// another reason.
    pub fn open(root: &Path) -> Result<Self, OpenError> {
        let devices = devices::find_devices(root);
        let rails = rails::rails(&devices);
        if rails.is_empty() {
            let place = root.join("class/hwmon");
            return Err(OpenError::NoDevice { why: format!("no energy or power sensor under {}", place.display()) });
        }
        let mut opened = Self::empty();
        let mut first_error = None;
        for (index, rail) in rails {
            if let Err(error) = opened.add(&devices[index], rail) {
                first_error.get_or_insert(error);
            }
        }
        match first_error {
            Some(error) if opened.domains.is_empty() => Err(opened.open_error(error)),
            _ => {
                let usable: Vec<_> = opened.domains.iter().map(|domain| domain.id.clone()).collect();
                for domain in &mut opened.domains {
                    domain.parent = domain.parent.take().filter(|parent| usable.contains(parent));
                }
                Ok(opened)
            }
        }
    }

    fn empty() -> Self {
        Self { domains: vec![], channels: vec![], readers: vec![], known: vec![], addresses: vec![], unusable: vec![] }
    }

    /// Returns the domains that may be summed, from drivers whose containment is known: processors and GPUs if there are
    /// any, else boards, else the whole machine. Empty if there are only unknown drivers.
    pub fn summable(&self) -> Vec<DomainId> {
        let known = || self.domains.iter().filter(|domain| self.known.contains(&domain.id));
        let of_kind =
            |is: fn(DomainKind) -> bool| known().filter(|domain| is(domain.kind)).cloned().collect::<Vec<_>>();
        let (machine, boards) = (|kind| kind == DomainKind::Platform, |kind| kind == DomainKind::Board);
        let classes = [of_kind(|kind| !matches!(kind, DomainKind::Platform | DomainKind::Board)), of_kind(boards)];
        let devices = classes.into_iter().find(|domains| !domains.is_empty());
        non_overlapping(&devices.unwrap_or_else(|| of_kind(machine)))
    }

    /// Returns a note for each domain whose sensors cannot be used.
    pub fn unusable(&self) -> Vec<String> {
        self.unusable.iter().map(Unusable::note).collect()
    }

    fn add(&mut self, device: &Device, rail: Rail) -> Result<(), SensorError> {
        let (sensors, error) = sensors::energy_sensors(device, &rail);
        if sensors.is_empty() {
            let error = error.unwrap_or_else(|| SensorError::Io(device.dir.clone(), io::ErrorKind::NotFound.into()));
            let is_expected = rail.is_whole() && device.battery.is_none();
            self.unusable.push(Unusable { domain: rail.domain, is_expected, why: error.to_string() });
            return Err(error);
        }
        let id = rail.domain.id.clone();
        let first_of_device = !self.addresses.iter().any(|(_, address)| *address == device_name(device));
        self.addresses.push((format!("{id} device"), device_name(device)));
        if rail.is_known {
            self.known.push(id.clone());
        }
        self.domains.push(rail.domain);
        let gauges = if first_of_device { sensors::gauges(device) } else { Vec::new() };
        for OpenedSensor { reader, quantity, averaging } in sensors.into_iter().chain(gauges) {
            self.channels.push(Channel { averaging, ..Channel::new(id.clone(), quantity) });
            self.readers.push(reader);
        }
        Ok(())
    }

    /// Returns the error of a meter without any usable sensor, of which `error` is the first.
    fn open_error(&self, error: SensorError) -> OpenError {
        let all = self.unusable().join("; ");
        match error {
            SensorError::Io(path, error) if error.kind() == io::ErrorKind::PermissionDenied => {
                let remedy =
                    format!("`sudo chmod a+r {}` until the next boot, or a permanent udev rule", path.display());
                OpenError::Denied { path, remedy }
            }
            SensorError::Io(..) => OpenError::Failed { why: all },
            SensorError::Rejected(_) if self.unusable.iter().any(|unusable| unusable.is_expected) => {
                OpenError::NoSensor { why: all }
            }
            SensorError::Rejected(_) => OpenError::NoDevice { why: all },
        }
    }
}

impl Unusable {
    fn note(&self) -> String {
        format!("{} cannot be measured: {}", self.domain.id, self.why)
    }
}

fn device_name(device: &Device) -> String {
    format!("{} at {}", device.driver, device.address)
}

impl Meter for Hwmon {
    fn name(&self) -> &'static str {
        "hwmon"
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
        self.readers[channel].read()
    }

    fn facts(&self) -> Vec<(String, String)> {
        let unusable = self.unusable.iter().map(|it| (format!("{} unusable", it.domain.id), it.why.clone()));
        self.addresses.iter().cloned().chain(unusable).collect()
    }
}

/// Sensors of other drivers.
pub(in crate::meter) const KIND: MeterKind = MeterKind {
    name: "hwmon",
    help: "sensors of other drivers",
    origin: Origin::Measured,
    open,
    open_for_auto: open_known,
};

fn open(options: &OpenOptions) -> Result<Opened, OpenError> {
    let meter = Hwmon::open(&options.sysfs_root)?;
    let headline = meter.summable();
    let (expected, others): (Vec<_>, Vec<_>) = meter.unusable.iter().partition(|unusable| unusable.is_expected);
    let unmeasured = expected.into_iter().map(Unusable::note).collect();
    let mut notes: Vec<String> = others.into_iter().map(Unusable::note).collect();
    if headline.is_empty() {
        let ids: Vec<_> = meter.domains().iter().map(|domain| domain.id.as_str()).collect();
        notes.push(format!(
            "it is not known whether any of {} is a whole device, a board or the machine; measure one with `--meter hwmon \
             --domain ID`",
            ids.join(", ")
        ));
    }
    Ok(Opened { unmeasured, ..Opened::new(Box::new(meter), headline, notes) })
}

/// Opens the sensors of which it is known that they measure a device, a board or the machine.
fn open_known(options: &OpenOptions) -> Result<Opened, OpenError> {
    let opened = open(options)?;
    if !opened.headline.is_empty() {
        return Ok(opened);
    }
    let has_broken = !opened.unmeasured.is_empty();
    let all: Vec<String> = opened.unmeasured.into_iter().chain(opened.notes).collect();
    let why = all.join("; ");
    Err(if has_broken { OpenError::NoSensor { why } } else { OpenError::NoDevice { why } })
}

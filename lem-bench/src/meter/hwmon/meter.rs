//! Reads hwmon devices: energy counters, power gauges, temperatures and clocks.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::rails::{self, Device, Rail, RailKind};
use crate::meter::sysfs::{self, NumberFile};
use crate::meter::{
    Channel, Meter, MeterKind, OpenError, OpenOptions, Opened, Quantity, ReadError, Value, non_overlapping,
};
use crate::model::{Domain, DomainId, DomainKind, Origin};

/// The energy counters and power gauges of hwmon drivers.
///
/// A read is one `pread` on an open handle (two where power is volts times amperes), and does not allocate.
#[derive(Debug)]
pub struct Hwmon {
    domains: Vec<Domain>,
    channels: Vec<Channel>,
    readers: Vec<Reader>,
    summable: Vec<DomainId>,
    addresses: Vec<(String, String)>,
    skipped: Vec<(String, String)>,
}

/// How a channel is read.
#[derive(Debug)]
enum Reader {
    /// The number itself.
    Count(NumberFile),
    /// The number times a factor.
    Scaled(NumberFile, f64),
    /// mV × mA, as W.
    Product(NumberFile, NumberFile),
}

impl Hwmon {
    /// Opens every device under `root` (normally `/sys`) that has an energy counter or a power gauge.
    ///
    /// # Errors
    /// [`OpenError::NoDevice`] without such a device, [`OpenError::Denied`] if the user may read none of them,
    /// [`OpenError::Failed`] if none can be read for another reason.
    pub fn open(root: &Path) -> Result<Self, OpenError> {
        let devices = rails::find_devices(root);
        let rails = rails::rails(&devices);
        if rails.is_empty() {
            let place = root.join("class/hwmon");
            return Err(OpenError::NoDevice { why: format!("no energy or power sensor under {}", place.display()) });
        }
        let mut opened = Self::empty();
        let mut first_error = None;
        for (index, rail) in rails {
            if let Err((path, error)) = opened.add(&devices[index], rail) {
                first_error.get_or_insert((path, error));
            }
        }
        match first_error {
            Some((path, error)) if opened.domains.is_empty() => Err(open_error(path, &error)),
            _ => {
                let known: Vec<_> = opened.domains.iter().map(|domain| domain.id.clone()).collect();
                for domain in &mut opened.domains {
                    domain.parent = domain.parent.take().filter(|parent| known.contains(parent));
                }
                Ok(opened)
            }
        }
    }

    fn empty() -> Self {
        Self {
            domains: vec![],
            channels: vec![],
            readers: vec![],
            summable: vec![],
            addresses: vec![],
            skipped: vec![],
        }
    }

    /// Returns the domains that may be summed, from drivers whose containment is known: processors and GPUs if there are
    /// any, else boards. Empty if there are only unknown drivers.
    pub fn summable(&self) -> Vec<DomainId> {
        let summable: Vec<Domain> =
            self.domains.iter().filter(|domain| self.summable.contains(&domain.id)).cloned().collect();
        let (boards, devices): (Vec<_>, Vec<_>) = summable.into_iter().partition(|it| it.kind == DomainKind::Board);
        non_overlapping(if devices.is_empty() { &boards } else { &devices })
    }

    /// Returns the sensors that cannot be read: domain and reason.
    pub fn skipped(&self) -> &[(String, String)] {
        &self.skipped
    }

    fn add(&mut self, device: &Device, rail: Rail) -> Result<(), (PathBuf, io::Error)> {
        let id = rail.domain.id.clone();
        let (channels, error) = energy_channels(device, &rail);
        if channels.is_empty() {
            let (path, error) = error.unwrap_or_else(|| (device.dir.clone(), io::ErrorKind::NotFound.into()));
            self.skipped.push((id.to_string(), format!("{}: {error}", path.display())));
            return Err((path, error));
        }
        let first_of_device = !self.addresses.iter().any(|(_, address)| *address == device_name(device));
        self.addresses.push((format!("{id} device"), device_name(device)));
        if rail.is_summable {
            self.summable.push(id.clone());
        }
        self.domains.push(rail.domain);
        let gauges = if first_of_device { gauges(device) } else { Vec::new() };
        for (reader, quantity, averaging) in channels.into_iter().chain(gauges) {
            self.channels.push(Channel { averaging, ..Channel::new(id.clone(), quantity) });
            self.readers.push(reader);
        }
        Ok(())
    }
}

type OpenedSensor = (Reader, Quantity, Option<Duration>);

/// Opens the counter and the gauge of a rail. Returns the opened ones and the first error.
fn energy_channels(device: &Device, rail: &Rail) -> (Vec<OpenedSensor>, Option<(PathBuf, io::Error)>) {
    let (mut found, mut first_error) = (Vec::new(), None);
    let n = rail.number;
    let mut open = |path: PathBuf| match NumberFile::open(path.clone()) {
        Ok(file) => Some(file),
        Err(error) => {
            first_error.get_or_insert((path, error));
            None
        }
    };
    match rail.kind {
        RailKind::VoltsAndAmps => {
            let files = (device.file("in", n, "input"), device.file("curr", n, "input"));
            if let (Some(volts), Some(amps)) = files
                && let (Some(volts), Some(amps)) = (open(volts), open(amps))
            {
                found.push((Reader::Product(volts, amps), Quantity::Power, None));
            }
        }
        RailKind::Energy => {
            if let Some(file) = device.file("energy", n, "input").and_then(&mut open) {
                found.push((Reader::Count(file), Quantity::Energy { unit_j: 1e-6, modulus: None }, None));
            }
            // The instant value if there is one: an average over an unknown time smears the edges of a window.
            let instant = device.file("power", n, "input").and_then(&mut open);
            if let Some(file) = instant {
                found.push((Reader::Scaled(file, 1e-6), Quantity::Power, None));
            } else if let Some(file) = device.file("power", n, "average").and_then(&mut open) {
                let interval = device.file("power", n, "average_interval").and_then(|path| sysfs::number(&path));
                let averaging = interval.and_then(|ms| u64::try_from(ms).ok()).map(Duration::from_millis);
                found.push((Reader::Scaled(file, 1e-6), Quantity::Power, averaging));
            }
        }
    }
    (found, first_error)
}

/// Opens the other gauges of a device: its temperature and, for a GPU, clocks, load and memory in use. Gauges that cannot
/// be opened are left out.
fn gauges(device: &Device) -> Vec<OpenedSensor> {
    let scaled = |path: Option<PathBuf>, factor, quantity| {
        let file = NumberFile::open(path?).ok()?;
        Some((Reader::Scaled(file, factor), quantity, None))
    };
    let temperature = device.numbers("temp", "input").first().and_then(|n| device.file("temp", *n, "input"));
    let clock = |label| {
        let numbers = device.numbers("freq", "input");
        let n = numbers.into_iter().find(|n| device.label("freq", *n).as_deref() == Some(label))?;
        device.file("freq", n, "input")
    };
    let device_file = |name| Some(device.dir.join("device").join(name));
    [
        scaled(temperature, 1e-3, Quantity::Temperature),
        scaled(clock("sclk"), 1e-6, Quantity::SmClock),
        scaled(clock("mclk"), 1e-6, Quantity::MemoryClock),
        scaled(device_file("gpu_busy_percent"), 1e-2, Quantity::Utilisation),
        scaled(device_file("mem_info_vram_used"), 1.0, Quantity::MemoryUsed),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn device_name(device: &Device) -> String {
    format!("{} at {}", device.driver, device.address)
}

fn open_error(path: PathBuf, error: &io::Error) -> OpenError {
    if error.kind() == io::ErrorKind::PermissionDenied {
        let remedy = format!("`sudo chmod a+r {}` until the next boot, or a permanent udev rule", path.display());
        OpenError::Denied { path, remedy }
    } else {
        OpenError::Failed { why: format!("{}: {error}", path.display()) }
    }
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
        match &mut self.readers[channel] {
            Reader::Count(file) => file.count().map(Value::Count),
            Reader::Scaled(file, factor) => Ok(Value::Level(file.read()? as f64 * *factor)),
            Reader::Product(millivolts, milliamps) => {
                Ok(Value::Level(millivolts.read()? as f64 * milliamps.read()? as f64 * 1e-6))
            }
        }
    }

    fn facts(&self) -> Vec<(String, String)> {
        let skipped = self.skipped.iter().map(|(id, why)| (format!("{id} unreadable"), why.clone()));
        self.addresses.iter().cloned().chain(skipped).collect()
    }
}

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

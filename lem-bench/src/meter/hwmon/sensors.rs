//! Opens and reads the sensors of a rail.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::devices::Device;
use super::rails::{Rail, RailFiles};
use crate::meter::power_range::PowerRange;
use crate::meter::sysfs::{self, NumberFile};
use crate::meter::{Quantity, ReadError, Value};

/// Files with the limits of a power sensor, in µW.
const LIMITS: [&str; 4] = ["cap_max", "rated_max", "max", "crit"];

/// A limit above this, in W, is not one: drivers fill the file with the largest number.
const MAX_LIMIT_W: f64 = 100_000.0;

/// How a channel is read.
#[derive(Debug)]
pub(super) enum Reader {
    /// The number itself.
    Count(NumberFile),
    /// The number times a factor.
    Scaled(NumberFile, f64),
    /// A power in W.
    Power(PowerReader),
}

impl Reader {
    /// Reads the sensor.
    ///
    /// # Errors
    /// As [`NumberFile::read`]; [`ReadError::Failed`] for a power that no device can draw.
    pub fn read(&mut self) -> Result<Value, ReadError> {
        match self {
            Self::Count(file) => file.count().map(Value::Count),
            Self::Scaled(file, factor) => Ok(Value::Level(file.read()? as f64 * *factor)),
            Self::Power(power) => power.read().map(Value::Level),
        }
    }
}

/// A power gauge whose impossible readings are errors.
#[derive(Debug)]
pub(super) struct PowerReader {
    files: PowerFiles,
    range: PowerRange,
    /// The status of the battery that this is the power of.
    battery_status: Option<PathBuf>,
}

/// The files of a power.
#[derive(Debug)]
enum PowerFiles {
    /// µW.
    Power(NumberFile),
    /// mV and mA.
    VoltsAndAmps(NumberFile, NumberFile),
}

impl PowerReader {
    fn read(&mut self) -> Result<f64, ReadError> {
        let (watts, path) = match &mut self.files {
            PowerFiles::Power(file) => (file.read()? as f64 * 1e-6, file.path()),
            PowerFiles::VoltsAndAmps(volts, amps) => (volts.read()? as f64 * amps.read()? as f64 * 1e-6, amps.path()),
        };
        // Some drivers count the discharge of a battery as negative.
        let watts = if self.battery_status.is_some() { watts.abs() } else { watts };
        let rejected = |why| ReadError::Failed(format!("{}: {why}", path.display()));
        if let Some(status) = &self.battery_status {
            check_battery(sysfs::text(status).as_deref()).map_err(rejected)?;
        }
        self.range.check(watts).map_err(rejected)?;
        Ok(watts)
    }
}

/// Checks that a battery with this status supplies the machine.
///
/// # Errors
/// A fragment with the reason why it doesn't.
pub(super) fn check_battery(status: Option<&str>) -> Result<(), String> {
    match status {
        Some("Discharging") => Ok(()),
        Some(status) => Err(format!("the battery is not discharging ({status}), so its power is not the machine's")),
        None => Err("whether the battery is discharging is unknown, so its power may not be the machine's".to_owned()),
    }
}

/// An opened sensor.
#[derive(Debug)]
pub(super) struct OpenedSensor {
    pub reader: Reader,
    pub quantity: Quantity,
    /// The averaging time, if it is known.
    pub averaging: Option<Duration>,
}

impl OpenedSensor {
    fn new(reader: Reader, quantity: Quantity) -> Self {
        Self { reader, quantity, averaging: None }
    }
}

/// Why a sensor cannot be used.
#[derive(Debug)]
pub(super) enum SensorError {
    /// Its file cannot be read.
    Io(PathBuf, io::Error),
    /// It reads nothing that can be its rail's power.
    Rejected(String),
}

impl std::fmt::Display for SensorError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Io(path, error) => write!(f, "{}: {error}", path.display()),
            Self::Rejected(why) => f.write_str(why),
        }
    }
}

/// Opens the counter and the power gauge of a rail, and reads the gauge once. Returns the usable ones and the first error.
pub(super) fn energy_sensors(device: &Device, rail: &Rail) -> (Vec<OpenedSensor>, Option<SensorError>) {
    let (mut found, mut first_error) = (Vec::new(), None);
    let mut open = |path: PathBuf| match NumberFile::open(path.clone()) {
        Ok(file) => Some(file),
        Err(error) => {
            first_error.get_or_insert(SensorError::Io(path, error));
            None
        }
    };
    let mut power = None;
    match rail.files {
        RailFiles::VoltsAndAmps(volts, amps) => {
            let files = (device.file("in", volts, "input"), device.file("curr", amps, "input"));
            if let (Some(volts), Some(amps)) = files
                && let (Some(volts), Some(amps)) = (open(volts), open(amps))
            {
                power = Some((PowerFiles::VoltsAndAmps(volts, amps), None));
            }
        }
        RailFiles::Energy(n) => {
            if let Some(file) = device.file("energy", n, "input").and_then(&mut open) {
                let quantity = Quantity::Energy { unit_j: 1e-6, modulus: None };
                found.push(OpenedSensor::new(Reader::Count(file), quantity));
            }
            // The instant value if there is one: an average over an unknown time smears the edges of a window.
            let instant = device.file("power", n, "input").and_then(&mut open);
            if let Some(file) = instant {
                power = Some((PowerFiles::Power(file), None));
            } else if let Some(file) = device.file("power", n, "average").and_then(&mut open) {
                let interval = device.file("power", n, "average_interval").and_then(|path| sysfs::number(&path));
                let averaging = interval.and_then(|ms| u64::try_from(ms).ok()).map(Duration::from_millis);
                power = Some((PowerFiles::Power(file), averaging));
            }
        }
    }
    if let Some((files, averaging)) = power {
        let battery_status = device.battery.as_ref().map(|folder| folder.join("status"));
        let mut reader = PowerReader { files, range: power_range(device, rail), battery_status };
        match reader.read() {
            Ok(_) => {
                found.push(OpenedSensor { averaging, ..OpenedSensor::new(Reader::Power(reader), Quantity::Power) });
            }
            Err(ReadError::Failed(why) | ReadError::Lost(why)) => {
                first_error.get_or_insert(SensorError::Rejected(why));
            }
        }
    }
    (found, first_error)
}

/// Returns the possible powers of a rail. A rail inside another one may be off.
fn power_range(device: &Device, rail: &Rail) -> PowerRange {
    let limit = |what: &&str| {
        let RailFiles::Energy(n) = rail.files else { return None };
        let watts = sysfs::number(&device.file("power", n, what)?)? as f64 * 1e-6;
        (watts <= MAX_LIMIT_W).then_some(watts)
    };
    let range = PowerRange::of_device(LIMITS.iter().filter_map(limit));
    if rail.is_whole() { range } else { range.or_zero() }
}

/// Opens the other gauges of a device: its temperature and, for a GPU, clocks, load and memory in use. Gauges that cannot
/// be opened are left out.
pub(super) fn gauges(device: &Device) -> Vec<OpenedSensor> {
    let scaled = |path: Option<PathBuf>, factor, quantity| {
        let file = NumberFile::open(path?).ok()?;
        Some(OpenedSensor::new(Reader::Scaled(file, factor), quantity))
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

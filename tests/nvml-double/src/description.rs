//! The described machine: plain data, in JSON.
//!
//! Must not know time or calls. Unknown keys are errors, so that a misspelt one can't be silently without effect.

use serde::{Deserialize, Serialize};

use crate::Steps;

/// A machine with NVIDIA GPUs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Description {
    /// `nvmlSystemGetDriverVersion`.
    pub driver: String,
    /// `nvmlSystemGetNVMLVersion`.
    pub nvml: String,
    /// `nvmlSystemGetCudaDriverVersion_v2`: 13000 is 13.0.
    pub cuda: i32,
    /// When time 0 was, in ns of `CLOCK_MONOTONIC`.
    pub epoch_ns: Option<u64>,
    /// What `nvmlInit` answers instead of success.
    pub init_error: Option<ErrorCode>,
    /// The GPUs, in the order of NVML's indices.
    pub devices: Vec<Device>,
}

impl Default for Description {
    fn default() -> Self {
        Self {
            driver: "580.95.05".to_owned(),
            nvml: "13.580.95.05".to_owned(),
            cuda: 13000,
            epoch_ns: None,
            init_error: None,
            devices: vec![Device::default()],
        }
    }
}

/// A GPU. Functions of time are in seconds since the epoch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Device {
    /// The product's name.
    pub name: String,
    /// `GPU-…`.
    pub uuid: String,
    /// NVML's number: 2 Kepler, 3 Maxwell, 4 Pascal, 5 Volta, 6 Turing, 7 Ampere, 8 Ada, 9 Hopper, 10 Blackwell.
    pub architecture: u32,
    /// `00000000:01:00.0`.
    pub pci_bus_id: String,
    /// True power in watts.
    pub power_w: Steps,
    /// The energy counter.
    pub counter: Counter,
    /// The power sensor.
    pub power_sensor: PowerSensor,
    /// °C.
    pub temperature_c: Steps,
    /// MHz.
    pub sm_clock_mhz: Steps,
    /// MHz.
    pub memory_clock_mhz: Steps,
    /// MHz.
    pub max_sm_clock_mhz: u32,
    /// MHz.
    pub max_memory_clock_mhz: u32,
    /// Percent.
    pub utilisation: Steps,
    /// Bytes.
    pub memory_used_bytes: Steps,
    /// Files as long as what is used beside that: for a test whose benches take memory when they are ready to.
    pub memory_used_files: Vec<std::path::PathBuf>,
    /// Bytes.
    pub memory_total_bytes: u64,
    /// `nvmlClocksThrottleReason…` bits.
    pub throttle_bits: Steps,
    /// Processes with a compute context.
    pub processes: Vec<Process>,
    /// The limit in force, in watts.
    pub power_limit_w: f64,
    /// The maker's limit, in watts.
    pub default_power_limit_w: f64,
    /// Persistence mode.
    pub persistence: bool,
    /// ECC.
    pub ecc: bool,
    /// MIG mode; `None` for a card without it.
    pub mig: Option<Mig>,
    /// Functions (and `field:186`) that answer `NVML_ERROR_NOT_SUPPORTED`.
    pub unsupported: Vec<String>,
    /// Calls that fail.
    pub errors: Vec<Fault>,
    /// When the card falls off the bus.
    pub lost: Option<Lost>,
}

impl Default for Device {
    fn default() -> Self {
        Self {
            name: "NVIDIA H100 80GB HBM3".to_owned(),
            uuid: "GPU-00000000-0000-0000-0000-000000000000".to_owned(),
            architecture: 9,
            pci_bus_id: "00000000:01:00.0".to_owned(),
            power_w: Steps::constant(70.0),
            counter: Counter::default(),
            power_sensor: PowerSensor::default(),
            temperature_c: Steps::constant(40.0),
            sm_clock_mhz: Steps::constant(1980.0),
            memory_clock_mhz: Steps::constant(2619.0),
            max_sm_clock_mhz: 1980,
            max_memory_clock_mhz: 2619,
            utilisation: Steps::constant(0.0),
            memory_used_bytes: Steps::constant(0.0),
            memory_used_files: Vec::new(),
            memory_total_bytes: 80 << 30,
            throttle_bits: Steps::constant(0.0),
            processes: Vec::new(),
            power_limit_w: 700.0,
            default_power_limit_w: 700.0,
            persistence: true,
            ecc: true,
            mig: None,
            unsupported: Vec::new(),
            errors: Vec::new(),
            lost: None,
        }
    }
}

/// An energy counter: mJ, updated once a period.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Counter {
    /// Seconds between two updates; 0 for a counter that is always current.
    pub period_s: f64,
    /// Seconds after the epoch at which the first update falls.
    pub phase_s: f64,
    /// Joules on the counter at the epoch.
    pub start_j: f64,
    /// The counter moves in steps of this many joules.
    pub quantum_j: f64,
    /// How it goes wrong, if it does.
    pub mode: CounterMode,
}

impl Default for Counter {
    fn default() -> Self {
        Self { period_s: 0.1, phase_s: 0.0, start_j: 1e6, quantum_j: 1e-3, mode: CounterMode::Exact }
    }
}

/// How a counter behaves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CounterMode {
    /// It integrates all of the time.
    Exact,
    /// It sees the last `window_s` seconds of each period and takes them for the whole.
    PartTime {
        /// Seconds.
        window_s: f64,
    },
    /// There is none.
    None,
    /// It starts again at 0.
    ResetAt {
        /// Seconds since the epoch.
        t_s: f64,
    },
    /// It jumps back once.
    BackwardsAt {
        /// Seconds since the epoch.
        t_s: f64,
        /// By this many joules.
        joules: f64,
    },
    /// It stops.
    StuckAt {
        /// Seconds since the epoch.
        t_s: f64,
    },
    /// Between two reads that follow each other within `gap_s` it keeps only a share of the energy (as consumer cards
    /// were seen to do).
    StaleOnDenseReads {
        /// Seconds.
        gap_s: f64,
        /// 0 to 1.
        kept: f64,
    },
}

/// A power sensor: at each update the mean of true power over a window, with errors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PowerSensor {
    /// Seconds between two updates; 0 for a sensor that is always current.
    pub period_s: f64,
    /// Seconds over which the instant value averages; 0 for none.
    pub window_s: f64,
    /// Seconds by which the window lies in the past.
    pub lag_s: f64,
    /// The board's gain.
    pub gain: f64,
    /// Watts added.
    pub offset_w: f64,
    /// Whether `nvmlDeviceGetPowerUsage` is the average of the last second rather than the instant value.
    pub usage_is_average: bool,
}

impl Default for PowerSensor {
    fn default() -> Self {
        Self { period_s: 0.1, window_s: 0.025, lag_s: 0.0, gain: 1.0, offset_w: 0.0, usage_is_average: true }
    }
}

/// A process with a compute context.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Process {
    /// Its id.
    pub pid: u32,
    /// Bytes it holds; `None` where the driver doesn't tell.
    #[serde(default)]
    pub memory_bytes: Option<u64>,
    /// Seconds since the epoch at which it comes; `None`: it was there before.
    #[serde(default)]
    pub from_s: Option<f64>,
    /// Seconds since the epoch at which it goes; `None`: it stays.
    #[serde(default)]
    pub to_s: Option<f64>,
}

/// MIG mode.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mig {
    /// Whether it is on.
    pub enabled: bool,
    /// `MIG-…` of the instances.
    #[serde(default)]
    pub uuids: Vec<String>,
}

/// Calls that fail.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// The function (or `field:186`); `None` counts calls of all functions on the device together.
    #[serde(default)]
    pub function: Option<String>,
    /// The number of the first call that fails, counted from 1 since `nvmlInit`.
    pub call: u64,
    /// How many calls in a row fail.
    #[serde(default = "once")]
    pub count: u64,
    /// The answer.
    pub code: ErrorCode,
}

fn once() -> u64 {
    1
}

/// When a device is lost; whichever comes first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Lost {
    /// Seconds since the epoch.
    pub at_s: Option<f64>,
    /// Calls on the device that still succeed.
    pub after_calls: Option<u64>,
    /// While this file is there: for a test that knows better than a clock when it should be.
    pub while_file: Option<std::path::PathBuf>,
}

/// What a call answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are NVML's own")]
#[repr(u32)]
pub enum ErrorCode {
    Uninitialized = 1,
    InvalidArgument = 2,
    NotSupported = 3,
    NoPermission = 4,
    NotFound = 6,
    InsufficientSize = 7,
    DriverNotLoaded = 9,
    Timeout = 10,
    GpuIsLost = 15,
    ResetRequired = 16,
    LibRmVersionMismatch = 18,
    InUse = 19,
    NoData = 21,
    Unknown = 999,
}

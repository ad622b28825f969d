//! The described machine as JSON. Unknown keys are errors, so that a misspelt key is not ignored.

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
    /// Time 0, in ns of `CLOCK_MONOTONIC`.
    pub epoch_ns: Option<u64>,
    /// The error that `nvmlInit` returns.
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
    /// Files whose sizes are added to the used memory: for a test whose benches allocate memory at run time.
    pub memory_used_files: Vec<std::path::PathBuf>,
    /// Bytes.
    pub memory_total_bytes: u64,
    /// `nvmlClocksThrottleReason…` bits.
    pub throttle_bits: Steps,
    /// Processes with a compute context.
    pub processes: Vec<Process>,
    /// The enforced limit, in watts.
    pub power_limit_w: f64,
    /// The vendor's default limit, in watts.
    pub default_power_limit_w: f64,
    /// Persistence mode.
    pub persistence: bool,
    /// ECC.
    pub ecc: bool,
    /// MIG mode; `None` for a GPU without it.
    pub mig: Option<Mig>,
    /// Functions (and `field:186`) that return `NVML_ERROR_NOT_SUPPORTED`.
    pub unsupported: Vec<String>,
    /// Calls that fail.
    pub errors: Vec<Fault>,
    /// When the device is lost.
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

/// An energy counter in mJ, updated once per period.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Counter {
    /// Seconds between two updates; 0 for a continuous counter.
    pub period_s: f64,
    /// The first update, in seconds after the epoch.
    pub phase_s: f64,
    /// The counter's value at the epoch, in joules.
    pub start_j: f64,
    /// The step of the counter, in joules.
    pub quantum_j: f64,
    /// How the counter behaves.
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
    /// It integrates all the time.
    Exact,
    /// It sees the last `window_s` seconds of each period and extrapolates them to the period.
    PartTime {
        /// Seconds.
        window_s: f64,
    },
    /// The device has no counter.
    None,
    /// It is reset to 0.
    ResetAt {
        /// Seconds since the epoch.
        t_s: f64,
    },
    /// It goes back once.
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
    /// Between two reads that are less than `gap_s` apart, it counts only a share of the energy, as some consumer GPUs do.
    StaleOnDenseReads {
        /// Seconds.
        gap_s: f64,
        /// 0 to 1.
        kept: f64,
    },
}

/// A power sensor: the mean of the true power over a window at each update, with errors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PowerSensor {
    /// Seconds between two updates; 0 for a continuous sensor.
    pub period_s: f64,
    /// Averaging time of the instant value in seconds; 0 for none.
    pub window_s: f64,
    /// Delay of the window in seconds.
    pub lag_s: f64,
    /// Gain.
    pub gain: f64,
    /// Offset in watts.
    pub offset_w: f64,
    /// Whether `nvmlDeviceGetPowerUsage` returns the average of the last second instead of the instant value.
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
    /// The process id.
    pub pid: u32,
    /// Memory in bytes; `None` if the driver does not report it.
    #[serde(default)]
    pub memory_bytes: Option<u64>,
    /// Start in seconds since the epoch; `None` if it started before.
    #[serde(default)]
    pub from_s: Option<f64>,
    /// End in seconds since the epoch; `None` if it does not end.
    #[serde(default)]
    pub to_s: Option<f64>,
}

/// MIG mode.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mig {
    /// Whether it is enabled.
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
    /// How many consecutive calls fail.
    #[serde(default = "one_call")]
    pub count: u64,
    /// The error.
    pub code: ErrorCode,
}

fn one_call() -> u64 {
    1
}

/// When a device is lost: at the earliest of these conditions.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Lost {
    /// Seconds since the epoch.
    pub at_s: Option<f64>,
    /// After this number of calls on the device.
    pub after_calls: Option<u64>,
    /// While this file exists: for a test that controls the moment.
    pub while_file: Option<std::path::PathBuf>,
}

/// The error code of a call.
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

//! Which meter is wanted: the choice as text, and the settings that opening one needs.
//!
//! Plain data; must not open anything nor read the environment.

use std::path::PathBuf;
use std::str::FromStr;

use super::estimate::DEFAULT_WATTS_PER_CORE;
use crate::units::Watts;

/// What `--meter` chooses.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum MeterChoice {
    /// The best that there is: GPUs, else CPU counters, else other sensors, else, said aloud, the estimate.
    #[default]
    Auto,
    /// NVIDIA GPUs.
    Nvml,
    /// CPU energy counters.
    Rapl,
    /// Sensors that other drivers publish.
    Hwmon,
    /// CPU time times watts: no measurement.
    Estimate,
    /// A simulated machine, described by this file.
    Sim(PathBuf),
}

impl FromStr for MeterChoice {
    type Err = String;

    /// `auto`, `nvml`, `rapl`, `hwmon`, `estimate` or `sim:FILE`.
    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some(("sim", file)) if !file.is_empty() => return Ok(Self::Sim(PathBuf::from(file))),
            _ => {}
        }
        Ok(match text {
            "auto" => Self::Auto,
            "nvml" => Self::Nvml,
            "rapl" => Self::Rapl,
            "hwmon" => Self::Hwmon,
            "estimate" => Self::Estimate,
            other => {
                return Err(format!(
                    "there is no meter `{other}`; choose auto, nvml, rapl, hwmon, estimate or sim:FILE"
                ));
            }
        })
    }
}

impl std::fmt::Display for MeterChoice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Nvml => f.write_str("nvml"),
            Self::Rapl => f.write_str("rapl"),
            Self::Hwmon => f.write_str("hwmon"),
            Self::Estimate => f.write_str("estimate"),
            Self::Sim(file) => write!(f, "sim:{}", file.display()),
        }
    }
}

/// What opening the NVIDIA meter needs to know.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NvmlOptions {
    /// The driver's library; `None` lets the system's loader find `libnvidia-ml.so.1`.
    pub lib_path: Option<PathBuf>,
    /// The value of `CUDA_VISIBLE_DEVICES`; `None` when it is not set, and all GPUs are visible.
    pub visible: Option<String>,
    /// The value of `CUDA_DEVICE_ORDER`.
    pub device_order: Option<String>,
}

/// What opening any meter needs to know.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenOptions {
    /// Where sysfs is: `/sys`, except in tests and in containers that mount it elsewhere.
    pub sysfs_root: PathBuf,
    /// For NVIDIA GPUs.
    pub nvml: NvmlOptions,
    /// Watts per busy core, for the estimate.
    pub estimate_watts: Watts,
}

impl Default for OpenOptions {
    /// `/sys`, all GPUs, and the default power per core.
    fn default() -> Self {
        Self { sysfs_root: PathBuf::from("/sys"), nvml: NvmlOptions::default(), estimate_watts: DEFAULT_WATTS_PER_CORE }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_is_read_back_from_its_own_text() {
        for text in ["auto", "nvml", "rapl", "hwmon", "estimate", "sim:a b/c:d.json"] {
            assert_eq!(text.parse::<MeterChoice>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn an_unknown_choice_lists_the_choices() {
        for text in ["", "gpu", "sim", "sim:", "NVML"] {
            let error = text.parse::<MeterChoice>().unwrap_err();
            assert!(error.contains("auto, nvml, rapl, hwmon, estimate or sim:FILE"), "{text:?}: {error}");
        }
    }
}

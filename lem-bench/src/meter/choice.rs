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
    /// A meter that the program brings along ([`Harness::meter`](crate::Harness::meter)).
    Own {
        /// Its name.
        name: String,
        /// What stood behind the name and a colon: an address, a device; empty when there was nothing.
        argument: String,
    },
}

impl MeterChoice {
    /// The names of the meters that need no program of one's own.
    pub const BUILT_IN: [&str; 6] = ["auto", "nvml", "rapl", "hwmon", "estimate", "sim"];
}

/// Whether `name` can be a meter's: small letters, digits, `-` and `_`.
pub(crate) fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte))
}

impl FromStr for MeterChoice {
    type Err = String;

    /// `auto`, `nvml`, `rapl`, `hwmon`, `estimate`, `sim:FILE`, or `NAME` or `NAME:ARGUMENT` of a meter of one's own: any
    /// other name, for only the program knows whether it has such a one.
    fn from_str(text: &str) -> Result<Self, String> {
        let (name, argument) = text.split_once(':').unwrap_or((text, ""));
        Ok(match name {
            "sim" if !argument.is_empty() => Self::Sim(PathBuf::from(argument)),
            "auto" if name == text => Self::Auto,
            "nvml" if name == text => Self::Nvml,
            "rapl" if name == text => Self::Rapl,
            "hwmon" if name == text => Self::Hwmon,
            "estimate" if name == text => Self::Estimate,
            own if is_name(own) && !Self::BUILT_IN.contains(&own) => {
                Self::Own { name: own.to_owned(), argument: argument.to_owned() }
            }
            _ => {
                return Err(format!(
                    "there is no meter `{text}`; choose auto, nvml, rapl, hwmon, estimate or sim:FILE"
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
            Self::Own { name, argument } if argument.is_empty() => f.write_str(name),
            Self::Own { name, argument } => write!(f, "{name}:{argument}"),
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
        for text in ["auto", "nvml", "rapl", "hwmon", "estimate", "sim:a b/c:d.json", "plug", "plug:http://a:80/x"] {
            assert_eq!(text.parse::<MeterChoice>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn another_name_is_a_meter_of_ones_own_with_what_stands_behind_the_colon() {
        let own =
            |name: &str, argument: &str| MeterChoice::Own { name: name.to_owned(), argument: argument.to_owned() };
        assert_eq!("plug".parse(), Ok(own("plug", "")));
        assert_eq!("plug:http://10.0.0.7:80/rpc".parse(), Ok(own("plug", "http://10.0.0.7:80/rpc")));
    }

    #[test]
    fn what_can_be_no_name_lists_the_choices() {
        for text in ["", "sim", "sim:", "NVML", "nvml:0", "auto:", ":x", "a b"] {
            let error = text.parse::<MeterChoice>().unwrap_err();
            assert!(error.contains("auto, nvml, rapl, hwmon, estimate or sim:FILE"), "{text:?}: {error}");
        }
    }
}

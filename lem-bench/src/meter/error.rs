//! Why a meter can't be opened, and what a person can do about it.
//!
//! Must not know how any meter works.

use std::path::PathBuf;

/// Why a meter could not be opened. The message is a fragment that fits "can't read energy: {error}";
/// [`OpenError::remedy`] is what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum OpenError {
    /// The driver's library can't be loaded (it is not installed, or not for this process' architecture).
    NoLibrary {
        /// What the loader said.
        why: String,
    },
    /// The library is there, but no driver answers.
    NoDriver {
        /// What the library said.
        why: String,
    },
    /// There is nothing to read here: no device, no counter.
    NoDevice {
        /// What was looked for, and where.
        why: String,
    },
    /// It is there, but this user may not read it.
    Denied {
        /// The file or device.
        path: PathBuf,
        /// The command that gives access.
        remedy: String,
    },
    /// A setting names something that isn't there or can't be understood.
    Setting {
        /// The setting: `CUDA_VISIBLE_DEVICES`, `--meter`.
        name: String,
        /// What is wrong with it.
        why: String,
    },
    /// Two meters tell about a domain of the same name.
    SameDomain {
        /// The name.
        domain: String,
    },
    /// This build leaves the meter out.
    NotBuilt {
        /// The meter and the cargo feature that has it.
        feature: String,
    },
    /// The meter is not opened from here (the simulated machine is both meter and clock: the harness makes it).
    NotHere {
        /// The meter.
        meter: String,
    },
    /// Anything else.
    Failed {
        /// What failed, in the words of the system or driver.
        why: String,
    },
}

impl OpenError {
    /// What a person can do about it, where there is something.
    pub fn remedy(&self) -> Option<String> {
        match self {
            Self::NoLibrary { .. } => Some(
                "install the NVIDIA driver; in a container, start it with the `utility` driver capability \
                 (NVIDIA_DRIVER_CAPABILITIES=compute,utility)"
                    .to_owned(),
            ),
            Self::NoDriver { .. } => {
                Some("load the driver (`nvidia-smi` must work); after a driver update, reboot".to_owned())
            }
            Self::Denied { remedy, .. } => Some(remedy.clone()),
            Self::Setting { name, .. } => Some(format!("correct {name}")),
            Self::SameDomain { .. } => Some("open one of the two meters".to_owned()),
            Self::NotBuilt { feature } => Some(format!("build with the cargo feature `{feature}`")),
            Self::NoDevice { .. } | Self::NotHere { .. } | Self::Failed { .. } => None,
        }
    }
}

impl std::fmt::Display for OpenError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoLibrary { why } => write!(f, "the driver's library can't be loaded: {why}"),
            Self::NoDriver { why } => write!(f, "no driver answers: {why}"),
            Self::NoDevice { why } | Self::Failed { why } => f.write_str(why),
            Self::Denied { path, .. } => write!(f, "no permission to read {}", path.display()),
            Self::Setting { name, why } => write!(f, "{name} {why}"),
            Self::SameDomain { domain } => write!(f, "two meters tell about the domain `{domain}`"),
            Self::NotBuilt { feature } => write!(f, "this build has no `{feature}` meter"),
            Self::NotHere { meter } => write!(f, "the meter `{meter}` is opened by the harness"),
        }
    }
}

impl std::error::Error for OpenError {}

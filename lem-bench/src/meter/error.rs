//! Errors of opening a meter, with their remedies.

use std::path::PathBuf;

/// Why a meter could not be opened. The message is a fragment that fits "cannot read energy: {error}";
/// [`OpenError::remedy`] is what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The driver's library cannot be loaded: it is not installed, or built for another architecture.
    #[error("cannot load the driver's library: {why}")]
    NoLibrary {
        /// The loader's message.
        why: String,
    },
    /// The library is installed, but the driver does not respond.
    #[error("the driver does not respond: {why}")]
    NoDriver {
        /// The library's message.
        why: String,
    },
    /// The device or counter does not exist.
    #[error("{why}")]
    NoDevice {
        /// What is missing, and where it was searched.
        why: String,
    },
    /// The user has no permission to read it.
    #[error("no permission to read {}", path.display())]
    Denied {
        /// The file or device.
        path: PathBuf,
        /// The command that gives access.
        remedy: String,
    },
    /// A setting names something that does not exist or is not valid.
    #[error("{name} {why}")]
    Setting {
        /// The setting: `CUDA_VISIBLE_DEVICES`, `--meter`.
        name: String,
        /// What is wrong with it.
        why: String,
    },
    /// Two meters, or one meter twice, list a domain of the same id.
    #[error("the domain `{domain}` is listed twice")]
    SameDomain {
        /// The id.
        domain: String,
    },
    /// This build does not include the meter.
    #[error("this build does not include the meter `{feature}`")]
    NotBuilt {
        /// The meter, which is also the name of its cargo feature.
        feature: String,
    },
    /// The meter is not opened by [`open`](super::open()): the harness opens simulated and custom meters.
    #[error("the meter `{meter}` is opened by the harness")]
    NotHere {
        /// The meter.
        meter: String,
    },
    /// Any other error.
    #[error("{why}")]
    Failed {
        /// The message of the system or driver.
        why: String,
    },
}

impl OpenError {
    /// Returns what the user can do about the error, if anything.
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
            Self::SameDomain { .. } => Some("open one of the two meters, or give each domain its own id".to_owned()),
            Self::NotBuilt { feature } => Some(format!("build with the cargo feature `{feature}`")),
            Self::NoDevice { .. } | Self::NotHere { .. } | Self::Failed { .. } => None,
        }
    }
}

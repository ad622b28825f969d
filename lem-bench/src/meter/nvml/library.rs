//! Loads the driver's library, once a process, and translates its errors.
//!
//! Must not know devices.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use nvml_wrapper::Nvml;
use nvml_wrapper::error::NvmlError;

use crate::meter::{OpenError, ReadError};

/// The libraries that this process has opened, by the path that was asked for.
static OPENED: Mutex<Vec<(Option<PathBuf>, &'static Nvml)>> = Mutex::new(Vec::new());

/// The driver's library at `path`, or where the system's loader finds it.
///
/// It is opened once and stays open until the process ends. This is on purpose, and the only leak here (one handle a
/// path): without persistence mode the driver forgets a GPU's state, its energy counter included, when the last
/// process that looks at it closes the library; and handles that live as long as the process need no `unsafe`.
///
/// # Errors
/// [`OpenError::NoLibrary`], [`OpenError::NoDriver`], [`OpenError::Denied`] or [`OpenError::Failed`].
pub(super) fn open(path: Option<&Path>) -> Result<&'static Nvml, OpenError> {
    let mut opened = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, nvml)) = opened.iter().find(|(known, _)| known.as_deref() == path) {
        return Ok(nvml);
    }
    let nvml: &'static Nvml = Box::leak(Box::new(load(path).map_err(explain)?));
    opened.push((path.map(Path::to_path_buf), nvml));
    Ok(nvml)
}

fn load(path: Option<&Path>) -> Result<Nvml, NvmlError> {
    let Some(path) = path else {
        return match Nvml::init() {
            // Some installations have the name without version alone.
            Err(error @ NvmlError::LibloadingError(_)) => {
                Nvml::builder().lib_path("libnvidia-ml.so".as_ref()).init().map_err(|_| error)
            }
            done => done,
        };
    };
    Nvml::builder().lib_path(path.as_os_str()).init()
}

fn explain(error: NvmlError) -> OpenError {
    let why = error.to_string();
    match error {
        NvmlError::LibloadingError(_) | NvmlError::LibraryNotFound | NvmlError::FailedToLoadSymbol(_) => {
            OpenError::NoLibrary { why }
        }
        NvmlError::DriverNotLoaded | NvmlError::LibRmVersionMismatch => OpenError::NoDriver { why },
        NvmlError::NoPermission => OpenError::Denied {
            path: PathBuf::from("/dev/nvidiactl"),
            remedy: "give this user access to /dev/nvidia* (often the group `video`), or the container its GPUs"
                .to_owned(),
        },
        _ => OpenError::Failed { why: format!("NVML: {why}") },
    }
}

/// What a failed call means for the reads to come.
pub(super) fn read_error(error: &NvmlError) -> ReadError {
    let why = format!("NVML: {error}");
    match error {
        NvmlError::GpuLost | NvmlError::ResetRequired => ReadError::Lost(why),
        _ => ReadError::Failed(why),
    }
}

/// Whether the error says that this device or driver will never answer this question.
pub(super) fn is_unsupported(error: &NvmlError) -> bool {
    matches!(
        error,
        NvmlError::NotSupported
            | NvmlError::NoPermission
            | NvmlError::InvalidArg
            | NvmlError::FunctionNotFound
            | NvmlError::FailedToLoadSymbol(_)
            | NvmlError::UnexpectedVariant(_)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_library_says_so_and_what_to_do() {
        let error = open(Some(Path::new("/nonexistent/libnvidia-ml.so.1"))).unwrap_err();
        assert!(
            matches!(&error, OpenError::NoLibrary { why } if why.contains("/nonexistent/libnvidia-ml.so.1")),
            "{error}"
        );
        assert!(error.remedy().is_some_and(|remedy| remedy.contains("install the NVIDIA driver")));
    }

    #[test]
    fn only_a_lost_device_ends_the_reads() {
        assert!(matches!(read_error(&NvmlError::GpuLost), ReadError::Lost(_)));
        assert!(matches!(read_error(&NvmlError::ResetRequired), ReadError::Lost(_)));
        let failed = read_error(&NvmlError::Timeout);
        assert!(matches!(&failed, ReadError::Failed(why) if why.contains("timeout")), "{failed}");
    }
}

//! Loads the driver's library once per process, and converts its errors.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use nvml_wrapper::Nvml;
use nvml_wrapper::error::NvmlError;

use crate::meter::{OpenError, ReadError};

/// The libraries that this process has loaded, by the requested path.
static OPENED: Mutex<Vec<(Option<PathBuf>, &'static Nvml)>> = Mutex::new(Vec::new());

/// Returns the driver's library at `path`, or where the system's loader finds it.
///
/// It is loaded once and intentionally stays open until the process ends (one leaked handle per path). Without persistence
/// mode, the driver resets a GPU's state, including its energy counter, when the last process that uses the GPU closes the
/// library. Also, handles with a static lifetime need no `unsafe`.
///
/// # Errors
/// [`OpenError::NoLibrary`], [`OpenError::NoDriver`], [`OpenError::Denied`] or [`OpenError::Failed`].
pub(super) fn open(path: Option<&Path>) -> Result<&'static Nvml, OpenError> {
    let mut opened = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, nvml)) = opened.iter().find(|(known, _)| known.as_deref() == path) {
        return Ok(nvml);
    }
    let nvml: &'static Nvml = Box::leak(Box::new(load(path).map_err(open_error)?));
    opened.push((path.map(Path::to_path_buf), nvml));
    Ok(nvml)
}

fn load(path: Option<&Path>) -> Result<Nvml, NvmlError> {
    let Some(path) = path else {
        return match Nvml::init() {
            // Some installations have only the name without a version.
            Err(error @ NvmlError::LibloadingError(_)) => {
                Nvml::builder().lib_path("libnvidia-ml.so".as_ref()).init().map_err(|_| error)
            }
            done => done,
        };
    };
    Nvml::builder().lib_path(path.as_os_str()).init()
}

fn open_error(error: NvmlError) -> OpenError {
    let why = error.to_string();
    match error {
        // Without the words of the crates between the loader's message and ours.
        NvmlError::LibloadingError(source) => OpenError::NoLibrary { why: source.to_string() },
        NvmlError::LibraryNotFound | NvmlError::FailedToLoadSymbol(_) => OpenError::NoLibrary { why },
        NvmlError::DriverNotLoaded | NvmlError::LibRmVersionMismatch => OpenError::NoDriver { why },
        NvmlError::NoPermission => OpenError::Denied {
            path: PathBuf::from("/dev/nvidiactl"),
            remedy: "give this user access to /dev/nvidia* (often the group `video`), or the container its GPUs"
                .to_owned(),
        },
        _ => OpenError::Failed { why: format!("NVML: {why}") },
    }
}

/// Converts the error of a failed read: whether later reads may succeed.
pub(super) fn read_error(error: &NvmlError) -> ReadError {
    let why = format!("NVML: {error}");
    match error {
        NvmlError::GpuLost | NvmlError::ResetRequired => ReadError::Lost(why),
        _ => ReadError::Failed(why),
    }
}

/// Returns whether the error means that this device or driver never supports the call.
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
    fn reports_missing_library() {
        let error = open(Some(Path::new("/nonexistent/libnvidia-ml.so.1"))).unwrap_err();
        assert!(
            matches!(&error, OpenError::NoLibrary { why } if why.contains("/nonexistent/libnvidia-ml.so.1")),
            "{error}"
        );
        assert!(!error.to_string().contains("libloading"), "{error}");
        assert!(error.remedy().is_some_and(|remedy| remedy.contains("install the NVIDIA driver")));
    }

    #[test]
    fn distinguishes_lost_device() {
        assert!(matches!(read_error(&NvmlError::GpuLost), ReadError::Lost(_)));
        assert!(matches!(read_error(&NvmlError::ResetRequired), ReadError::Lost(_)));
        let failed = read_error(&NvmlError::Timeout);
        assert!(matches!(&failed, ReadError::Failed(why) if why.contains("timeout")), "{failed}");
    }
}

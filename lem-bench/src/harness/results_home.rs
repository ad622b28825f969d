//! The folder that holds the results of all runs.

use super::exit::HarnessError;
use super::invocation::Invocation;
use crate::store::{Home, HomeOptions};

/// The results folder of this invocation.
pub(super) fn resolve(invocation: &Invocation) -> Home {
    let root = &invocation.paths.workspace_root;
    let output_dir = invocation.config().output_dir.as_ref().map(|folder| root.join(folder));
    let options = HomeOptions {
        current_dir: root.clone(),
        ..HomeOptions::from_process(output_dir, invocation.target.target_tmpdir)
    };
    Home::resolve(&options)
}

/// The results folder of this invocation, after a check that it is writable.
///
/// # Errors
/// It is not writable.
pub(super) fn resolve_writable(invocation: &Invocation) -> Result<Home, HarnessError> {
    let home = resolve(invocation);
    home.check_writable()?;
    Ok(home)
}

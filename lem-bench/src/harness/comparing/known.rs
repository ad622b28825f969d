//! What is known beside two results: the history, and what was calibrated.

use crate::analysis::compare::{CompareOptions, Prior, machine};
use crate::harness::config::Config;
use crate::harness::console;
use crate::harness::exit::HarnessError;
use crate::model::SessionResult;
use crate::store::{History, Home, MachineSpreads};

use super::base::Loaded;

/// What is known beside two results.
#[derive(Debug, Default)]
pub(in crate::harness) struct Known {
    /// Lines of the history.
    pub(in crate::harness) history: Vec<SessionResult>,
    /// What is assumed of the spread between sessions.
    pub(in crate::harness) prior: Prior,
}

impl Known {
    /// Reads it for the machine of a base.
    ///
    /// # Errors
    /// A file can't be read. Damaged lines are warned of.
    pub(in crate::harness) fn read(home: &Home, base: &Loaded) -> Result<Self, HarnessError> {
        let history = History::read(home)?;
        for damage in &history.damage {
            console::warn(&format!("{}: {damage}", history.path.display()));
        }
        let calibrations = MachineSpreads::read(home)?;
        let run = base.summaries.last().map(|summary| machine(&summary.run));
        let calibration = run.and_then(|machine| calibrations.machines.get(&machine).cloned());
        let prior = calibration.map_or_else(Prior::default, |c| Prior { s0: c.s0, d0: c.d0, calibrated: true });
        Ok(Self { history: history.lines, prior })
    }
}

/// How to compare: what was asked for, with what is known of the machine.
pub(in crate::harness) fn options(config: &Config, prior: Prior) -> CompareOptions {
    let mut options = config.comparing.options.clone();
    options.criteria.level = config.analysis.level;
    options.prior = prior;
    options
}

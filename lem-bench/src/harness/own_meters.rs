//! The meters that a program brings along: their names, and opening the one that was chosen.
//!
//! Must not know what any of them reads.

use super::exit::HarnessError;
use super::layers::ResolvedConfig;
use crate::meter::{Meter, MeterChoice, OpenError, Opened, is_name};

/// Opens a meter from what stood behind its name.
type Open = dyn Fn(&str) -> Result<Box<dyn Meter>, String> + Send + Sync;

/// Meters by name.
#[derive(Default)]
pub(super) struct OwnMeters {
    meters: Vec<(String, Box<Open>)>,
}

impl std::fmt::Debug for OwnMeters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}

impl OwnMeters {
    /// Adds one.
    pub(super) fn add(&mut self, name: String, open: Box<Open>) {
        self.meters.push((name, open));
    }

    /// Their names, in the order in which they were added.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.meters.iter().map(|(name, _)| name.as_str())
    }

    /// Whether each has a name of its own that can be chosen, and the one that was asked for is there.
    ///
    /// # Errors
    /// What is wrong with the first that has not, or which meters there are.
    pub(super) fn check(&self, asked: &ResolvedConfig) -> Result<(), HarnessError> {
        for (at, name) in self.names().enumerate() {
            let why = if !is_name(name) {
                "a name is made of small letters, digits, `-` and `_`"
            } else if MeterChoice::is_reserved(name) {
                "there is one of this name already"
            } else if self.names().take(at).any(|other| other == name) {
                "it is added twice"
            } else {
                continue;
            };
            return Err(HarnessError::usage(format!("`Harness::meter` can't add the meter `{name}`: {why}")));
        }
        match &asked.config.meter {
            MeterChoice::Custom { name, .. } if !self.names().any(|own| own == name) => {
                let mut known: Vec<&str> = MeterChoice::built_in().collect();
                known.extend(self.names());
                Err(asked.refuse("meter", &format!("one of {}", known.join(", "))))
            }
            _ => Ok(()),
        }
    }

    /// Opens the meter of this name.
    ///
    /// # Errors
    /// What it said, or that it makes no sense.
    pub(super) fn open(&self, name: &str, argument: &str) -> Result<Opened, OpenError> {
        let own = self.meters.iter().find(|(own, _)| own == name);
        let (_, open) = own.ok_or_else(|| OpenError::NotHere { meter: name.to_owned() })?;
        Opened::custom(open(argument).map_err(|why| OpenError::Failed { why })?)
    }
}

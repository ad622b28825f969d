//! Meters that a program adds with [`Harness::meter`](crate::Harness::meter): their names, and opening the chosen one.

use super::exit::HarnessError;
use super::layers::ResolvedConfig;
use crate::meter::{Meter, MeterChoice, OpenError, Opened, is_name};

/// Opens a meter; the argument is the text after its name and a colon.
type OpenFn = dyn Fn(&str) -> Result<Box<dyn Meter>, String> + Send + Sync;

/// Custom meters by name.
#[derive(Default)]
pub(super) struct CustomMeters {
    meters: Vec<(String, Box<OpenFn>)>,
}

impl std::fmt::Debug for CustomMeters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}

impl CustomMeters {
    /// Adds a meter.
    pub fn add(&mut self, name: String, open: Box<OpenFn>) {
        self.meters.push((name, open));
    }

    /// Returns the names in the order in which the meters were added.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.meters.iter().map(|(name, _)| name.as_str())
    }

    /// Checks all names, and that the chosen meter exists.
    ///
    /// # Errors
    /// A name is malformed, built-in or used twice, or the chosen meter does not exist.
    pub fn check(&self, resolved: &ResolvedConfig) -> Result<(), HarnessError> {
        for (index, name) in self.names().enumerate() {
            let reason = if !is_name(name) {
                "use small letters, digits, `-` and `_`"
            } else if MeterChoice::is_reserved(name) {
                "a built-in meter has this name"
            } else if self.names().take(index).any(|other| other == name) {
                "it was added before"
            } else {
                continue;
            };
            return Err(HarnessError::usage(format!("invalid meter name `{name}` in `Harness::meter`: {reason}")));
        }
        match &resolved.config.meter {
            MeterChoice::Custom { name, .. } if !self.names().any(|custom| custom == name) => {
                let mut known: Vec<&str> = MeterChoice::built_in().collect();
                known.extend(self.names());
                Err(resolved.refuse("meter", &format!("one of {}", known.join(", "))))
            }
            _ => Ok(()),
        }
    }

    /// Opens the meter of this name.
    ///
    /// # Errors
    /// The meter does not exist, fails to open, or describes domains that contradict each other.
    pub fn open(&self, name: &str, argument: &str) -> Result<Opened, OpenError> {
        let custom = self.meters.iter().find(|(custom, _)| custom == name);
        let (_, open) = custom.ok_or_else(|| OpenError::NotHere { meter: name.to_owned() })?;
        Opened::custom(open(argument).map_err(|why| OpenError::Failed { why })?)
    }
}

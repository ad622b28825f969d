//! The layers that set options and how they merge: flag, then environment, then `lem-bench.toml`, then the bench's
//! attribute, then the default. Also the custom meters, which add values to `--meter`.

use std::collections::BTreeMap;
use std::ffi::OsString;

use super::config::Config;
use super::exit::HarnessError;
use super::options::{self, Arity, OptionSpec, Scope};
use super::parse::{self, suggest};
use crate::meter::{Meter, MeterChoice, OpenError, Opened, is_name};
use crate::model::Setting;
use crate::registry::Case;

/// Start of the names of all our environment variables.
const PREFIX: &str = "LEM_BENCH_";

/// Placeholder for the value of a secret option.
const REDACTED: &str = "(not shown)";

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Layer {
    Default,
    Attribute,
    File,
    Environment,
    Flag,
}

impl Layer {
    /// Returns the name used in records.
    pub fn name(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Attribute => "attribute",
            Self::File => "file",
            Self::Environment => "environment",
            Self::Flag => "flag",
        }
    }
}

/// An option with the values that one layer sets.
#[derive(Debug, Clone)]
pub(super) struct SettingValue {
    pub option: &'static OptionSpec,
    pub values: Vec<String>,
    pub layer: Layer,
    /// The exact place, for messages: `--cycles`, `LEM_BENCH_CYCLES`, `/x/lem-bench.toml:3`.
    pub place: String,
}

impl SettingValue {
    fn invalid(&self, expects: &str) -> HarnessError {
        let (value, place) = (self.values.join(", "), &self.place);
        let source = match self.layer {
            Layer::Flag => format!("flag {place}"),
            Layer::Environment => format!("environment variable {place}"),
            Layer::File => format!("file {place}"),
            Layer::Attribute | Layer::Default => format!("{} {place}", self.layer.name()),
        };
        HarnessError::usage(format!(
            "invalid value `{value}` for `{}`, from the {source}: expected {expects}",
            self.option.name
        ))
    }

    /// Expands a switch that is short for another option: it sets that option in the same layer.
    fn expand(self) -> Vec<Self> {
        let is_on = self.values.first().is_some_and(|text| parse::switch(text) == Ok(true));
        let long = self.option.short_for.filter(|_| is_on);
        match long.and_then(|(name, value)| Some((options::setting(name)?, value))) {
            Some((option, value)) => vec![Self { option, values: vec![value.to_owned()], ..self.clone() }, self],
            None => vec![self],
        }
    }
}

/// The merged configuration, and where each value comes from.
#[derive(Debug, Clone)]
pub(super) struct ResolvedConfig {
    pub config: Config,
    values: Vec<SettingValue>,
}

/// Merges the values of all layers; later ones win.
///
/// # Errors
/// A value is not valid, even if another layer overrides it.
pub(super) fn merge(values: Vec<SettingValue>) -> Result<ResolvedConfig, HarnessError> {
    let mut resolved = ResolvedConfig { config: Config::default(), values: Vec::new() };
    for value in values.into_iter().flat_map(SettingValue::expand) {
        (value.option.set)(&mut resolved.config, &value.values).map_err(|error| {
            let reason = error.reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
            value.invalid(&format!("{}{reason}", value.option.expects))
        })?;
        resolved.values.retain(|earlier| earlier.option.name != value.option.name);
        resolved.values.push(value);
    }
    Ok(resolved)
}

impl ResolvedConfig {
    fn value(&self, name: &str) -> Option<&SettingValue> {
        self.values.iter().find(|value| value.option.name == name)
    }

    /// Returns whether a flag, the environment or the file sets the option of this name.
    pub fn sets(&self, name: &str) -> bool {
        self.value(name).is_some()
    }

    /// Returns a note for each flag of another harness that has no effect.
    pub fn notes_on_ignored_flags(&self) -> impl Iterator<Item = String> {
        let ignored = self.values.iter().filter(|value| value.option.scope == Scope::Ignored);
        ignored.map(|value| format!("{} has no effect: {}", value.place, value.option.help))
    }

    /// Returns `text` with the values of secret options redacted.
    pub fn without_secrets(&self, text: &str) -> String {
        let secrets = self.values.iter().filter(|value| value.option.secret);
        secrets.flat_map(|value| &value.values).fold(text.to_owned(), |text, secret| text.replace(secret, REDACTED))
    }

    /// Returns the error for a value of the option `name` that is valid by itself and turned out to be wrong.
    pub fn refuse(&self, name: &str, expects: &str) -> HarnessError {
        match self.value(name) {
            Some(value) => value.invalid(expects),
            None => HarnessError::usage(format!("invalid value for `{name}`: expected {expects}")),
        }
    }

    /// Returns each effective setting and the place that sets it, in the order of the table. Options that concern one
    /// call only are included where they are set.
    pub fn settings(&self) -> Vec<(Setting, Option<String>)> {
        let has_effect = |option: &&OptionSpec| !matches!(option.scope, Scope::Accepted | Scope::Ignored);
        options::all().filter(has_effect).filter_map(|option| self.setting(option)).collect()
    }

    fn setting(&self, option: &OptionSpec) -> Option<(Setting, Option<String>)> {
        let setting = |value: String, layer: Layer| Setting {
            name: option.name.to_owned(),
            value,
            from: layer.name().to_owned(),
        };
        match self.value(option.name) {
            Some(found) => {
                let value = if option.secret { REDACTED.to_owned() } else { found.values.join("; ") };
                Some((setting(value, found.layer), Some(found.place.clone())))
            }
            None if option.scope == Scope::Invocation => None,
            None => Some((setting(option.default.to_owned(), Layer::Default), None)),
        }
    }

    /// Returns what the attributes of these cases set and no layer above overrides, once per bench:
    /// `cycles (llama/decode)`.
    pub fn attribute_settings(&self, cases: &[Case]) -> Vec<Setting> {
        let mut found = BTreeMap::new();
        for case in cases {
            let bench = match &case.group {
                Some(group) => format!("{group}/{}", case.name),
                None => case.name.clone(),
            };
            let attributes = &case.attributes;
            let values = [
                ("cycles", attributes.cycles.map(|n| n.to_string())),
                ("windows", attributes.windows.map(|n| n.to_string())),
                ("processes", attributes.processes.map(|n| n.to_string())),
                ("gap", attributes.gap.map(|gap| format!("{}s", gap.as_secs_f64()))),
            ];
            for (name, value) in values {
                if let Some(value) = value.filter(|_| !self.sets(name)) {
                    found.insert(format!("{name} ({bench})"), value);
                }
            }
        }
        let from = Layer::Attribute.name();
        found.into_iter().map(|(name, value)| Setting { name, value, from: from.to_owned() }).collect()
    }
}

/// Returns what the environment sets, and a warning for each variable whose name is almost one of ours.
///
/// Empty variables count as unset. Several values are separated by semicolons.
///
/// # Errors
/// One of our variables is not valid Unicode.
pub(super) fn from_environment(
    variables: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<(Vec<SettingValue>, Vec<String>), HarnessError> {
    let mut ours: Vec<(String, OsString)> = variables
        .into_iter()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
        .filter(|(name, value)| name.starts_with(PREFIX) && !value.is_empty())
        .collect();
    ours.sort();
    let known: Vec<(String, &'static OptionSpec)> =
        options::settings().flat_map(|option| option.variables().map(move |variable| (variable, option))).collect();
    let (mut values, mut warnings) = (Vec::new(), Vec::new());
    for (name, value) in ours {
        let Some((_, option)) = known.iter().find(|(variable, _)| *variable == name) else {
            let known_names = known.iter().map(|(variable, _)| &variable[PREFIX.len()..]);
            if let Some(meant) = suggest(&name[PREFIX.len()..], known_names) {
                warnings.push(format!("unknown environment variable {name}: did you mean {PREFIX}{meant}?"));
            }
            continue;
        };
        let text = value.into_string().map_err(|value| {
            HarnessError::usage(format!("environment variable {name} is not valid Unicode: {}", value.display()))
        })?;
        let texts = match option.arity {
            Arity::Many(_) => text.split(';').filter(|piece| !piece.trim().is_empty()).map(str::to_owned).collect(),
            _ => vec![text],
        };
        values.push(SettingValue { option, values: texts, layer: Layer::Environment, place: name });
    }
    Ok((values, warnings))
}

// Custom meters.

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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::protocol::Profile;

    fn value(name: &str, value: &str, layer: Layer) -> SettingValue {
        let option = options::setting(name).unwrap();
        SettingValue { option, values: vec![value.to_owned()], layer, place: "here".to_owned() }
    }

    #[test]
    fn last_layer_wins_and_is_recorded() {
        let resolved = merge(vec![
            value("cycles", "4", Layer::File),
            value("gap", "1", Layer::File),
            value("cycles", "6", Layer::Environment),
        ])
        .unwrap();
        let overrides = &resolved.config.overrides;
        assert_eq!((overrides.cycles, overrides.gap), (Some(6), Some(Duration::from_secs(1))));
        let settings = resolved.settings();
        let value_and_layer = |name: &str| {
            let (setting, _) = settings.iter().find(|(setting, _)| setting.name == name).unwrap();
            (&*setting.value, &*setting.from)
        };
        assert_eq!(value_and_layer("cycles"), ("6", "environment"));
        assert_eq!(value_and_layer("gap"), ("1", "file"));
        assert_eq!(value_and_layer("meter"), ("auto", "default"));
    }

    #[test]
    fn quick_sets_the_profile_in_its_layer() {
        let profile = |values| merge(values).unwrap().config.profile;
        assert_eq!(
            profile(vec![value("quick", "true", Layer::File), value("profile", "publish", Layer::Flag)]),
            Profile::Publish
        );
        assert_eq!(
            profile(vec![value("profile", "publish", Layer::File), value("quick", "1", Layer::Environment)]),
            Profile::Quick
        );
        assert_eq!(profile(vec![value("quick", "0", Layer::Environment)]), Profile::Default);
    }

    #[test]
    fn rejects_invalid_value_that_is_overridden() {
        let error =
            merge(vec![value("cycles", "many", Layer::Environment), value("cycles", "6", Layer::Flag)]).unwrap_err();
        insta::assert_snapshot!(
            error,
            @"invalid value `many` for `cycles`, from the environment variable here: expected a whole number, at least 2"
        );
    }

    #[test]
    fn warns_of_misspelled_variable() {
        let variables = [("LEM_BENCH_CYCELS", "4"), ("LEM_BENCH_MODEL", "/m"), ("LEM_BENCH_GAP", ""), ("HOME", "/")];
        let (values, warnings) = from_environment(variables.map(|(name, value)| (name.into(), value.into()))).unwrap();
        assert!(values.is_empty());
        insta::assert_snapshot!(
            warnings.join("\n"),
            @"unknown environment variable LEM_BENCH_CYCELS: did you mean LEM_BENCH_CYCLES?"
        );
    }
}

//! The layers that set options, and how they become one configuration: flag, then environment, then `lem-bench.toml`,
//! then the bench's own attribute, then the default.
//!
//! Must not know what any option means.

use super::config::Config;
use super::exit::HarnessError;
use super::nearest::nearest;
use super::options::{self, Arity, OptionSpec, Scope};
use crate::model::Setting;

/// Where a value came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Layer {
    Default,
    Attribute,
    File,
    Environment,
    Flag,
}

impl Layer {
    /// Its name in records.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Attribute => "attribute",
            Self::File => "file",
            Self::Environment => "environment",
            Self::Flag => "flag",
        }
    }
}

/// An option that a layer sets.
#[derive(Debug, Clone)]
pub(super) struct SettingValue {
    pub(super) option: &'static OptionSpec,
    pub(super) values: Vec<String>,
    pub(super) layer: Layer,
    /// Where exactly, for people: `--cycles`, `LEM_BENCH_CYCLES`, `/x/lem-bench.toml:3`.
    pub(super) place: String,
}

/// What was asked for, and what asked for it.
#[derive(Debug, Clone)]
pub(super) struct ResolvedConfig {
    pub(super) config: Config,
    said: Vec<SettingValue>,
}

/// Joins what the layers say; in `said` a later one wins over an earlier one. Every value is checked, also one that
/// another layer overrides.
pub(super) fn join(said: Vec<SettingValue>) -> Result<ResolvedConfig, HarnessError> {
    let mut asked = ResolvedConfig { config: Config::default(), said: Vec::new() };
    for said in said.into_iter().flat_map(spell_out) {
        (said.option.set)(&mut asked.config, &said.values).map_err(|why| refuse(&said, &why))?;
        asked.said.retain(|earlier| earlier.option.name != said.option.name);
        asked.said.push(said);
    }
    Ok(asked)
}

/// A switch that is short for another option sets that one, in the same layer.
fn spell_out(said: SettingValue) -> Vec<SettingValue> {
    let on = said.values.first().is_some_and(|text| super::parse::switch(text) == Ok(true));
    let long = said.option.short_for.filter(|_| on).and_then(|(name, value)| Some((options::setting(name)?, value)));
    match long {
        Some((option, value)) => vec![SettingValue { option, values: vec![value.to_owned()], ..said.clone() }, said],
        None => vec![said],
    }
}

fn refuse(said: &SettingValue, why: &str) -> HarnessError {
    let why = if why.is_empty() { String::new() } else { format!(" ({why})") };
    refuse_for(said, &format!("{}{why}", said.option.expects))
}

fn refuse_for(said: &SettingValue, expects: &str) -> HarnessError {
    let value = said.values.join(", ");
    let place = from(said.layer, &said.place);
    HarnessError::usage(format!("invalid value `{value}` for `{}`, from {place}: expected {expects}", said.option.name))
}

fn from(layer: Layer, place: &str) -> String {
    match layer {
        Layer::Flag => format!("the flag {place}"),
        Layer::Environment => format!("the environment variable {place}"),
        Layer::File => format!("the file {place}"),
        Layer::Attribute | Layer::Default => format!("the {} {place}", layer.name()),
    }
}

/// What stands for a value that is not written down.
const NOT_SHOWN: &str = "(not shown)";

impl ResolvedConfig {
    /// A text without the values that are not written down.
    pub(super) fn without_secrets(&self, text: &str) -> String {
        let secret = self.said.iter().filter(|said| said.option.secret);
        secret.flat_map(|said| &said.values).fold(text.to_owned(), |text, value| text.replace(value, NOT_SHOWN))
    }

    /// Refuses the value of an option that its text alone did not show to be wrong.
    pub(super) fn refuse(&self, name: &str, expects: &str) -> HarnessError {
        match self.said.iter().find(|said| said.option.name == name) {
            Some(said) => refuse_for(said, expects),
            None => HarnessError::usage(format!("`{name}` is expected to be {expects}")),
        }
    }

    /// Whether a layer above the attribute sets the option of this name.
    pub(super) fn sets(&self, name: &str) -> bool {
        self.said.iter().any(|said| said.option.name == name)
    }

    /// Each setting in force, its value, the name of its layer, and where exactly it was set, in the order of the table.
    /// Of what belongs to one call, only what was said.
    pub(super) fn settings(&self) -> Vec<(Setting, Option<String>)> {
        let acts = |option: &&OptionSpec| option.scope != Scope::Accepted;
        options::all().filter(acts).filter_map(|option| self.setting(option)).collect()
    }

    fn setting(&self, option: &OptionSpec) -> Option<(Setting, Option<String>)> {
        let name = option.name.to_owned();
        match self.said.iter().find(|said| said.option.name == option.name) {
            Some(said) => {
                let from = said.layer.name().to_owned();
                let value = if option.secret { NOT_SHOWN.to_owned() } else { said.values.join("; ") };
                Some((Setting { name, value, from }, Some(said.place.clone())))
            }
            None if option.scope == Scope::Invocation => None,
            None => {
                let from = Layer::Default.name().to_owned();
                Some((Setting { name, value: option.default.to_owned(), from }, None))
            }
        }
    }
}

/// What the environment sets, and what is worth a warning in it: variables that are nearly ours.
///
/// An empty variable is as good as none. Several values stand between semicolons.
///
/// # Errors
/// A variable of ours that is no Unicode.
pub(super) fn environment(
    variables: impl IntoIterator<Item = (std::ffi::OsString, std::ffi::OsString)>,
) -> Result<(Vec<SettingValue>, Vec<String>), HarnessError> {
    let (mut said, mut warnings) = (Vec::new(), Vec::new());
    let mut ours: Vec<(String, std::ffi::OsString)> = variables
        .into_iter()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
        .filter(|(name, value)| name.starts_with("LEM_BENCH_") && !value.is_empty())
        .collect();
    ours.sort();
    let known: Vec<(String, &'static OptionSpec)> =
        options::settings().flat_map(|option| option.variables().map(move |variable| (variable, option))).collect();
    for (name, value) in ours {
        let Some((_, option)) = known.iter().find(|(variable, _)| *variable == name) else {
            if let Some(meant) =
                nearest(&name["LEM_BENCH_".len()..], known.iter().map(|(v, _)| &v["LEM_BENCH_".len()..]))
            {
                warnings.push(format!("the environment variable {name} is not known: LEM_BENCH_{meant} is"));
            }
            continue;
        };
        let text = value.into_string().map_err(|value| {
            HarnessError::usage(format!("the environment variable {name} is no Unicode: {}", value.display()))
        })?;
        let values = match option.arity {
            Arity::Many(_) => text.split(';').filter(|piece| !piece.trim().is_empty()).map(str::to_owned).collect(),
            _ => vec![text],
        };
        said.push(SettingValue { option, values, layer: Layer::Environment, place: name });
    }
    Ok((said, warnings))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::protocol::Profile;

    fn said(name: &str, value: &str, layer: Layer) -> SettingValue {
        let option = options::setting(name).unwrap();
        SettingValue { option, values: vec![value.to_owned()], layer, place: "here".to_owned() }
    }

    #[test]
    fn the_last_layer_wins_and_is_named() {
        let asked = join(vec![
            said("cycles", "4", Layer::File),
            said("gap", "1", Layer::File),
            said("cycles", "6", Layer::Environment),
        ])
        .unwrap();
        assert_eq!(
            (asked.config.overrides.cycles, asked.config.overrides.gap),
            (Some(6), Some(Duration::from_secs(1)))
        );
        let settings = asked.settings();
        let of =
            |name: &str| settings.iter().find(|(s, _)| s.name == name).map(|(s, _)| (&*s.value, &*s.from)).unwrap();
        assert_eq!(of("cycles"), ("6", "environment"));
        assert_eq!(of("gap"), ("1", "file"));
        assert_eq!(of("meter"), ("auto", "default"));
    }

    #[test]
    fn quick_is_a_profile_of_its_own_layer() {
        let asked = join(vec![said("quick", "true", Layer::File), said("profile", "publish", Layer::Flag)]).unwrap();
        assert_eq!(asked.config.profile, Profile::Publish);
        let asked =
            join(vec![said("profile", "publish", Layer::File), said("quick", "1", Layer::Environment)]).unwrap();
        assert_eq!(asked.config.profile, Profile::Quick);
        let off = join(vec![said("quick", "0", Layer::Environment)]).unwrap();
        assert_eq!(off.config.profile, Profile::Default);
    }

    #[test]
    fn a_bad_value_is_refused_even_where_it_is_overridden() {
        let stop =
            join(vec![said("cycles", "many", Layer::Environment), said("cycles", "6", Layer::Flag)]).unwrap_err();
        insta::assert_snapshot!(
            stop.message,
            @"invalid value `many` for `cycles`, from the environment variable here: expected a whole number, at least 2"
        );
    }

    #[test]
    fn a_variable_that_is_nearly_ours_is_told() {
        let variables = [("LEM_BENCH_CYCELS", "4"), ("LEM_BENCH_MODEL", "/m"), ("LEM_BENCH_GAP", ""), ("HOME", "/")];
        let (said, warnings) = environment(variables.map(|(name, value)| (name.into(), value.into()))).unwrap();
        assert!(said.is_empty());
        insta::assert_snapshot!(
            warnings.join("\n"),
            @"the environment variable LEM_BENCH_CYCELS is not known: LEM_BENCH_CYCLES is"
        );
    }
}

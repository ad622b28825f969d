//! The description of one option: its names, where it applies, its texts, and the function that sets it.

use crate::harness::config::Config;
use crate::harness::parse::InvalidValue;

/// Number of values that an option takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::harness) enum Arity {
    /// None: it is on or off.
    Switch,
    /// One, with this name in the help.
    One(&'static str),
    /// One or none. The value follows `=`, so that a filter is never taken for it.
    Optional(&'static str),
    /// Any number: the flag is repeated.
    Many(&'static str),
    /// Any number, without a flag.
    Positional(&'static str),
}

/// Where an option can be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::harness) enum Scope {
    /// By flag, environment and file.
    Everywhere,
    /// By flag only: it concerns one call. Test runners pass it, and a variable would contradict them.
    Invocation,
    /// By flag only and without effect, since test runners pass it.
    Accepted,
    /// By flag only and without effect, since other harnesses have it. A note says so.
    Ignored,
}

/// A `cargo lem` command that takes options of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::harness) enum LemCommand {
    Baseline,
    Repeatability,
    Compare,
    Doctor,
    Duel,
    History,
    Merge,
    Report,
    Runs,
}

/// Whether a run may be resumed with another value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::harness) enum Resume {
    /// No: the option changes what is measured.
    Same,
    /// Yes: the option changes what is shown or when, but not what is measured.
    MayDiffer,
}

/// Heading of the help that an option is listed under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::harness) enum OptionGroup {
    Mode,
    Selection,
    Runs,
    Measurement,
    Processes,
    Meters,
    Comparison,
    Output,
    Accepted,
}

impl OptionGroup {
    /// Returns the heading.
    pub fn heading(self) -> &'static str {
        match self {
            Self::Mode => "Mode",
            Self::Selection => "Selection",
            Self::Runs => "Runs",
            Self::Measurement => "Measurement",
            Self::Processes => "Processes",
            Self::Meters => "Meters",
            Self::Comparison => "Comparison",
            Self::Output => "Output",
            Self::Accepted => "Accepted for compatibility, without effect",
        }
    }
}

/// Parses texts and stores the value in the configuration.
pub(in crate::harness) type Set = fn(&mut Config, &[String]) -> Result<(), InvalidValue>;

/// One option. A bench binary takes all of them.
#[derive(Debug, Clone, Copy)]
pub(in crate::harness) struct OptionSpec {
    /// The flag without dashes (a short flag if it is one letter), and the key in `lem-bench.toml`.
    pub name: &'static str,
    /// Other names.
    pub aliases: &'static [&'static str],
    /// The short flag.
    pub short: Option<char>,
    /// Number of values.
    pub arity: Arity,
    /// Where it can be set.
    pub scope: Scope,
    /// `cargo lem` commands that take it too.
    pub applies_to: &'static [LemCommand],
    /// Whether it may differ when a run is resumed.
    pub resume: Resume,
    /// Heading in the help.
    pub group: OptionGroup,
    /// Accepted values, as in "expected …".
    pub expects: &'static str,
    /// Value when it is not set, as in "[default: …]".
    pub default: &'static str,
    /// What it does.
    pub help: &'static str,
    /// For a switch: the option that it sets, and its value.
    pub short_for: Option<(&'static str, &'static str)>,
    /// Its values are secret: they are redacted in records.
    pub secret: bool,
    /// Whether `-h` lists it.
    pub is_basic: bool,
    /// Sets it.
    pub set: Set,
}

impl OptionSpec {
    pub const fn new(group: OptionGroup, name: &'static str, arity: Arity, set: Set) -> Self {
        let (expects, default) = match arity {
            Arity::Switch => ("true or false", "false"),
            _ => ("", ""),
        };
        let resume = match group {
            OptionGroup::Comparison | OptionGroup::Output => Resume::MayDiffer,
            _ => Resume::Same,
        };
        Self {
            name,
            aliases: &[],
            short: None,
            arity,
            scope: Scope::Everywhere,
            applies_to: &[],
            resume,
            group,
            expects,
            default,
            help: "",
            short_for: None,
            secret: false,
            is_basic: false,
            set,
        }
    }

    /// An option that test runners pass and that has no effect here.
    pub const fn accepted(name: &'static str, arity: Arity, help: &'static str) -> Self {
        Self { scope: Scope::Accepted, help, ..Self::new(OptionGroup::Accepted, name, arity, |_, _| Ok(())) }
    }

    /// An option of another harness that has no effect here.
    pub const fn ignored(name: &'static str, arity: Arity, help: &'static str) -> Self {
        Self { scope: Scope::Ignored, ..Self::accepted(name, arity, help) }
    }

    pub const fn basic(self) -> Self {
        Self { is_basic: true, ..self }
    }

    pub const fn help(self, help: &'static str) -> Self {
        Self { help, ..self }
    }

    pub const fn expects(self, expects: &'static str) -> Self {
        Self { expects, ..self }
    }

    pub const fn default(self, default: &'static str) -> Self {
        Self { default, ..self }
    }

    pub const fn aliases(self, aliases: &'static [&'static str]) -> Self {
        Self { aliases, ..self }
    }

    pub const fn short(self, short: char) -> Self {
        Self { short: Some(short), ..self }
    }

    pub const fn secret(self) -> Self {
        Self { secret: true, ..self }
    }

    pub const fn cli_only(self) -> Self {
        Self { scope: Scope::Invocation, ..self }
    }

    pub const fn applies_to(self, applies_to: &'static [LemCommand]) -> Self {
        Self { applies_to, ..self }
    }

    pub const fn resume(self, resume: Resume) -> Self {
        Self { resume, ..self }
    }

    pub const fn short_for(self, name: &'static str, value: &'static str) -> Self {
        Self { short_for: Some((name, value)), ..self }
    }

    /// Returns its name and its aliases.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.name).chain(self.aliases.iter().copied())
    }

    /// Returns its environment variables, such as `LEM_BENCH_MIN_WINDOW`; none if only a flag can set it.
    pub fn variables(&self) -> impl Iterator<Item = String> {
        let names = self.names().filter(|_| self.scope == Scope::Everywhere);
        names.map(|name| format!("LEM_BENCH_{}", name.to_ascii_uppercase().replace('-', "_")))
    }

    /// Returns the first word of its `expects` and `default` texts that is a valid value.
    #[cfg(test)]
    pub fn example(&self) -> Option<String> {
        let words = self.expects.split_whitespace().chain(self.default.split_whitespace());
        let mut values = words.map(|word| word.trim_end_matches([',', ':', ';']).to_owned());
        values.find(|value| (self.set)(&mut Config::default(), std::slice::from_ref(value)).is_ok())
    }
}

/// An option of the group of modes: a switch.
pub(super) const fn mode(name: &'static str, set: Set) -> OptionSpec {
    OptionSpec::new(OptionGroup::Mode, name, Arity::Switch, set)
}

/// An option that selects benches.
pub(super) const fn selection(name: &'static str, arity: Arity, set: Set) -> OptionSpec {
    OptionSpec::new(OptionGroup::Selection, name, arity, set)
}

/// An option of output.
pub(super) const fn output(name: &'static str, arity: Arity, set: Set) -> OptionSpec {
    OptionSpec::new(OptionGroup::Output, name, arity, set)
}

/// Returns the value of an option that takes one.
pub(super) fn single(values: &[String]) -> &str {
    values.first().map_or("", String::as_str)
}

/// Parses a switch and passes it to `set`.
pub(super) fn switch(values: &[String], set: impl FnOnce(bool)) -> Result<(), InvalidValue> {
    crate::harness::parse::switch(single(values)).map(set)
}

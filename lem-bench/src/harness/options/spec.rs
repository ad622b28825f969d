//! One option: its names in each layer, what it expects, what it means and where it goes.
//!
//! Must not know layers, the command line's parser or files.

use crate::harness::config::Config;

/// How many values an option takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::harness) enum Arity {
    /// None: it is on or off.
    Switch,
    /// One, under this name in the help.
    One(&'static str),
    /// One or none, by `=` only, so that a bare filter is never swallowed.
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
    /// By flag alone: it says what this one call is about, and runners set it themselves. A twin in the environment
    /// would contradict them.
    Invocation,
    /// By flag alone, without effect: other harnesses know it.
    Accepted,
}

/// Under which heading the help shows an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::harness) enum OptionGroup {
    /// What to do.
    Mode,
    /// Which benches.
    Selection,
    /// Which part of a run.
    Runs,
    /// How they are measured.
    Protocol,
    /// In which processes.
    Processes,
    /// By what.
    Meter,
    /// With what they are compared.
    Comparison,
    /// What comes out.
    Output,
    /// What is accepted for others' sake.
    Accepted,
}

impl OptionGroup {
    /// The heading.
    pub(in crate::harness) fn heading(self) -> &'static str {
        match self {
            Self::Mode => "What to do",
            Self::Selection => "Which benches, in which order",
            Self::Runs => "Runs that are long",
            Self::Protocol => "How they are measured",
            Self::Processes => "In which processes they run",
            Self::Meter => "By what they are measured",
            Self::Comparison => "With what they are compared",
            Self::Output => "What comes out",
            Self::Accepted => "Accepted, without effect",
        }
    }
}

/// Puts texts into the configuration, or says what is wrong with them (an empty text where `expects` says it all).
pub(in crate::harness) type Set = fn(&mut Config, &[String]) -> Result<(), String>;

/// One option.
#[derive(Debug, Clone, Copy)]
pub(in crate::harness) struct OptionSpec {
    /// The flag without its dashes, a short one if it is one letter; also the key in `lem-bench.toml`.
    pub(in crate::harness) name: &'static str,
    /// Other names for it.
    pub(in crate::harness) aliases: &'static [&'static str],
    /// The short flag.
    pub(in crate::harness) short: Option<char>,
    /// How many values.
    pub(in crate::harness) arity: Arity,
    /// Where it can be set.
    pub(in crate::harness) scope: Scope,
    /// Under which heading.
    pub(in crate::harness) topic: OptionGroup,
    /// What a value has to be, to complete "expected …".
    pub(in crate::harness) expects: &'static str,
    /// What holds when it is not set.
    pub(in crate::harness) default: &'static str,
    /// What it does.
    pub(in crate::harness) help: &'static str,
    /// An option that this switch is short for, and its value.
    pub(in crate::harness) short_for: Option<(&'static str, &'static str)>,
    /// Its values are nobody's business: they are not written down.
    pub(in crate::harness) secret: bool,
    /// Where its values go.
    pub(in crate::harness) set: Set,
}

impl OptionSpec {
    pub(super) const fn new(topic: OptionGroup, name: &'static str, arity: Arity, set: Set) -> Self {
        let (expects, default) = match arity {
            Arity::Switch => ("true or false", "false"),
            _ => ("", ""),
        };
        Self {
            name,
            aliases: &[],
            short: None,
            arity,
            scope: Scope::Everywhere,
            topic,
            expects,
            default,
            help: "",
            short_for: None,
            secret: false,
            set,
        }
    }

    /// An option that other harnesses know and this one does nothing with.
    pub(super) const fn accepted(name: &'static str, arity: Arity, help: &'static str) -> Self {
        Self { scope: Scope::Accepted, help, ..Self::new(OptionGroup::Accepted, name, arity, |_, _| Ok(())) }
    }

    pub(super) const fn help(self, help: &'static str) -> Self {
        Self { help, ..self }
    }

    pub(super) const fn expects(self, expects: &'static str) -> Self {
        Self { expects, ..self }
    }

    pub(super) const fn default(self, default: &'static str) -> Self {
        Self { default, ..self }
    }

    pub(super) const fn aliases(self, aliases: &'static [&'static str]) -> Self {
        Self { aliases, ..self }
    }

    pub(super) const fn short(self, short: char) -> Self {
        Self { short: Some(short), ..self }
    }

    pub(super) const fn secret(self) -> Self {
        Self { secret: true, ..self }
    }

    pub(super) const fn cli_only(self) -> Self {
        Self { scope: Scope::Invocation, ..self }
    }

    pub(super) const fn short_for(self, name: &'static str, value: &'static str) -> Self {
        Self { short_for: Some((name, value)), ..self }
    }

    /// Its name and its other names.
    pub(in crate::harness) fn names(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.name).chain(self.aliases.iter().copied())
    }

    /// The variables that set it: `LEM_BENCH_MIN_WINDOW`. None where it can't be set by the environment.
    pub(in crate::harness) fn variables(&self) -> impl Iterator<Item = String> {
        let everywhere = self.scope == Scope::Everywhere;
        self.names().filter(move |_| everywhere).map(variable)
    }
}

/// The variable of a name.
fn variable(name: &'static str) -> String {
    format!("LEM_BENCH_{}", name.to_ascii_uppercase().replace('-', "_"))
}

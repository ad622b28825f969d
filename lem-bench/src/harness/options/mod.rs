//! The table of options, from which the command line, the environment, `lem-bench.toml`, `--show-config` and the help
//! are made.
//!
//! Must not know the layers that set them.

mod comparison;
mod libtest;
mod measurement;
mod meter;
mod orchestration;
mod output;
mod runs;
mod spec;

pub(super) use spec::{Arity, OptionGroup, OptionSpec, Scope};

/// All options, in the order in which the help shows them.
pub(super) fn all() -> impl Iterator<Item = &'static OptionSpec> {
    libtest::OPTIONS
        .iter()
        .chain(measurement::OPTIONS)
        .chain(runs::OPTIONS)
        .chain(orchestration::OPTIONS)
        .chain(meter::OPTIONS)
        .chain(comparison::OPTIONS)
        .chain(output::OPTIONS)
        .chain(libtest::ACCEPTED)
}

/// Those that the environment and `lem-bench.toml` can set.
pub(super) fn settings() -> impl Iterator<Item = &'static OptionSpec> {
    all().filter(|option| option.scope == Scope::Everywhere)
}

/// The setting of this name; `_` stands for `-`.
pub(super) fn setting(name: &str) -> Option<&'static OptionSpec> {
    let name = name.replace('_', "-");
    settings().find(|option| option.names().any(|known| known == name))
}

/// Under which heading the option of this name stands.
pub(super) fn topic_of(name: &str) -> Option<OptionGroup> {
    all().find(|option| option.name == name).map(|option| option.topic)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::harness::config::Config;

    #[test]
    fn no_two_options_share_a_name_or_a_variable() {
        let names: Vec<_> = all().flat_map(OptionSpec::names).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
        let variables: Vec<_> = all().flat_map(OptionSpec::variables).collect();
        assert_eq!(variables.iter().collect::<BTreeSet<_>>().len(), variables.len());
    }

    #[test]
    fn every_option_says_what_it_does_expects_and_is_by_default() {
        for option in all() {
            assert!(!option.help.is_empty(), "{}", option.name);
            if option.scope == Scope::Everywhere {
                assert!(!option.expects.is_empty(), "{}", option.name);
                assert!(!option.default.is_empty(), "{}", option.name);
            }
        }
    }

    #[test]
    fn what_a_switch_is_short_for_exists_and_takes_the_value() {
        for (name, value) in all().filter_map(|option| option.short_for) {
            let long = setting(name).unwrap();
            assert_eq!((long.set)(&mut Config::default(), &[value.to_owned()]), Ok(()), "{name}");
        }
    }
}

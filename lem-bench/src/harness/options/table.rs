//! All options in one table, and look-ups in it.

use super::spec::{LemCommand, OptionSpec, Resume, Scope};
use super::{libtest, measurement, meter, results};

/// Returns all options in the order in which the help shows them.
pub(in crate::harness) fn all() -> impl Iterator<Item = &'static OptionSpec> {
    libtest::OPTIONS
        .iter()
        .chain(measurement::OPTIONS)
        .chain(meter::OPTIONS)
        .chain(results::OPTIONS)
        .chain(libtest::ACCEPTED)
}

/// Returns the options that the environment and `lem-bench.toml` can set.
pub(in crate::harness) fn settings() -> impl Iterator<Item = &'static OptionSpec> {
    all().filter(|option| option.scope == Scope::Everywhere)
}

/// Returns the options of a `cargo lem` command.
pub(in crate::harness) fn of_command(command: LemCommand) -> impl Iterator<Item = &'static OptionSpec> {
    all().filter(move |option| option.applies_to.contains(&command))
}

/// Finds a setting by one of its names; `_` is the same as `-`.
pub(in crate::harness) fn setting(name: &str) -> Option<&'static OptionSpec> {
    let name = name.replace('_', "-");
    settings().find(|option| option.names().any(|known| known == name))
}

/// Returns whether the option of this name may differ when a run is resumed; false for unknown names.
pub(in crate::harness) fn may_differ_on_resume(name: &str) -> bool {
    all().any(|option| option.name == name && option.resume == Resume::MayDiffer)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::harness::config::Config;

    #[test]
    fn names_and_variables_are_unique() {
        let names: Vec<_> = all().flat_map(OptionSpec::names).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
        let variables: Vec<_> = all().flat_map(OptionSpec::variables).collect();
        assert_eq!(variables.iter().collect::<BTreeSet<_>>().len(), variables.len());
    }

    #[test]
    fn every_option_is_documented() {
        for option in all() {
            assert!(!option.help.is_empty(), "{}", option.name);
            if option.scope == Scope::Everywhere {
                assert!(!option.expects.is_empty(), "{}", option.name);
                assert!(!option.default.is_empty(), "{}", option.name);
            }
        }
    }

    #[test]
    fn every_setting_documents_a_valid_value() {
        for option in settings() {
            assert!(option.example().is_some(), "{}: {}; default: {}", option.name, option.expects, option.default);
        }
    }

    #[test]
    fn short_forms_name_an_option_and_a_valid_value() {
        for (name, value) in all().filter_map(|option| option.short_for) {
            let long = setting(name).unwrap();
            assert_eq!((long.set)(&mut Config::default(), &[value.to_owned()]), Ok(()), "{name}");
        }
    }

    #[test]
    fn resume_compares_what_is_measured() {
        for name in ["cycles", "meter", "cycles (llama/decode)", "include-ignored", "processes"] {
            assert!(!may_differ_on_resume(name), "{name}");
        }
        for name in
            ["bench", "fail-fast", "lock-file", "no-match", "no-wait", "rank-timeout", "resume", "color", "baseline"]
        {
            assert!(may_differ_on_resume(name), "{name}");
        }
    }
}

//! All facts, in the order in which they are shown.

use super::{git, machine, process};
use crate::harness::invocation::Invocation;
use crate::harness::workspace::TargetInfo;
use crate::model::{Fact, fact_names};

/// Returns how this binary was built.
pub(in crate::harness) fn build_facts(target: &TargetInfo) -> Vec<Fact> {
    known(process::build(target))
}

/// Returns what is known about the machine, the build and this process, and the facts of `--context`.
pub(in crate::harness) fn facts(call: &Invocation) -> Vec<Fact> {
    let mut facts = known(machine::facts(&call.config().open.sysfs_root));
    facts.extend(build_facts(&call.target));
    facts.extend(known(git::facts(&call.paths.cwd)));
    facts.extend(known([(fact_names::ARGUMENTS, Some(process::arguments()))]));
    facts.extend(process::variables().into_iter().map(|(name, value)| Fact { name, value }));
    let context = call.config().context.iter();
    facts.extend(
        context.map(|(key, value)| Fact { name: format!("{}{key}", fact_names::CONTEXT_PREFIX), value: value.clone() }),
    );
    facts
}

/// Keeps the facts that have a value.
fn known<const N: usize>(facts: [(&'static str, Option<String>); N]) -> Vec<Fact> {
    let fact = |(name, value): (&'static str, Option<String>)| {
        let value = value?.trim().to_owned();
        (!value.is_empty()).then(|| Fact { name: name.to_owned(), value })
    };
    facts.into_iter().filter_map(fact).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_and_empty_facts_are_left_out() {
        let facts = known([("a", Some(" x\n".to_owned())), ("b", None), ("c", Some(" ".to_owned()))]);
        assert_eq!(facts, [Fact { name: "a".to_owned(), value: "x".to_owned() }]);
    }
}

//! All facts, in the order in which they are shown.

use super::super::hints::TargetInfo;
use super::super::run::Invocation;
use super::{build, git, machine, process};
use crate::model::{Fact, fact_names};

/// A fact, if there is a value.
pub(super) fn fact(name: &str, value: Option<impl Into<String>>) -> Option<Fact> {
    let value: String = value?.into();
    let value = value.trim();
    (!value.is_empty()).then(|| Fact { name: name.to_owned(), value: value.to_owned() })
}

/// How this binary was built.
pub(in crate::harness) fn build_facts(hints: &TargetInfo) -> Vec<Fact> {
    build::facts(hints)
}

/// What is known about the machine, the build and this process, and what the user said about them.
pub(in crate::harness) fn facts(call: &Invocation) -> Vec<Fact> {
    let mut facts = machine::facts(&call.config().open.sysfs_root);
    facts.extend(build::facts(&call.hints));
    facts.extend(git::facts(&call.places.cwd));
    facts.extend(process::facts());
    let said = call.config().context.iter();
    facts.extend(
        said.map(|(key, value)| Fact { name: format!("{}{key}", fact_names::CONTEXT_PREFIX), value: value.clone() }),
    );
    facts
}

//! The bench target that results are of.

use std::fmt;

use super::{Fact, fact_names};

/// A bench target of a package. Results of different targets are never mixed, also where their benches have the same ids.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BenchTarget {
    /// Its package; `None` if it was not built by cargo.
    pub package: Option<String>,
    /// Its name.
    pub name: String,
}

impl BenchTarget {
    /// Returns the target with this name in the package that these facts name.
    pub fn of(name: &str, environment: &[Fact]) -> Self {
        let package = fact_names::find(environment, fact_names::PACKAGE);
        Self { package: package.map(str::to_owned), name: name.to_owned() }
    }

    /// Returns whether both can be the same target. An unknown package can be any.
    pub fn may_be(&self, other: &Self) -> bool {
        let is_same_package = match (&self.package, &other.package) {
            (Some(ours), Some(theirs)) => ours == theirs,
            _ => true,
        };
        is_same_package && self.name == other.name
    }

    /// Returns the id of a bench with its target, which is unique in a workspace: `alpha/energy/decode`.
    pub fn full_id(&self, bench: &str) -> String {
        format!("{self}/{bench}")
    }
}

/// Displays `package/target`, or only the target if the package is unknown.
impl fmt::Display for BenchTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.package.as_ref().map_or(Ok(()), |package| write!(f, "{package}/"))?;
        f.write_str(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(package: Option<&str>, name: &str) -> BenchTarget {
        BenchTarget { package: package.map(str::to_owned), name: name.to_owned() }
    }

    #[test]
    fn unknown_package_can_be_any() {
        let alpha = target(Some("alpha"), "energy");
        assert!(alpha.may_be(&alpha) && alpha.may_be(&target(None, "energy")) && target(None, "energy").may_be(&alpha));
        assert!(!alpha.may_be(&target(Some("beta"), "energy")));
        assert!(!alpha.may_be(&target(Some("alpha"), "llm")) && !alpha.may_be(&target(None, "llm")));
        assert_eq!(
            (alpha.full_id("sum"), target(None, "energy").to_string()),
            ("alpha/energy/sum".into(), "energy".into())
        );
    }
}

//! A difference between the environments of two results. Plain data with serde.

use serde::{Deserialize, Serialize};

/// One fact that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Difference {
    /// Which fact: `driver`, `gpu:0 power limit W`, `meter`.
    pub fact: String,
    /// The base's value; `None` where it has none.
    pub base: Option<String>,
    /// The new value; `None` where there is none.
    pub new: Option<String>,
    /// What it means for the comparison.
    pub weight: DifferenceWeight,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let side = |value: &Option<String>| value.as_ref().map_or_else(|| "unknown".to_owned(), |v| format!("`{v}`"));
        write!(f, "{}: {}, then {}", self.fact, side(&self.base), side(&self.new))
    }
}

/// What a difference means for a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum DifferenceWeight {
    /// Worth knowing when a change is looked into: another kernel, another compiler.
    Note,
    /// The two are not compared, unless the user asks for it: other hardware, driver, limit, meter or model.
    Blocks,
}

//! In which order the benches of a run are measured.

use serde::{Deserialize, Serialize};

/// An order of benches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// One bench after the other, as they stand in the binary.
    #[default]
    Grouped,
    /// Cycle by cycle: each round takes one cycle of every bench, in an order that is drawn anew.
    Interleaved,
    /// One bench after the other, in an order that is drawn.
    Shuffled,
}

/// The order of a run, so that it can be repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RunOrder {
    /// Which.
    pub order: Order,
    /// The seed that it is drawn by; `None` where nothing is drawn.
    pub seed: Option<u64>,
}

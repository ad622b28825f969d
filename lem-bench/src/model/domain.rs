//! Energy domains: what a meter's number covers, what contains what, and where the number comes from.

use serde::{Deserialize, Serialize};

/// The stable name of a domain, unique on its machine: `gpu:0`, `cpu:package-0`, `cpu:dram-0`.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct DomainId(pub String);

impl DomainId {
    /// A domain id from its text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text of the id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for DomainId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// What kind of hardware a domain is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DomainKind {
    /// A whole graphics card.
    Gpu,
    /// A module that holds a GPU and more (a Grace Hopper superchip).
    Module,
    /// A GPU's memory.
    GpuMemory,
    /// A processor package.
    Package,
    /// The cores of a processor package.
    Core,
    /// The graphics part of a processor package.
    Uncore,
    /// Main memory.
    Dram,
    /// The platform, as the processor sees it.
    Platform,
    /// A board, rail or wall socket seen by some other sensor.
    LivePower,
    /// One process' share, by a model and not by a sensor.
    Process,
}

/// One thing whose energy a meter tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Domain {
    /// Its stable name.
    pub id: DomainId,
    /// What it is.
    pub kind: DomainKind,
    /// The domain that contains this one, so that a total never counts a joule twice; `None` at the top.
    pub parent: Option<DomainId>,
    /// What a person would call it: the card's or processor's name.
    pub label: String,
}

/// Whether a number was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Read from a sensor.
    Measured,
    /// Computed from a model (CPU time times watts); no sensor was read.
    Estimated,
    /// Read from a simulated machine.
    Simulated,
}

impl Origin {
    /// Returns its name, as in JSON: `measured`, `estimated` or `simulated`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Measured => "measured",
            Self::Estimated => "estimated",
            Self::Simulated => "simulated",
        }
    }

    /// Returns the label that a number must carry if it was not measured: `(estimated)` or `(simulated)`.
    pub fn label(self) -> Option<&'static str> {
        match self {
            Self::Measured => None,
            Self::Estimated => Some("(estimated)"),
            Self::Simulated => Some("(simulated)"),
        }
    }
}

/// How a window's energy was obtained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// The difference of an energy counter between the window's edges.
    Counter,
    /// A power gauge integrated over the window.
    IntegratedPower,
}

/// Where an energy figure comes from.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Source {
    /// The meter: `nvml`, `rapl`, `estimate`, `sim`.
    pub meter: String,
    /// Whether it was measured at all.
    pub origin: Origin,
    /// Counter or integrated power.
    pub method: Method,
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let method = match self.method {
            Method::Counter => "counter",
            Method::IntegratedPower => "integrated power",
        };
        match self.origin {
            Origin::Measured => write!(f, "measured ({}, {method})", self.meter),
            Origin::Estimated => write!(f, "estimated ({})", self.meter),
            Origin::Simulated => write!(f, "simulated ({}, {method})", self.meter),
        }
    }
}

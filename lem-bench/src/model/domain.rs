//! Energy domains: which hardware a value of a meter covers, how domains are nested, and where a value comes from.

use serde::{Deserialize, Serialize};

/// The stable name of a domain, unique on its machine: `gpu:0`, `cpu:package-0`, `cpu:dram-0`.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct DomainId(String);

impl DomainId {
    /// Creates a domain id from its text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the text of the id.
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
    /// A whole GPU board.
    Gpu,
    /// A module that contains a GPU and more (a Grace Hopper superchip).
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
    /// The whole platform, as reported by the processor.
    Platform,
    /// A board, rail or wall socket, measured by another sensor.
    Board,
    /// The share of one process, computed by a model.
    Process,
}

/// A part of the machine whose energy a meter reports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Domain {
    /// Its stable name.
    pub id: DomainId,
    /// The kind of hardware.
    pub kind: DomainKind,
    /// The domain that contains this one, so that totals count no energy twice; `None` at the top level.
    pub parent: Option<DomainId>,
    /// A readable name, such as the name of the GPU or processor.
    pub label: String,
}

impl Domain {
    /// Creates a domain at the top level.
    pub fn new(id: DomainId, kind: DomainKind, label: impl Into<String>) -> Self {
        Self { id, kind, parent: None, label: label.into() }
    }

    /// Sets the domain that contains this one.
    #[must_use]
    pub fn part_of(self, parent: DomainId) -> Self {
        Self { parent: Some(parent), ..self }
    }
}

/// Whether a value was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
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
#[non_exhaustive]
pub enum Method {
    /// The difference of an energy counter between the window's edges.
    Counter,
    /// A power gauge integrated over the window.
    IntegratedPower,
}

/// Where an energy figure comes from.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
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

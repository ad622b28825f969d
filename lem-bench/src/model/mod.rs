//! What is written down: ids, domains, windows, cycles, records, environment and findings.
//!
//! Plain data with serde; no I/O, no clocks, no decisions.

mod domain;

pub use domain::{Domain, DomainId, DomainKind, Method, Origin, Source};

/// Version of every stored format; bumped when a field is added or changes its meaning.
pub const SCHEMA_VERSION: u32 = 1;

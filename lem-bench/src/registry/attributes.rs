//! What a bench asks of its measurement.
//!
//! Must not know defaults: what is not asked for is `None`.

use std::time::Duration;

/// What a bench asks of its measurement, in its attribute or by hand. `None` leaves the choice to flags and defaults.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attributes {
    /// Number of cycles; at least 2.
    pub cycles: Option<u32>,
    /// Number of windows in a cycle; at least 1.
    pub windows: Option<u32>,
    /// Rest between two cycles.
    pub gap: Option<Duration>,
    /// Words to group benches by.
    pub tags: &'static [&'static str],
    /// Set if the bench is left out unless it is asked for.
    pub ignore: Option<Ignored>,
    /// Whether the bench is measured in a process of its own whatever the command line says.
    pub isolate: bool,
    /// How many processes run the bench side by side; at least 2.
    pub processes: Option<u32>,
}

/// The mark of a bench that is left out unless it is asked for by `--ignored` or `--include-ignored`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ignored {
    /// Why, as the author put it.
    pub reason: Option<&'static str>,
}

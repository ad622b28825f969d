//! The harness contract: drives the built binary as cargo, nextest and users do.
#![expect(clippy::unwrap_used, reason = "test helpers")]

mod by_hand;
mod companion;
mod comparing;
mod custom_metrics;
mod devices;
mod disk;
mod exit_codes;
mod facts;
mod hostile;
mod lists;
mod log;
mod measuring;
mod merging;
mod modes;
mod notify;
mod options;
mod orders;
mod precision;
mod readme;
mod resume;
mod selection;
mod support;
mod surviving;
mod targets;
mod test_mode;
mod workflows;

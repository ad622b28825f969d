//! The harness contract, held by driving the built binary as cargo, nextest and users drive it.
#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod by_hand;
mod companion;
mod comparing;
mod devices;
mod exit_codes;
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
mod resume;
mod selection;
mod support;
mod surviving;
mod test_mode;
mod workflows;

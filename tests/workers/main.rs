//! End-to-end tests of workers, ranks and duels, with the built binaries.
#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod duel;
mod isolate;
mod killed_ranks;
mod ranks;
mod support;

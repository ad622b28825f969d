//! End-to-end tests of workers, ranks and duels, with the built binaries.
#![expect(clippy::unwrap_used, reason = "test helpers")]

mod duel;
mod exits;
mod isolate;
mod killed_ranks;
mod prints;
mod ranks;
mod services;
mod support;

//! Benches in processes of their own, held by driving the built binaries as users do.
#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod duel;
mod isolate;
mod killed_ranks;
mod ranks;
mod support;

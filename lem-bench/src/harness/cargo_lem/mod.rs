//! The `cargo lem` command line: one file per subcommand.

mod baseline;
mod compare;
mod doctor;
mod duel;
mod history;
mod main;
mod merge;
mod repeatability;
mod report;
mod schema;
mod subcommand;

pub use main::cargo_lem;

//! The `cargo lem` command line: one file per subcommand.

mod baseline;
mod compare;
mod main;
mod merge;
mod report;
mod runs;
mod subcommand;

pub use main::cargo_lem;

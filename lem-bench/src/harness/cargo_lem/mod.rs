//! `cargo lem`: the companion's command line. One file a subcommand, each with its arguments and what it does with them.

mod doctor;
mod duel;
mod main;
mod report;
mod schema;
mod subcommand;

pub use main::cargo_lem;

//! `cargo lem`: the companion's command line. One file a subcommand, each with its arguments and what it does with them.

mod asked;
mod baseline;
mod calibrate;
mod compare;
mod doctor;
mod duel;
mod history;
mod main;
mod merge;
mod report;
mod schema;
mod subcommand;

pub use main::cargo_lem;

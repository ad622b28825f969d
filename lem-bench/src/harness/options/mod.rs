//! The table of options. The command line, the environment variables, the keys of `lem-bench.toml`, `--show-config` and
//! the help come from it.

mod libtest;
mod measurement;
mod meter;
mod results;
mod spec;
mod table;

pub(super) use spec::{Arity, LemCommand, OptionSpec, Scope};
pub(super) use table::{all, may_differ_on_resume, of_command, setting, settings};

//! Facts about the machine, the build and the process that belong into every result. What can't be found out is left
//! out; nothing here starts a process.

mod build;
mod facts;
mod git;
mod machine;
mod process;

pub(super) use facts::{build_facts, facts};

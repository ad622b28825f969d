//! Facts about the machine, the build and the process that are saved with every result. Unknown facts are left out, and
//! no process is started to find one.

mod facts;
mod git;
mod machine;
mod process;

pub(super) use facts::{build_facts, facts};

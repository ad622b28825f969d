//! Tests of all checks, each against evidence that provokes it and evidence that just does not.

mod all;
mod device;
mod fixture;
mod machine;
mod processes;

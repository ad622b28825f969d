//! Checks: what a bench's records say against its result. One file per subject, each from evidence to findings.

mod completion;
mod device;
mod load;
mod machine;
mod run;
mod sensors;
mod steadiness;
#[cfg(test)]
mod tests;

pub(super) use run::run_all;

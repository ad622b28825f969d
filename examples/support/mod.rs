//! Runs files of statistics test vectors; shared by the example `vectors` and the test of the same name.
//!
//! Must not print: whoever runs a file reads the report.

mod dispatch;
mod file;
mod input;
mod value;

pub(crate) use file::run;

//! Progress on stderr: two live lines on a terminal, otherwise a line per bench.

mod bar;
mod lines;
mod observer;

pub(super) use observer::Progress;

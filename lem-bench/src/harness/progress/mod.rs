//! Progress on stderr while a run goes on: two lines that are rewritten on a terminal, a line a bench elsewhere.

mod bar;
mod lines;
mod observer;

pub(super) use observer::Progress;

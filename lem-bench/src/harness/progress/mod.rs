//! Progress on stderr: the result of each bench when it ends, and what happens until then.

mod live_lines;
mod observer;
mod running_results;

pub(super) use observer::Progress;

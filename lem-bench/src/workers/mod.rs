//! A body that lives in another process: the same bench binary (or another) started again to run one bench, while meter,
//! protocol and journal stay with the process that started it.
//!
//! The two talk over a socket: the worker asks what is next and reports what it did; the other side answers from the
//! same driver that it would give to a body of its own. Stamps are those of `CLOCK_MONOTONIC`, which processes of one
//! machine share.
//!
//! And the processes of a run that measure side by side: who a launcher says that this one is, how ours are started, and
//! where all of them meet. Must not know statistics, nor what is written down.

#[cfg(unix)]
mod child;
mod crew;
mod launch;
mod launcher;
mod meeting;
#[cfg(unix)]
mod remote;
#[cfg(unix)]
mod serve;
#[cfg(unix)]
mod wire;

pub use crew::crew;
pub use launch::{CaseList, Launch, ListedCase, Task, VERSION, asked_version};
pub use launcher::RankInfo;
pub use meeting::{FileBarrier, RunAnnouncement, bury};
#[cfg(unix)]
pub use remote::{body, list};
#[cfg(unix)]
pub use serve::{Answer, serve};
#[cfg(all(test, unix))]
pub(crate) use wire::fuzz;

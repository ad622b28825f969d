//! Processes of a measurement: workers, which run one body each, and ranks, which measure one bench at the same time.
//!
//! A worker is the same bench binary (or another one) started again for one bench, while meter, protocol and journal stay
//! with the process that started it. The two talk over a socket: the worker asks for each step and reports what it did;
//! the other side answers from the driver that it would give to a body of its own. Stamps are those of
//! `CLOCK_MONOTONIC`, which all processes of a machine share.
//!
//! Ranks find their number in the environment of their launcher and meet at barriers in a shared folder.

#[cfg(unix)]
mod child;
mod file_barrier;
mod launch;
mod launcher_env;
mod local_ranks;
#[cfg(unix)]
mod serve;
#[cfg(unix)]
mod wire;

#[cfg(unix)]
pub use child::{body, list};
pub use file_barrier::{FileBarrier, RunAnnouncement, mark_dead};
pub use launch::{CaseList, Launch, ListedCase, Task, VERSION, requested_protocol_version};
pub use launcher_env::RankInfo;
pub use local_ranks::spawn_ranks;
#[cfg(unix)]
pub use serve::{Answer, serve};
#[cfg(all(test, unix))]
pub(crate) use wire::fuzz;

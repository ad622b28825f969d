//! Runs benches: drives protocol, clock, sampler and bodies, and passes records and progress to observers.
//!
//! This module records evidence; analysis judges it later.

mod case_driver;
mod context;
mod cycle_recorder;
mod event;
mod host_monitor;
mod job;
mod lease;
mod loop_cost;
mod metric_recorder;
mod pacing;
mod process_end;
mod protocol_runner;
mod ranks;
mod request_recorder;
mod session;

pub use case_driver::BenchThread;
pub use context::SessionConfig;
pub use event::{Event, Interrupt, Observer, ObserverError, Progress, Stage};
pub use host_monitor::HostMonitor;
pub(crate) use job::call_body;
pub use job::{Body, Job};
pub use lease::{BodyEnd, StepResult, Until};
pub use loop_cost::{loop_ns, set_empty_bench};
pub use process_end::{ENDED_PROCESS, RunningBody, is_process_ending, report_process_end};
pub use ranks::{RankBarrier, RankMessage};
pub use session::{Session, run_once, run_once_first};

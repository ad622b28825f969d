//! Runs benches: drives protocol, clock, sampler and bodies, and passes records and progress to observers.
//!
//! This module records evidence; analysis judges it later.

mod bench_thread;
mod case_driver;
mod context;
mod cycle_recorder;
mod event;
mod host_monitor;
mod interrupt;
mod job;
mod lease;
mod protocol_runner;
mod rank_barrier;
mod ranks;
mod request_recorder;
mod session;
mod smoke_test;
mod stage_tracker;

pub use bench_thread::BenchThread;
pub(crate) use bench_thread::STACK;
pub use context::SessionConfig;
pub use event::{Event, Observer, ObserverError, Progress, Stage};
pub use host_monitor::HostMonitor;
pub use interrupt::Interrupt;
pub(crate) use job::call_body;
pub use job::{Body, Job};
pub use lease::{BodyEnd, StepResult, Until};
pub use rank_barrier::{RankBarrier, RankMessage};
pub use session::Session;
pub use smoke_test::run_once;

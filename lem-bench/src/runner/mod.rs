//! Runs benches: drives protocol, clock, sampler and bodies, and tells observers what happened.
//!
//! Records evidence and judges nothing; must not know formats, paths or the command line.

mod body;
mod case_driver;
mod event;
mod interrupt;
mod job;
mod log;
mod memory;
mod once;
mod panics;
mod player;
mod rig;
mod session;
mod side_by_side;
mod surroundings;
mod together;

pub(crate) use body::call;
pub use event::{Event, Observer, ObserverError, Progress, Stage};
pub use interrupt::Interrupt;
pub use job::{Body, Job};
pub use memory::Memory;
pub use once::run_once;
pub(crate) use player::STACK;
pub use player::{BenchThread, Ended, StepResult, Until};
pub use rig::SessionConfig;
pub use session::Session;
pub use surroundings::HostMonitor;
pub use together::{RankBarrier, RankMessage};

//! A bench in progress: its body on a thread of its own, which holds the measuring context for one step at a time.
//!
//! Grouped and interleaved orders, worker processes and duels differ only in the length of a step.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use super::case_driver::CaseDriver;
use super::context::MeasureContext;
use super::job::{Job, call_body};
use super::lease::{ContextLease, Reply, StepRequest, Until};

/// Stack size of a body's thread: 16 MiB, twice the usual main thread's, for deep models in debug builds.
pub(crate) const STACK: usize = 16 << 20;

/// A bench that has started. Dropping it ends the body and waits for its thread, so that the body releases what it holds.
#[derive(Debug)]
pub struct BenchThread {
    bench: String,
    requests: Option<Sender<StepRequest>>,
    replies: Receiver<Reply>,
    thread: Option<JoinHandle<()>>,
}

impl BenchThread {
    /// Starts the thread, which waits for its first step.
    pub(super) fn start(job: &Job) -> Result<Self, std::io::Error> {
        let (requests, request_receiver) = channel();
        let (reply_sender, replies) = channel();
        let job = job.clone();
        let bench = job.record.id.clone();
        let thread = std::thread::Builder::new().name(format!("bench {bench}")).stack_size(STACK).spawn(move || {
            if let Some(lease) = ContextLease::acquire(request_receiver, reply_sender) {
                run_body(lease, &job);
            }
        })?;
        Ok(Self { bench, requests: Some(requests), replies, thread: Some(thread) })
    }

    /// The bench's id.
    pub fn bench(&self) -> &str {
        &self.bench
    }

    /// Lends the context to the body for one step and waits until it is returned.
    pub(super) fn step(&self, context: Box<MeasureContext>, until: Until) -> Result<Reply, std::io::Error> {
        let thread_ended = || std::io::Error::other("the bench's thread ended without returning");
        let requests = self.requests.as_ref().ok_or_else(thread_ended)?;
        requests.send(StepRequest { context, until }).map_err(|_| thread_ended())?;
        self.replies.recv().map_err(|_| thread_ended())
    }
}

impl Drop for BenchThread {
    fn drop(&mut self) {
        self.requests = None;
        if let Some(thread) = self.thread.take() {
            // Panics of the body are caught and recorded; there is nothing left to report.
            drop(thread.join());
        }
    }
}

/// Runs the job's body and returns the context when it has ended.
fn run_body(mut lease: ContextLease, job: &Job) {
    let Some(context) = lease.context() else { return };
    let fixtures = context.fixtures.clone();
    let Some(mut driver) = CaseDriver::start(lease, job) else { return };
    let result = call_body(&job.body, &mut driver, fixtures);
    driver.finish(result);
}

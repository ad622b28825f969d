//! The side of the worker: runs the requested body and asks the process that started it for each step.

use std::fs::File;
use std::io::{self, BufReader, Write as _};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;

use super::launch::{CaseList, Task};
use super::wire::{WorkerCommand, WorkerMessage, invalid_data, receive, send, write};
use crate::bench::{BODY_STACK_SIZE, Driver, EdgeCalls, Fixtures, Iteration, Run, Step};
use crate::clock::{Clock, RealClock, count_process};
use crate::model::Fact;
use crate::runner::{Body, call_body};
use crate::units::Stamp;

/// A step is repeated without asking again for this long: asking takes about 20 µs, in which the device rests, and must
/// not affect the result.
const STEP_LIFETIME: Duration = Duration::from_millis(5);
/// The most bytes of reports that are buffered.
const MAX_BUFFERED: usize = 1 << 20;

/// Serves the process that started this worker until the body has ended; `answer` answers its task.
///
/// # Errors
/// The other side sends an invalid message, or standard input is not a socket.
pub fn serve(answer: impl FnOnce(&Task) -> Result<Answer, String>) -> io::Result<()> {
    let mut socket = BufReader::new(take_socket()?);
    let (body, seed) = match answer(&receive(&mut socket, &mut Vec::new())?) {
        Ok(Answer::Body(body, seed)) => (body, seed),
        Ok(Answer::List(list)) => return send(socket.get_mut(), &WorkerMessage::<()>::ListedCase(list)),
        Err(text) => return send(socket.get_mut(), &WorkerMessage::<()>::Failed(text)),
    };
    let thread = std::thread::Builder::new().name("bench".to_owned()).stack_size(BODY_STACK_SIZE);
    let thread = thread.spawn(move || {
        let mut driver =
            RemoteDriver { socket, seed, clock: RealClock, current_step: None, buffer: Vec::new(), error: Ok(()) };
        let result = call_body(&body, &mut driver, Fixtures::default());
        driver.end(result)
    })?;
    thread.join().unwrap_or_else(|_| Err(io::Error::other("the bench's thread ended without returning")))
}

/// Takes standard input as a socket. The body, and the processes that it starts, get an empty standard input.
fn take_socket() -> io::Result<UnixStream> {
    let input = io::stdin();
    let socket = UnixStream::from(input.as_fd().try_clone_to_owned()?);
    socket.peer_addr().map_err(|_| invalid_data("standard input is not a socket: only lem-bench starts workers"))?;
    let null = File::open("/dev/null")?;
    // SAFETY: both descriptors are open during the call.
    if unsafe { libc::dup2(null.as_raw_fd(), input.as_raw_fd()) } < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(socket)
}

/// The answer to a task.
pub enum Answer {
    /// The body to run, and the seed of the order of its inputs.
    Body(Body, u64),
    /// The benches of this binary.
    List(CaseList),
}

/// A driver that asks another process.
struct RemoteDriver {
    socket: BufReader<UnixStream>,
    seed: u64,
    clock: RealClock,
    /// The step to repeat, and until when.
    current_step: Option<(Step, Stamp)>,
    /// Messages that are not sent yet.
    buffer: Vec<u8>,
    /// The first error; the body has to end after it.
    error: io::Result<()>,
}

impl RemoteDriver {
    /// Sends the buffered messages and this one.
    fn send(&mut self, message: &WorkerMessage<()>) -> io::Result<()> {
        write(&mut self.buffer, message)?;
        self.socket.get_mut().write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }

    fn request_step(&mut self, in_flight: usize, edges: &mut dyn EdgeCalls) -> io::Result<Step> {
        self.send(&WorkerMessage::Next(in_flight))?;
        loop {
            match receive(&mut self.socket, &mut Vec::new())? {
                WorkerCommand::Step(step) => return Ok(step),
                WorkerCommand::Synchronize => {
                    edges.synchronize();
                    self.send(&WorkerMessage::Synchronized)?;
                }
                WorkerCommand::ReadGauges => self.send(&WorkerMessage::Gauges(edges.read_gauges()))?,
            }
        }
    }

    /// Sends how the body ended.
    fn end(mut self, result: Result<Result<(), String>, String>) -> io::Result<()> {
        std::mem::replace(&mut self.error, Ok(()))?;
        self.send(&match result {
            Ok(Ok(())) => WorkerMessage::Returned,
            Ok(Err(text)) => WorkerMessage::Failed(text),
            Err(text) => WorkerMessage::Panicked(text),
        })
    }
}

impl Driver for RemoteDriver {
    fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(self.clock)
    }

    fn seed(&self) -> u64 {
        self.seed
    }

    fn count_process(&mut self, pid: u32) -> bool {
        if self.error.is_ok() {
            self.error = self.send(&WorkerMessage::Count(pid));
        }
        count_process(pid)
    }

    fn next(&mut self, in_flight: usize, edges: &mut dyn EdgeCalls) -> Step {
        if self.error.is_ok() {
            if let Some((step, until)) = self.current_step
                && self.clock.now() < until
                && self.buffer.len() < MAX_BUFFERED
            {
                return step;
            }
            match self.request_step(in_flight, edges) {
                Ok(step) => {
                    let until = self.clock.now() + STEP_LIFETIME;
                    self.current_step = match step {
                        Step::Run(run) => {
                            let repeated = Step::Run(Run { is_start: false, ..run });
                            Some((repeated, run.wake.map_or(until, |wake| wake.min(until))))
                        }
                        Step::Drain | Step::Stop => None,
                    };
                    return step;
                }
                Err(error) => self.error = Err(error),
            }
        }
        Step::Stop
    }

    fn fact(&mut self, fact: Fact) {
        if self.error.is_ok() {
            self.error = write(&mut self.buffer, &WorkerMessage::<()>::Fact(fact));
        }
    }

    fn done(&mut self, iteration: Iteration<'_>) {
        if self.error.is_ok() {
            self.error = write(&mut self.buffer, &WorkerMessage::Did(iteration));
        }
    }
}

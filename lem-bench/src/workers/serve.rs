//! The worker's side: takes the socket that it was started with, runs the body that it is asked to run, and asks for
//! every step of it.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;

use super::launch::{Listing, Task};
use super::wire::{Frame, Order, Payload, Word, nonsense, receive};
use crate::bench::{Driver, Fixtures, Iteration, Step};
use crate::clock::{Clock, RealClock};
use crate::runner::{Body, STACK, call};
use crate::units::Stamp;

/// Iterations go on without a question between them until this much time has passed: a question costs some 20 µs, in
/// which the device rests, and must not show.
const SLICE: Duration = Duration::from_millis(5);
/// As many bytes of reports are kept back at most.
const KEPT_BACK: usize = 1 << 20;

/// Serves the one who started this process, as `answer` answers its task, until the body has ended. `orphaned` is
/// called, from whatever thread, when that one is gone: nobody waits for the bench any more.
///
/// # Errors
/// When the other side does not speak as it should, or standard input is no socket.
pub fn serve(answer: impl FnOnce(&Task) -> Result<Answer, String>, orphaned: fn()) -> io::Result<()> {
    let mut socket = take_socket()?;
    watch(&socket, orphaned)?;
    let mut buffer = Vec::new();
    receive(&mut socket, &mut buffer)?;
    let task: Task = serde_json::from_str(Payload(&buffer).text()?).map_err(io::Error::other)?;
    let mut frame = Frame::default();
    let (body, seed) = match answer(&task) {
        Ok(Answer::Body(body, seed)) => (body, seed),
        Ok(Answer::List(listing)) => {
            let text = serde_json::to_string(&listing).map_err(io::Error::other)?;
            return frame.begin(Word::Listed as u8).text(&text).send(&mut socket);
        }
        Err(text) => return frame.begin(Word::Failed as u8).failure(&text).send(&mut socket),
    };
    let thread = std::thread::Builder::new().name("bench".to_owned()).stack_size(STACK);
    let thread = thread.spawn(move || {
        let mut driver = Remote { socket, seed, clock: RealClock, grant: None, frame, buffer, broken: None };
        let ended = call(&body, &mut driver, Fixtures::default());
        driver.end(ended)
    })?;
    thread.join().unwrap_or_else(|_| Err(io::Error::other("the bench's thread ended without returning")))
}

/// Standard input as the socket that it is; whoever reads standard input from now on, the body or what it starts, finds
/// it empty.
fn take_socket() -> io::Result<UnixStream> {
    let input = io::stdin();
    let socket = UnixStream::from(input.as_fd().try_clone_to_owned()?);
    socket.peer_addr().map_err(|_| nonsense("standard input is no socket: a worker is started by lem-bench alone"))?;
    let nothing = File::open("/dev/null")?;
    // SAFETY: both are open descriptors that stay so over the call.
    if unsafe { libc::dup2(nothing.as_raw_fd(), input.as_raw_fd()) } < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(socket)
}

/// Waits, on a thread that sleeps, for the other side to go.
fn watch(socket: &UnixStream, orphaned: fn()) -> io::Result<()> {
    let socket = socket.try_clone()?;
    let wait = move || {
        let mut poll = libc::pollfd { fd: socket.as_raw_fd(), events: 0, revents: 0 };
        loop {
            // SAFETY: one valid entry, as the count says.
            let told = unsafe { libc::poll(&raw mut poll, 1, -1) };
            if told > 0 && poll.revents & libc::POLLHUP != 0 {
                return orphaned();
            }
        }
    };
    std::thread::Builder::new().name("lem-bench orphan watch".to_owned()).spawn(wait).map(drop)
}

/// What a task is answered with.
pub enum Answer {
    /// The body to run, and the seed of the order of its inputs.
    Body(Body, u64),
    /// What there is.
    List(Listing),
}

/// What may be run before the next question.
struct Grant {
    step: Step,
    until: Stamp,
}

/// A driver that asks another process.
struct Remote {
    socket: UnixStream,
    seed: u64,
    clock: RealClock,
    grant: Option<Grant>,
    /// The next question, with the reports that go with it.
    frame: Frame,
    buffer: Vec<u8>,
    broken: Option<io::Error>,
}

impl Remote {
    fn ask(&mut self, synchronize: &mut dyn FnMut()) -> io::Result<Step> {
        if self.grant.is_none() {
            self.frame.begin(Word::Next as u8);
        }
        self.frame.send(&mut self.socket)?;
        loop {
            let kind = receive(&mut self.socket, &mut self.buffer)?;
            match Order::of(kind, &self.buffer)? {
                Order::Run { choice, repeat } => {
                    self.frame.begin(Word::Next as u8);
                    return Ok(Step::Run { choice, repeat });
                }
                Order::Synchronize => {
                    synchronize();
                    self.frame.begin(Word::Synchronized as u8).send(&mut self.socket)?;
                }
                Order::Stop => return Ok(Step::Stop),
            }
        }
    }

    /// Says how the body ended.
    fn end(&mut self, ended: Result<Result<(), String>, String>) -> io::Result<()> {
        if let Some(error) = self.broken.take() {
            return Err(error);
        }
        match &ended {
            Ok(Ok(())) => self.frame.begin(Word::Returned as u8),
            Ok(Err(text)) => self.frame.begin(Word::Failed as u8).failure(text),
            Err(text) => self.frame.begin(Word::Panicked as u8).failure(text),
        };
        self.frame.send(&mut self.socket)
    }
}

impl Driver for Remote {
    fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(self.clock)
    }

    fn seed(&self) -> u64 {
        self.seed
    }

    fn next(&mut self, synchronize: &mut dyn FnMut()) -> Step {
        if let Some(Grant { step, until }) = self.grant
            && self.clock.now() < until
            && self.frame.len() < KEPT_BACK
        {
            return step;
        }
        match self.ask(synchronize) {
            Ok(step) => {
                self.grant = Some(Grant { step, until: self.clock.now() + SLICE });
                step
            }
            Err(error) => {
                self.broken = Some(error);
                Step::Stop
            }
        }
    }

    fn done(&mut self, iteration: Iteration<'_>) {
        self.frame.iteration(&iteration);
    }
}

//! The worker's side: takes the socket that it was started with, runs the body that it is asked to run, and asks for
//! every step of it.

use std::fs::File;
use std::io::{self, BufReader, Write as _};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;

use super::launch::{CaseList, Task};
use super::wire::{WorkerCommand, WorkerMessage, nonsense, receive, send, write};
use crate::bench::{Driver, Fixtures, Iteration, Step};
use crate::clock::{Clock, RealClock};
use crate::runner::{Body, STACK, call};
use crate::units::Stamp;

/// Iterations go on without a question between them until this much time has passed: a question costs some 20 µs, in
/// which the device rests, and must not show.
const SLICE: Duration = Duration::from_millis(5);
/// As many bytes of reports are kept back at most.
const KEPT_BACK: usize = 1 << 20;

/// Serves the one who started this process, as `answer` answers its task, until the body has ended.
///
/// # Errors
/// When the other side does not speak as it should, or standard input is no socket.
pub fn serve(answer: impl FnOnce(&Task) -> Result<Answer, String>) -> io::Result<()> {
    let mut socket = BufReader::new(take_socket()?);
    let (body, seed) = match answer(&receive(&mut socket, &mut Vec::new())?) {
        Ok(Answer::Body(body, seed)) => (body, seed),
        Ok(Answer::List(listing)) => return send(socket.get_mut(), &WorkerMessage::<()>::ListedCase(listing)),
        Err(text) => return send(socket.get_mut(), &WorkerMessage::<()>::Failed(text)),
    };
    let thread = std::thread::Builder::new().name("bench".to_owned()).stack_size(STACK);
    let thread = thread.spawn(move || {
        let mut driver = Remote { socket, seed, clock: RealClock, grant: None, said: Vec::new(), broken: Ok(()) };
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

/// What a task is answered with.
pub enum Answer {
    /// The body to run, and the seed of the order of its inputs.
    Body(Body, u64),
    /// What there is.
    List(CaseList),
}

/// A driver that asks another process.
struct Remote {
    socket: BufReader<UnixStream>,
    seed: u64,
    clock: RealClock,
    /// What may be done until when without a question.
    grant: Option<(Step, Stamp)>,
    /// What was said and is not sent yet.
    said: Vec<u8>,
    broken: io::Result<()>,
}

impl Remote {
    /// Sends what was said, and this.
    fn say(&mut self, word: &WorkerMessage<()>) -> io::Result<()> {
        write(&mut self.said, word)?;
        self.socket.get_mut().write_all(&self.said)?;
        self.said.clear();
        Ok(())
    }

    fn ask(&mut self, synchronize: &mut dyn FnMut()) -> io::Result<Step> {
        self.say(&WorkerMessage::Next)?;
        loop {
            match receive(&mut self.socket, &mut Vec::new())? {
                WorkerCommand::Step(step) => return Ok(step),
                WorkerCommand::Synchronize => {
                    synchronize();
                    self.say(&WorkerMessage::Synchronized)?;
                }
            }
        }
    }

    /// Says how the body ended.
    fn end(mut self, ended: Result<Result<(), String>, String>) -> io::Result<()> {
        std::mem::replace(&mut self.broken, Ok(()))?;
        self.say(&match ended {
            Ok(Ok(())) => WorkerMessage::Returned,
            Ok(Err(text)) => WorkerMessage::Failed(text),
            Err(text) => WorkerMessage::Panicked(text),
        })
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
        if self.broken.is_ok() {
            if let Some((step, until)) = self.grant
                && self.clock.now() < until
                && self.said.len() < KEPT_BACK
            {
                return step;
            }
            match self.ask(synchronize) {
                Ok(step) => {
                    self.grant = Some((step, self.clock.now() + SLICE));
                    return step;
                }
                Err(error) => self.broken = Err(error),
            }
        }
        Step::Stop
    }

    fn done(&mut self, iteration: Iteration<'_>) {
        if self.broken.is_ok() {
            self.broken = write(&mut self.said, &WorkerMessage::Did(iteration));
        }
    }
}

//! A worker as seen by its parent: its process, which never outlives the handle, the socket to it, and bodies that run
//! in it.

use std::io::{self, BufReader};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::launch::{CaseList, FLAG, Launch, Task, VERSION};
use super::local_ranks::new_process_group;
use super::wire::{StepReport, WorkerCommand, WorkerMessage, invalid_data, receive, send};
use crate::bench::{Driver, EdgeCalls, GaugeReading};
use crate::clock::{ChildCpuTimer, has_ended};
use crate::runner::{Body, Interrupt};

/// How long a worker whose socket is closed may take to exit, before it is killed.
const EXIT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a worker may take to its next message after an interrupt. The current cycle is dropped in any case.
const INTERRUPT_TIMEOUT: Duration = Duration::from_secs(5);

/// How often interrupt and time limit are checked while a worker is busy.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// A running worker.
#[derive(Debug)]
struct Worker {
    process: Child,
    /// `None` once the process has ended.
    cpu_timer: Option<ChildCpuTimer>,
    socket: BufReader<UnixStream>,
    line: Vec<u8>,
    limit: Option<Duration>,
    /// Time since the start in which other benches ran.
    waited: Duration,
    interrupt: Interrupt,
    start: Instant,
}

impl Worker {
    /// Starts a worker. Its standard input is its end of the socket; what it prints goes to stderr.
    fn start(launch: &Launch, interrupt: &Interrupt) -> io::Result<Self> {
        let (socket, worker_socket) = UnixStream::pair()?;
        socket.set_read_timeout(Some(POLL_INTERVAL))?;
        let mut command = Command::new(&launch.binary);
        command.arg(format!("{FLAG}={VERSION}")).envs(launch.env.iter().map(|(name, value)| (name, value)));
        // With its group, the processes that it starts can be killed too; and it does not outlive this process.
        new_process_group(&mut command, libc::SIGKILL);
        command.stdin(Stdio::from(OwnedFd::from(worker_socket))).stdout(io::stderr().as_fd().try_clone_to_owned()?);
        let process = command.spawn()?;
        let cpu_timer = Some(ChildCpuTimer::start(process.id()));
        tracing::debug!(pid = process.id(), "worker started");
        let (socket, limit, interrupt) = (BufReader::new(socket), launch.limit, interrupt.clone());
        let (line, waited, start) = (Vec::new(), Duration::ZERO, Instant::now());
        Ok(Self { process, cpu_timer, socket, line, limit, waited, interrupt, start })
    }

    /// Sends a message: first the task, then commands.
    ///
    /// # Errors
    /// The message cannot be sent: the worker has ended, for example.
    pub fn send(&mut self, message: &impl Serialize) -> io::Result<()> {
        send(self.socket.get_mut(), message)
    }

    /// Sets the time since the start in which other benches ran: the time limit excludes it.
    fn set_waited(&mut self, time: Duration) {
        self.waited = time;
    }

    /// Waits for the next message.
    ///
    /// # Errors
    /// `TimedOut` at the time limit, `Interrupted` when no message arrives within [`INTERRUPT_TIMEOUT`] after an
    /// interrupt, or an error of the socket.
    pub fn receive(&mut self) -> io::Result<WorkerMessage<StepReport>> {
        let mut interrupted_at = None;
        loop {
            if self.limit.is_some_and(|limit| self.start.elapsed() > limit + self.waited) {
                return Err(io::ErrorKind::TimedOut.into());
            }
            if self.interrupt.is_requested()
                && interrupted_at.get_or_insert_with(Instant::now).elapsed() > INTERRUPT_TIMEOUT
            {
                return Err(io::ErrorKind::Interrupted.into());
            }
            match receive(&mut self.socket, &mut self.line) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                message => return message,
            }
        }
    }

    /// Ends a worker that failed to answer, and returns a description of what happened to it.
    fn describe_failure(mut self, error: &io::Error) -> String {
        let limit = self.limit.unwrap_or_default().as_secs_f64();
        match error.kind() {
            io::ErrorKind::TimedOut => {
                drop(self.end(Duration::ZERO));
                format!("it did not finish within its time limit of {limit} s (--bench-timeout) and was killed")
            }
            io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => {
                let unknown = |error| format!("its process has ended for an unknown reason: {error}");
                self.end(EXIT_TIMEOUT).map_or_else(unknown, describe)
            }
            _ => format!("its process sent an unexpected message and was killed: {error}"),
        }
    }

    /// Waits until the worker has ended, for at most `timeout`; then kills its process group.
    fn end(&mut self, timeout: Duration) -> io::Result<ExitStatus> {
        let deadline = Instant::now() + timeout;
        while !has_ended(self.process.id())? {
            if Instant::now() >= deadline {
                self.kill();
                break;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        // Reads the CPU time for the last time, before `wait` removes the process.
        self.cpu_timer.take();
        let status = self.process.wait();
        tracing::debug!(pid = self.process.id(), seconds = self.start.elapsed().as_secs_f64(), ?status, "worker ended");
        status
    }

    fn kill(&self) {
        if let Ok(group) = libc::pid_t::try_from(self.process.id()) {
            // SAFETY: a system call without pointers; the child was not waited for yet, so its group's id is not reused.
            unsafe { libc::kill(-group, libc::SIGKILL) };
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if self.cpu_timer.is_some() {
            drop(self.socket.get_ref().shutdown(std::net::Shutdown::Both));
            drop(self.end(EXIT_TIMEOUT));
        }
    }
}

/// Describes the unexpected end of a process.
fn describe(status: ExitStatus) -> String {
    let dumped = if status.core_dumped() { ", core dumped" } else { "" };
    match (status.signal(), status.code()) {
        (Some(signal), _) => {
            let name = signal_hook::low_level::signal_name(signal).unwrap_or("see signal(7)");
            let why = match signal {
                libc::SIGSEGV | libc::SIGBUS => ": invalid memory access",
                libc::SIGABRT => ": abort was called, or a panic could not unwind",
                libc::SIGKILL => ": by the kernel because memory ran out, or by another process",
                libc::SIGILL => ": an instruction that this CPU does not support",
                _ => "",
            };
            format!("its process was killed by signal {signal} ({name}{why}){dumped}")
        }
        (None, Some(2)) => "its process ended with exit code 2 before the bench had started: was it built with a \
                            lem-bench without workers, or does it parse the command line itself?"
            .to_owned(),
        (None, code) => {
            format!("its process ended with exit code {} before the bench had ended", code.unwrap_or_default())
        }
    }
}

/// Returns a body that starts a worker for each call and runs the bench `id` in it; `axes` are those with other values. If
/// the worker dies, only the outcome of this bench is affected. A worker that ignores an interrupt is killed.
pub fn body(launch: Launch, id: String, axes: Vec<(String, Vec<String>)>, interrupt: Interrupt) -> Body {
    Arc::new(move |bencher| {
        let driver = bencher.delegate();
        let task = Task::Run { id: id.clone(), axes: axes.clone(), seed: driver.seed() };
        let mut worker = Worker::start(&launch, &interrupt)
            .map_err(|error| format!("cannot start {}: {error}", launch.binary.display()))?;
        match worker.send(&task).and_then(|()| run_steps(&mut worker, driver)) {
            Ok(WorkerMessage::Returned) => Ok(()),
            Ok(WorkerMessage::Failed(text)) => Err(text),
            // The worker has caught and printed the panic; raised again, it is recorded as a panic.
            Ok(WorkerMessage::Panicked(text)) => std::panic::resume_unwind(Box::new(text)),
            Ok(_) => Err(worker.describe_failure(&invalid_data("a message that was not requested"))),
            // The interrupt ends the bench; the worker is killed when its handle is dropped.
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
            Err(error) => Err(worker.describe_failure(&error)),
        }
    })
}

/// Lists the benches of a binary; `axes` are those with other values.
///
/// # Errors
/// The binary cannot be started, or is not a bench binary of this version of lem-bench.
pub fn list(launch: &Launch, axes: &[(String, Vec<String>)]) -> Result<CaseList, String> {
    let format_error = |error: &dyn std::fmt::Display| format!("{}: {error}", launch.binary.display());
    let mut worker = Worker::start(launch, &Interrupt::default()).map_err(|error| format_error(&error))?;
    match worker.send(&Task::List { axes: axes.to_vec() }).and_then(|()| worker.receive()) {
        Ok(WorkerMessage::ListedCase(list)) => Ok(list),
        Ok(WorkerMessage::Failed(text)) => Err(format_error(&text)),
        Ok(_) => Err(format_error(&"it did not list its benches")),
        Err(error) => Err(format_error(&worker.describe_failure(&error))),
    }
}

/// Runs the steps of a worker's body, and returns its last message.
fn run_steps(worker: &mut Worker, driver: &mut dyn Driver) -> io::Result<WorkerMessage<StepReport>> {
    loop {
        match worker.receive()? {
            WorkerMessage::Fact(fact) => driver.fact(fact),
            WorkerMessage::Did(report) => driver.done(report.iteration()),
            // Its result was returned in the worker.
            WorkerMessage::Count(pid) => drop(driver.count_process(pid)),
            WorkerMessage::Next(in_flight) => {
                let mut edges = WorkerEdges { worker, result: Ok(()) };
                let step = driver.next(in_flight, &mut edges);
                edges.result?;
                worker.set_waited(driver.waited());
                worker.send(&WorkerCommand::Step(step))?;
            }
            last => return Ok(last),
        }
    }
}

/// The calls at edges, which a worker answers.
struct WorkerEdges<'w> {
    worker: &'w mut Worker,
    /// The first error.
    result: io::Result<()>,
}

impl WorkerEdges<'_> {
    /// Sends a command and returns what `answer` accepts; `None` after an error.
    fn ask<T>(
        &mut self,
        command: WorkerCommand,
        answer: impl FnOnce(WorkerMessage<StepReport>) -> Option<T>,
    ) -> Option<T> {
        if self.result.is_err() {
            return None;
        }
        let message = self.worker.send(&command).and_then(|()| self.worker.receive());
        let unexpected = || invalid_data(&format!("it did not answer {command:?} as expected"));
        match message.and_then(|message| answer(message).ok_or_else(unexpected)) {
            Ok(answer) => Some(answer),
            Err(error) => {
                self.result = Err(error);
                None
            }
        }
    }
}

impl EdgeCalls for WorkerEdges<'_> {
    fn synchronize(&mut self) {
        self.ask(WorkerCommand::Synchronize, |message| matches!(message, WorkerMessage::Synchronized).then_some(()));
    }

    fn read_gauges(&mut self) -> Vec<GaugeReading> {
        let readings = |message| if let WorkerMessage::Gauges(readings) = message { Some(readings) } else { None };
        self.ask(WorkerCommand::ReadGauges, readings).unwrap_or_default()
    }
}

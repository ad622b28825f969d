//! A worker as the one who started it holds it: its process and the socket to it. It never outlives this handle.

use std::io::{self, BufReader};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde::Serialize;

use super::crew::alone;
use super::launch::{FLAG, Launch, VERSION};
use super::wire::{StepReport, WorkerMessage, receive, send};
use crate::clock::ChildCpuTimer;
use crate::runner::Interrupt;

/// How long a worker whose socket is closed may take to end, before it is ended.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a worker may take to its next step when somebody wants to stop: the cycle is dropped in any case.
const GRACE: Duration = Duration::from_secs(5);

/// How often it is looked whether somebody wants to stop or its time is up, while a worker is busy.
const LOOK: Duration = Duration::from_millis(100);

/// A worker that runs.
#[derive(Debug)]
pub(super) struct Worker {
    process: Child,
    followed: Option<ChildCpuTimer>,
    socket: BufReader<UnixStream>,
    line: Vec<u8>,
    limit: Option<Duration>,
    /// Time since then in which it was others' turn.
    waited: Duration,
    interrupt: Interrupt,
    began: Instant,
}

impl Worker {
    /// Starts it. It finds its end of the socket as its standard input; what it prints goes where ours does.
    /// A wish to stop reaches it with its next step; one that takes none is not waited for.
    pub(super) fn start(launch: &Launch, interrupt: &Interrupt) -> io::Result<Self> {
        let (socket, theirs) = UnixStream::pair()?;
        socket.set_read_timeout(Some(LOOK))?;
        let mut command = Command::new(&launch.binary);
        command.arg(format!("{FLAG}={VERSION}")).envs(launch.env.iter().map(|(name, value)| (name, value)));
        // What it starts in turn can be ended with it, by its group; and nobody waits for it when we are gone.
        alone(&mut command, libc::SIGKILL);
        let process = command.stdin(Stdio::from(OwnedFd::from(theirs))).spawn()?;
        let followed = Some(ChildCpuTimer::start(process.id()));
        tracing::debug!(pid = process.id(), "worker started");
        let (socket, limit, interrupt) = (BufReader::new(socket), launch.limit, interrupt.clone());
        let (line, waited, began) = (Vec::new(), Duration::ZERO, Instant::now());
        Ok(Self { process, followed, socket, line, limit, waited, interrupt, began })
    }

    /// Tells it something: first what it is there for, then what is next.
    pub(super) fn tell(&mut self, what: &impl Serialize) -> io::Result<()> {
        send(self.socket.get_mut(), what)
    }

    /// It was others' turn for so long since it began.
    pub(super) fn waited(&mut self, time: Duration) {
        self.waited = time;
    }

    /// Waits for its next word, until its time is up or, after a wish to stop, [`GRACE`] is over.
    pub(super) fn word(&mut self) -> io::Result<WorkerMessage<StepReport>> {
        let mut asked_at = None;
        loop {
            if self.limit.is_some_and(|limit| self.began.elapsed() > limit + self.waited) {
                return Err(io::ErrorKind::TimedOut.into());
            }
            if self.interrupt.is_requested() && asked_at.get_or_insert_with(Instant::now).elapsed() > GRACE {
                return Err(io::ErrorKind::Interrupted.into());
            }
            match receive(&mut self.socket, &mut self.line) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                word => return word,
            }
        }
    }

    /// Says what became of a worker that does not answer as it should, and ends it.
    pub(super) fn post_mortem(mut self, error: &io::Error) -> String {
        let limit = self.limit.unwrap_or_default().as_secs_f64();
        match error.kind() {
            io::ErrorKind::TimedOut => {
                drop(self.end(Duration::ZERO));
                format!("it was still not done after its time limit of {limit} s and was ended (--bench-timeout)")
            }
            io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => {
                let gone = |error| format!("its process is gone, and nobody knows how: {error}");
                self.end(PATIENCE).map_or_else(gone, describe)
            }
            _ => format!("its process does not answer as it should and was ended: {error}"),
        }
    }

    /// Waits for its end for `patience`; a worker that takes longer is killed, with what it started.
    fn end(&mut self, patience: Duration) -> io::Result<ExitStatus> {
        let until = Instant::now() + patience;
        while !has_ended(self.process.id())? {
            if Instant::now() >= until {
                self.kill();
                break;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        // Its clock is read for the last time while its process can still be found.
        self.followed.take();
        let status = self.process.wait();
        tracing::debug!(pid = self.process.id(), seconds = self.began.elapsed().as_secs_f64(), ?status, "worker ended");
        status
    }

    fn kill(&self) {
        if let Ok(group) = libc::pid_t::try_from(self.process.id()) {
            // SAFETY: a plain system call; the group is that of a child that was not waited for yet, so that its number
            // can't be anyone else's.
            unsafe { libc::kill(-group, libc::SIGKILL) };
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if self.followed.is_some() {
            drop(self.socket.get_ref().shutdown(std::net::Shutdown::Both));
            drop(self.end(PATIENCE));
        }
    }
}

/// Whether a child has ended, which leaves it to be waited for.
fn has_ended(pid: u32) -> io::Result<bool> {
    // SAFETY: all zeros is a valid `siginfo_t`.
    let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
    let flags = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
    // SAFETY: `info` is valid and writable.
    if unsafe { libc::waitid(libc::P_PID, pid, &raw mut info, flags) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // POSIX: no signal number when nothing has changed.
    Ok(info.si_signo != 0)
}

/// How a process ended that should not have.
fn describe(status: ExitStatus) -> String {
    let dumped = if status.core_dumped() { ", core dumped" } else { "" };
    match (status.signal(), status.code()) {
        (Some(signal), _) => {
            let name = signal_hook::low_level::signal_name(signal).unwrap_or("see signal(7)");
            let why = match signal {
                libc::SIGSEGV | libc::SIGBUS => ": it touched memory that is not there",
                libc::SIGABRT => ": it called abort, or a panic could not unwind",
                libc::SIGKILL => ": by the kernel when memory ran out, or by someone",
                libc::SIGILL => ": an instruction that this processor does not have",
                _ => "",
            };
            format!("its process was killed by signal {signal} ({name}{why}){dumped}")
        }
        (None, Some(2)) => "its process ended with exit code 2 before the bench had begun: was it built with a \
                            lem-bench that knows no workers, or does it read the command line itself?"
            .to_owned(),
        (None, code) => format!("its process ended with exit code {} before the bench had", code.unwrap_or_default()),
    }
}

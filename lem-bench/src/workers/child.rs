//! A worker as the one who started it holds it: its process and the socket to it. It never outlives this handle.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use super::launch::{FLAG, Launch, VERSION};
use super::wire::{Frame, Order, Word, receive};
use crate::clock::Followed;
use crate::runner::Interrupt;

/// How long a worker whose socket is closed may take to end, before it is ended.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a worker may take to its next step when somebody wants to stop: the cycle is dropped in any case.
const GRACE: Duration = Duration::from_secs(5);

/// How often it is looked whether somebody wants to stop, while a worker is busy.
const LOOK: Duration = Duration::from_millis(200);

/// A worker that runs.
#[derive(Debug)]
pub(super) struct Worker {
    process: Child,
    followed: Option<Followed>,
    socket: UnixStream,
    limit: Option<Duration>,
    /// Time since then in which it was others' turn.
    waited: Duration,
    interrupt: Interrupt,
    began: Instant,
    frame: Frame,
}

impl Worker {
    /// Starts it. It finds its end of the socket as its standard input; what it prints goes where ours does.
    /// A wish to stop reaches it with its next step; one that takes none is not waited for.
    pub(super) fn start(launch: &Launch, interrupt: &Interrupt) -> io::Result<Self> {
        let (socket, theirs) = UnixStream::pair()?;
        let process = Command::new(&launch.binary)
            .arg(format!("{FLAG}={VERSION}"))
            .envs(launch.env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            // A group of its own, so that what it starts in turn can be ended with it.
            .process_group(0)
            .spawn()?;
        let followed = Some(Followed::begin(process.id()));
        tracing::debug!(pid = process.id(), "worker started");
        let (limit, interrupt, frame) = (launch.limit, interrupt.clone(), Frame::default());
        Ok(Self { process, followed, socket, limit, waited: Duration::ZERO, interrupt, began: Instant::now(), frame })
    }

    /// Tells it, as its first frame, what it is there for.
    pub(super) fn tell(&mut self, task: &str) -> io::Result<()> {
        self.frame.begin(0).text(task).send(&mut self.socket)
    }

    /// Gives it an order.
    pub(super) fn order(&mut self, order: Order) -> io::Result<()> {
        self.frame.order(order).send(&mut self.socket)
    }

    /// It was others' turn for so long since it began.
    pub(super) fn waited(&mut self, time: Duration) {
        self.waited = time;
    }

    /// Waits for its next word, until its time is up or, after a wish to stop, [`GRACE`] is over.
    pub(super) fn word(&mut self, buffer: &mut Vec<u8>) -> io::Result<Word> {
        let mut asked_at = None;
        loop {
            let left = self.limit.map(|limit| (limit + self.waited).saturating_sub(self.began.elapsed()));
            if left.is_some_and(|left| left.is_zero()) {
                return Err(io::ErrorKind::TimedOut.into());
            }
            if self.interrupt.is_asked() && asked_at.get_or_insert_with(Instant::now).elapsed() > GRACE {
                return Err(io::ErrorKind::Interrupted.into());
            }
            if readable_within(&self.socket, left.unwrap_or(LOOK).min(LOOK))? {
                // What has begun to come is waited for, but not for ever.
                self.socket.set_read_timeout(left)?;
                break;
            }
        }
        let kind = receive(&mut self.socket, buffer).map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock => io::ErrorKind::TimedOut.into(),
            _ => error,
        })?;
        Word::of(kind)
    }

    /// Says what became of a worker that does not answer as it should, and ends it.
    pub(super) fn post_mortem(mut self, error: &io::Error) -> String {
        if error.kind() == io::ErrorKind::TimedOut {
            let limit = self.limit.unwrap_or_default().as_secs_f64();
            drop(self.end(Duration::ZERO));
            return format!("it was still not done after its time limit of {limit} s and was ended (--bench-timeout)");
        }
        let gone = matches!(
            error.kind(),
            io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset
        );
        if !gone {
            return format!("its process does not answer as it should and was ended: {error}");
        }
        match self.end(PATIENCE) {
            Ok(status) => describe(status),
            Err(error) => format!("its process is gone, and nobody knows how: {error}"),
        }
    }

    /// Waits for its end for `patience`; a worker that takes longer is killed, with what it started.
    fn end(&mut self, patience: Duration) -> io::Result<ExitStatus> {
        let until = Instant::now() + patience;
        loop {
            if has_ended(self.process.id())? {
                break;
            }
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
            drop(self.socket.shutdown(std::net::Shutdown::Both));
            drop(self.end(PATIENCE));
        }
    }
}

/// Whether there is something to read, or the other side is gone, before `time` is over.
fn readable_within(socket: &UnixStream, time: Duration) -> io::Result<bool> {
    let mut poll = libc::pollfd { fd: socket.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    let millis = time.as_millis().clamp(1, 10_000) as libc::c_int;
    // SAFETY: one valid entry, as the count says.
    match unsafe { libc::poll(&raw mut poll, 1, millis) } {
        0 => Ok(false),
        1.. => Ok(true),
        _ => match io::Error::last_os_error() {
            error if error.kind() == io::ErrorKind::Interrupted => Ok(false),
            error => Err(error),
        },
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
        (Some(signal), _) => format!("its process was killed by signal {signal} ({}){dumped}", meaning(signal)),
        (None, Some(2)) => "its process ended with exit code 2 before the bench had begun: was it built with a \
                            lem-bench that knows no workers, or does it read the command line itself?"
            .to_owned(),
        (None, code) => format!("its process ended with exit code {} before the bench had", code.unwrap_or_default()),
    }
}

fn meaning(signal: i32) -> &'static str {
    match signal {
        libc::SIGSEGV => "SIGSEGV: it touched memory that is not there",
        libc::SIGBUS => "SIGBUS: it touched memory that is not there",
        libc::SIGABRT => "SIGABRT: it called abort, or a panic could not unwind",
        libc::SIGKILL => "SIGKILL: by the kernel when memory ran out, or by someone",
        libc::SIGILL => "SIGILL: an instruction that this processor does not have",
        libc::SIGFPE => "SIGFPE: a division by zero or the like",
        libc::SIGTERM => "SIGTERM",
        libc::SIGINT => "SIGINT",
        libc::SIGXCPU => "SIGXCPU: its limit of CPU time",
        _ => "see signal(7)",
    }
}

//! Services: processes that a bench needs while it runs, such as a server. And other processes that work for a bench.

use std::fmt::{self, Debug};
use std::fs::{File, OpenOptions, remove_file};
use std::io::{self, Write as _};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::os::unix::fs::FileExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::bencher::Bencher;
use super::driver::{Driver, Fixtures};
use super::error::Error;
use crate::clock::{counted_cpu_time, end_of, has_ended};

/// How long a service may take until it is ready, unless [`ServiceBuilder::timeout`] sets another time.
const READY_TIMEOUT: Duration = Duration::from_secs(60);

/// How long one attempt to connect may take.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(500);

/// How long a service may take to end after SIGTERM, before it is killed.
const END_TIMEOUT: Duration = Duration::from_secs(3);

/// Time between two looks at a process.
const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// The lines of the log that an error shows.
const SHOWN_LINES: usize = 10;

/// The bytes at the end of the log in which these lines are looked for.
const SHOWN_BYTES: u64 = 8 << 10;

/// Kills a process group when this process has ended, however it did: then `read` returns.
const WATCHDOG: &str = r#"read -r group || exit; read -r end; kill -s KILL -- "-$group""#;

impl Bencher<'_> {
    /// Runs a server or another helper process while the benches run.
    ///
    /// All cases of this process with the same key share it, as with [`shared`](Self::shared): the first one starts it.
    /// It is started in a process group of its own, and ends with this process, however that ends, together with the
    /// processes that it started. Its CPU time, and that of these processes, counts in an estimate of the energy.
    ///
    /// ```no_run
    /// use std::process::Command;
    ///
    /// use lem_bench::prelude::*;
    ///
    /// #[energy_bench]
    /// fn chat(b: &mut Bencher) -> Result<(), lem_bench::Error> {
    ///     let mut command = Command::new("llama-server");
    ///     command.args(["--model", "model.gguf", "--port", "8080"]);
    ///     b.service("llama", command).ready_port("127.0.0.1:8080").start()?;
    ///     b.iter_requests(["Why is the sky blue?"], |prompt, request| {
    /// #       let ask = |_: &str| ["It", "is", "air"];
    ///         for _token in ask(prompt) {
    ///             request.tokens(1);
    ///         }
    ///     });
    ///     Ok(())
    /// }
    /// # lem_bench::main!();
    /// ```
    pub fn service<K: Debug>(&mut self, key: K, command: Command) -> ServiceBuilder<'_> {
        let (key, ready, timeout) = (format!("{key:?}"), Ready::Started, READY_TIMEOUT);
        ServiceBuilder {
            fixtures: self.fixtures.clone(),
            driver: &mut *self.target.driver,
            key,
            command,
            ready,
            timeout,
        }
    }

    /// Counts the CPU time of a running process, and of its descendants, in estimates of the energy from now on. Needed for
    /// a server that runs already, or for a process that the bench starts without [`service`](Self::service).
    ///
    /// With the id of this process ([`std::process::id`]), all processes that it starts are counted, also those that have
    /// ended.
    ///
    /// # Errors
    /// There is no process with this id, or the platform does not report its CPU time.
    pub fn process(&mut self, pid: u32) -> Result<(), Error> {
        if self.target.driver.count_process(pid) {
            return Ok(());
        }
        Err(Error::msg(format!("process {pid} does not run, or its CPU time cannot be read")))
    }
}

/// How to find out that a service is ready.
enum Ready<'b> {
    /// It is when it has started.
    Started,
    /// It is when it accepts connections at one of these addresses, which are those of the text.
    Port(io::Result<Vec<SocketAddr>>, String),
    /// It is when it has printed this text.
    Line(String),
    /// It is when this returns true.
    When(Box<dyn FnMut() -> bool + 'b>),
}

/// A service that is to be started. See [`Bencher::service`].
#[must_use = "does nothing until `start` is called"]
pub struct ServiceBuilder<'b> {
    driver: &'b mut dyn Driver,
    fixtures: Fixtures,
    key: String,
    command: Command,
    ready: Ready<'b>,
    timeout: Duration,
}

impl Debug for ServiceBuilder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceBuilder").field("key", &self.key).field("command", &self.command).finish_non_exhaustive()
    }
}

impl<'b> ServiceBuilder<'b> {
    /// Waits until the service accepts TCP connections at this address, such as `"127.0.0.1:8080"`. The address must be free
    /// before the service starts.
    pub fn ready_port(mut self, address: impl ToSocketAddrs + Debug) -> Self {
        let name = format!("{address:?}").replace('"', "");
        self.ready = Ready::Port(address.to_socket_addrs().map(Iterator::collect), name);
        self
    }

    /// Waits until the service has printed this text, to standard output or standard error.
    pub fn ready_line(mut self, text: impl Into<String>) -> Self {
        self.ready = Ready::Line(text.into());
        self
    }

    /// Waits until this returns true, which is called every 10 ms.
    pub fn ready_when(mut self, is_ready: impl FnMut() -> bool + 'b) -> Self {
        self.ready = Ready::When(Box::new(is_ready));
        self
    }

    /// Sets how long the service may take until it is ready. The default is one minute.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Starts the service and waits until it is ready, unless it runs already.
    ///
    /// # Errors
    /// It cannot be started, has ended, or is not ready in time. The message contains the last lines that it printed.
    pub fn start(self) -> Result<Arc<Service>, Error> {
        let Self { driver, fixtures, key, mut command, ready, timeout } = self;
        let service = fixtures
            .shared(&key, || Service::start(&mut command, ready, timeout))
            .and_then(|service| service.check().map(|()| service))
            .map_err(|error| Error::msg(format!("service {}: {error}", key.replace('"', "`"))))?;
        driver.count_process(service.pid());
        Ok(service)
    }
}

/// A process that benches need while they run. See [`Bencher::service`].
pub struct Service {
    process: Mutex<Child>,
    pid: u32,
    watchdog: Mutex<Child>,
    log: File,
}

impl Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service").field("pid", &self.pid).finish_non_exhaustive()
    }
}

impl Service {
    fn start(command: &mut Command, ready: Ready<'_>, timeout: Duration) -> Result<Self, String> {
        let mut probe = Probe::new(ready)?;
        let name = command.get_program().to_string_lossy().into_owned();
        let started = spawn(command).map_err(|error| format!("cannot start `{name}`: {error}"));
        let (process, watchdog, log) = started?;
        let pid = process.id();
        let service = Self { process: Mutex::new(process), pid, watchdog: Mutex::new(watchdog), log };
        let start = Instant::now();
        while !probe.is_ready(&service.log) {
            service.check()?;
            if start.elapsed() >= timeout {
                let seconds = timeout.as_secs_f64();
                return Err(format!("was not ready within {seconds} s: {}{}", probe.waits_for(), service.last_lines()));
            }
            std::thread::sleep(POLL_INTERVAL);
        }
        Ok(service)
    }

    /// Returns the id of the process, which is also that of its process group.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Returns the end of what it has printed to standard output and standard error.
    pub fn log(&self) -> String {
        let length = self.log.metadata().map_or(0, |metadata| metadata.len());
        read_log(&self.log, length.saturating_sub(SHOWN_BYTES))
    }

    /// Checks that it runs.
    fn check(&self) -> Result<(), String> {
        // It is waited for only when it is dropped, so that its id and that of its group are not reused before.
        match end_of(self.pid) {
            Ok(None) => Ok(()),
            Ok(Some(end)) => Err(format!("its process has ended with {end}{}", self.last_lines())),
            Err(error) => Err(format!("its process has ended: {error}{}", self.last_lines())),
        }
    }

    /// The last lines that it printed, for an error.
    fn last_lines(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        match lines.as_slice() {
            [] => "; it has printed nothing".to_owned(),
            lines => format!("; its last lines:\n  {}", lines[lines.len().saturating_sub(SHOWN_LINES)..].join("\n  ")),
        }
    }

    fn signal(&self, signal: libc::c_int) {
        if let Ok(group) = libc::pid_t::try_from(self.pid) {
            // SAFETY: a system call without pointers. The process was not waited for yet, so its group's id is not reused.
            unsafe { libc::kill(-group, signal) };
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let process = self.process.get_mut().unwrap_or_else(PoisonError::into_inner);
        let pid = process.id();
        // Its clock is not readable once it was waited for.
        counted_cpu_time();
        self.signal(libc::SIGTERM);
        let start = Instant::now();
        while has_ended(pid).is_ok_and(|has_ended| !has_ended) && start.elapsed() < END_TIMEOUT {
            std::thread::sleep(POLL_INTERVAL);
        }
        // Processes that it started may run on.
        self.signal(libc::SIGKILL);
        for child in [&mut self.process, &mut self.watchdog] {
            let child = child.get_mut().unwrap_or_else(PoisonError::into_inner);
            // An error means that it has ended.
            drop(child.kill());
            drop(child.wait());
        }
    }
}

/// Finds out whether a service is ready.
struct Probe<'b> {
    ready: Ready<'b>,
    addresses: Vec<SocketAddr>,
}

impl<'b> Probe<'b> {
    fn new(mut ready: Ready<'b>) -> Result<Self, String> {
        let mut addresses = Vec::new();
        if let Ready::Port(resolved, name) = &mut ready {
            addresses = std::mem::replace(resolved, Ok(Vec::new()))
                .map_err(|error| format!("the address {name} is not valid: {error}"))?;
            if accepts(&addresses) {
                return Err(format!("another process listens at {name} already: stop it, or use another port"));
            }
        }
        Ok(Self { ready, addresses })
    }

    fn is_ready(&mut self, log: &File) -> bool {
        match &mut self.ready {
            Ready::Started => true,
            Ready::Port(..) => accepts(&self.addresses),
            Ready::Line(text) => read_log(log, 0).contains(text.as_str()),
            Ready::When(is_ready) => is_ready(),
        }
    }

    /// Why it is not ready.
    fn waits_for(&self) -> String {
        match &self.ready {
            Ready::Started => "it has not started".to_owned(),
            Ready::Port(_, name) => format!("nothing accepts connections at {name}"),
            Ready::Line(text) => format!("it has not printed {text:?}"),
            Ready::When(_) => "the function of `ready_when` has not returned true".to_owned(),
        }
    }
}

fn accepts(addresses: &[SocketAddr]) -> bool {
    // A connection to a port that no one listens at can reach itself, where the system chooses that port for it.
    let is_other = |stream: &TcpStream| stream.local_addr().ok() != stream.peer_addr().ok();
    addresses.iter().any(|address| TcpStream::connect_timeout(address, CONNECT_TIMEOUT).is_ok_and(|s| is_other(&s)))
}

/// Starts a process in its own group, the watchdog of that group, and a log for what it prints.
fn spawn(command: &mut Command) -> io::Result<(Child, Child, File)> {
    let log = create_log()?;
    let mut watchdog = Command::new("/bin/sh")
        .args(["-c", WATCHDOG])
        .current_dir("/")
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let started = command
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log.try_clone()?)
        .spawn()
        .and_then(|mut process| {
            let pipe = watchdog.stdin.as_mut().ok_or_else(|| io::ErrorKind::BrokenPipe.into());
            pipe.and_then(|pipe| writeln!(pipe, "{}", process.id())).inspect_err(|_| {
                drop(process.kill());
                drop(process.wait());
            })?;
            Ok(process)
        });
    match started {
        Ok(process) => Ok((process, watchdog, log)),
        Err(error) => {
            drop(watchdog.kill());
            drop(watchdog.wait());
            Err(error)
        }
    }
}

/// Creates a file without a name: the system removes it when the last process that has it open ends.
fn create_log() -> io::Result<File> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let path = std::env::temp_dir().join(format!("lem-bench-service-{}-{number}.log", std::process::id()));
    let log = OpenOptions::new().read(true).append(true).create_new(true).open(&path)?;
    remove_file(&path)?;
    Ok(log)
}

/// Reads the log from `offset` to its end. What cannot be read is missing.
fn read_log(log: &File, mut offset: u64) -> String {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(read @ 1..) = log.read_at(&mut buffer, offset) {
        bytes.extend_from_slice(&buffer[..read]);
        offset += read as u64;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

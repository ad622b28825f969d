//! Starts this binary several times, as the ranks of a run, and waits until all have ended.
//!
//! Must not know what they do.

use std::io;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::launcher::OURS;
use crate::runner::Interrupt;

/// What is appended to the run's id for a process that has a GPU of its own.
pub const OWN_GPU: &str = "+gpu";

/// The processes of a run.
#[derive(Debug)]
pub struct Crew(Vec<Child>);

impl Crew {
    /// Starts `world` processes of this binary with this one's arguments, each with its rank in the run of this id, and
    /// the GPU of its number where there is one; those that are left over share them.
    ///
    /// # Errors
    /// One can't be started; then none is.
    pub fn start(run_id: &str, world: u32, gpus: &[String]) -> io::Result<Self> {
        let binary = std::env::current_exe()?;
        let mut crew = Self(Vec::new());
        for rank in 0..world {
            let number = rank as usize;
            let mut command = Command::new(&binary);
            command.args(std::env::args_os().skip(1)).stdin(Stdio::null());
            command.env(OURS, format!("{run_id}{}", if number < gpus.len() { OWN_GPU } else { "" }));
            command.env("RANK", rank.to_string()).env("LOCAL_RANK", rank.to_string());
            command.env("WORLD_SIZE", world.to_string());
            if !gpus.is_empty() {
                command.env("CUDA_VISIBLE_DEVICES", &gpus[number % gpus.len()]);
            }
            alone(&mut command);
            match command.spawn() {
                Ok(child) => crew.0.push(child),
                Err(error) => {
                    for child in &mut crew.0 {
                        drop(child.kill());
                    }
                    return Err(error);
                }
            }
        }
        Ok(crew)
    }

    /// Waits until all have ended; who wants to stop stops all of them. The exit code of each, `None` for one that a
    /// signal ended.
    ///
    /// # Errors
    /// The system does not say.
    pub fn wait(mut self, interrupt: &Interrupt) -> io::Result<Vec<Option<i32>>> {
        let mut told = false;
        let mut codes = vec![None; self.0.len()];
        let mut left: Vec<usize> = (0..codes.len()).collect();
        while !left.is_empty() {
            if interrupt.is_asked() && !told {
                told = true;
                for at in &left {
                    terminate(&self.0[*at]);
                }
            }
            let mut still = Vec::new();
            for at in left {
                match self.0[at].try_wait()? {
                    Some(status) => codes[at] = status.code(),
                    None => still.push(at),
                }
            }
            left = still;
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(codes)
    }
}

/// In a group of its own, so that Ctrl-C comes to us alone, who pass it on; and told to stop when we are gone.
#[cfg(unix)]
fn alone(command: &mut Command) {
    use std::os::unix::process::CommandExt;

    command.process_group(0);
    #[cfg(target_os = "linux")]
    // SAFETY: between fork and exec a plain system call, which allocates nothing.
    unsafe {
        command.pre_exec(|| {
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGTERM);
            Ok(())
        });
    }
}

#[cfg(not(unix))]
fn alone(_: &mut Command) {}

#[cfg(unix)]
fn terminate(child: &Child) {
    if let Ok(pid) = libc::pid_t::try_from(child.id()) {
        // SAFETY: a plain system call; the child was not waited for yet, so that its number can't be anyone else's.
        unsafe { libc::kill(pid, libc::SIGTERM) };
    }
}

#[cfg(not(unix))]
fn terminate(_: &Child) {}

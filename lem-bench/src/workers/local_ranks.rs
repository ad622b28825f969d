//! Starts this binary several times, as the ranks of a run, and waits until all have ended.

use std::io;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::launcher_env::{OWN_GPU_VARIABLE, RUN_VARIABLE};
use crate::runner::Interrupt;

/// Time between two polls of the ranks.
const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// Runs `world` processes of this binary with this process' arguments, as the ranks of the run with this id. Each rank gets
/// the GPU with its number; ranks beyond the number of GPUs share them. An interrupt stops all ranks. Calls `on_exit`
/// with each rank that has ended, and returns the exit code of each, `None` for one that a signal ended.
///
/// # Errors
/// A rank cannot be started, and then none runs; or the system does not report how they ended.
pub fn spawn_ranks(
    run_id: &str,
    world: u32,
    gpus: &[String],
    interrupt: &Interrupt,
    on_exit: impl FnMut(u32),
) -> io::Result<Vec<Option<i32>>> {
    let binary = std::env::current_exe()?;
    let mut ranks: Vec<Child> = Vec::new();
    for rank in 0..world as usize {
        let mut command = Command::new(&binary);
        command.args(std::env::args_os().skip(1)).stdin(Stdio::null()).env(RUN_VARIABLE, run_id);
        for (name, number) in [("RANK", rank), ("LOCAL_RANK", rank), ("WORLD_SIZE", world as usize)] {
            command.env(name, number.to_string());
        }
        if !gpus.is_empty() {
            command.env("CUDA_VISIBLE_DEVICES", &gpus[rank % gpus.len()]);
        }
        if rank < gpus.len() {
            command.env(OWN_GPU_VARIABLE, "1");
        }
        #[cfg(unix)]
        new_process_group(&mut command, libc::SIGTERM);
        match command.spawn() {
            Ok(child) => ranks.push(child),
            Err(error) => {
                for child in &mut ranks {
                    drop(child.kill());
                }
                return Err(error);
            }
        }
    }
    wait_for_all(ranks, interrupt, on_exit)
}

/// Waits until all ranks have ended, and returns their exit codes. After an interrupt it terminates them.
fn wait_for_all(
    mut ranks: Vec<Child>,
    interrupt: &Interrupt,
    mut on_exit: impl FnMut(u32),
) -> io::Result<Vec<Option<i32>>> {
    let mut are_terminated = false;
    let mut has_exited = vec![false; ranks.len()];
    loop {
        let statuses = ranks.iter_mut().map(Child::try_wait).collect::<io::Result<Vec<_>>>()?;
        for ((rank, status), has_exited) in (0..).zip(&statuses).zip(&mut has_exited) {
            if status.is_some() && !std::mem::replace(has_exited, true) {
                on_exit(rank);
            }
        }
        if statuses.iter().all(Option::is_some) {
            return Ok(statuses.into_iter().map(|status| status?.code()).collect());
        }
        if interrupt.is_requested() && !std::mem::replace(&mut are_terminated, true) {
            for (child, _) in ranks.iter().zip(&statuses).filter(|(_, status)| status.is_none()) {
                terminate(child);
            }
        }
        std::thread::sleep(POLL_INTERVAL);
    }
}

/// Gives the command a process group of its own, so that Ctrl-C reaches only this process. On Linux it gets `signal` when
/// the thread that starts it ends.
#[cfg(unix)]
pub(super) fn new_process_group(command: &mut Command, signal: libc::c_int) {
    use std::os::unix::process::CommandExt;

    command.process_group(0);
    #[cfg(target_os = "linux")]
    // SAFETY: between fork and exec the closure makes one system call and allocates nothing.
    unsafe {
        command.pre_exec(move || {
            libc::prctl(libc::PR_SET_PDEATHSIG, signal);
            Ok(())
        });
    }
}

#[cfg(unix)]
fn terminate(child: &Child) {
    if let Ok(pid) = libc::pid_t::try_from(child.id()) {
        // SAFETY: a system call without pointers; the child was not waited for yet, so its id is not reused.
        unsafe { libc::kill(pid, libc::SIGTERM) };
    }
}

#[cfg(not(unix))]
fn terminate(_: &Child) {}

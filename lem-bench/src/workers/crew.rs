//! Starts this binary several times, as the ranks of a run, and waits until all have ended.
//!
//! Must not know what they do.

use std::io;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::launcher::{OURS, OWN_GPU};
use crate::runner::Interrupt;

/// Runs `world` processes of this binary with this one's arguments, each with its rank in the run of this id, and the
/// GPU of its number where there is one; those that are left over share them. Who wants to stop stops all of them. The
/// exit code of each, `None` for one that a signal ended; `ended` is told of each when it has.
///
/// # Errors
/// One can't be started, and then none is; or the system does not say how they ended.
pub fn crew(
    run_id: &str,
    world: u32,
    gpus: &[String],
    interrupt: &Interrupt,
    mut ended: impl FnMut(u32),
) -> io::Result<Vec<Option<i32>>> {
    let binary = std::env::current_exe()?;
    let mut crew: Vec<Child> = Vec::new();
    for rank in 0..world as usize {
        let mut command = Command::new(&binary);
        command.args(std::env::args_os().skip(1)).stdin(Stdio::null()).env(OURS, run_id);
        command.envs(
            [("RANK", rank), ("LOCAL_RANK", rank), ("WORLD_SIZE", world as usize)].map(|(k, n)| (k, n.to_string())),
        );
        if !gpus.is_empty() {
            command.env("CUDA_VISIBLE_DEVICES", &gpus[rank % gpus.len()]);
        }
        if rank < gpus.len() {
            command.env(OWN_GPU, "1");
        }
        #[cfg(unix)]
        alone(&mut command, libc::SIGTERM);
        match command.spawn() {
            Ok(child) => crew.push(child),
            Err(error) => {
                for child in &mut crew {
                    drop(child.kill());
                }
                return Err(error);
            }
        }
    }
    let (mut told, mut gone) = (false, vec![false; crew.len()]);
    loop {
        let ends = crew.iter_mut().map(Child::try_wait).collect::<io::Result<Vec<_>>>()?;
        for (rank, gone) in (0..world).zip(&mut gone).filter(|(rank, gone)| !**gone && ends[*rank as usize].is_some()) {
            *gone = true;
            ended(rank);
        }
        if ends.iter().all(Option::is_some) {
            return Ok(ends.into_iter().map(|end| end?.code()).collect());
        }
        if interrupt.is_requested() && !std::mem::replace(&mut told, true) {
            crew.iter().zip(&ends).filter(|(_, end)| end.is_none()).for_each(|(child, _)| terminate(child));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// In a group of its own, so that Ctrl-C comes to us alone, who pass it on; and ended by this signal when we are gone.
/// What counts as that is the end of the thread that starts it.
#[cfg(unix)]
pub(super) fn alone(command: &mut Command, signal: libc::c_int) {
    use std::os::unix::process::CommandExt;

    command.process_group(0);
    #[cfg(target_os = "linux")]
    // SAFETY: between fork and exec a plain system call, which allocates nothing.
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
        // SAFETY: a plain system call; the child was not waited for yet, so that its number can't be anyone else's.
        unsafe { libc::kill(pid, libc::SIGTERM) };
    }
}

#[cfg(not(unix))]
fn terminate(_: &Child) {}

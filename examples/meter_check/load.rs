//! The load of the user: a command that runs while sensors are read, and is then measured as a whole three times.

use std::error::Error;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use lem_bench::EnergyMeter;
use lem_bench::meter::DomainId;
use lem_bench::meter::Meter;
use serde_json::{Value, json};

/// Number of measurements of the complete load.
const RUNS: u32 = 3;

/// A running load, which is restarted when it ends, and killed when this is dropped.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

fn start(command: &str) -> std::io::Result<Child> {
    // With `exec`, the child is the load itself and not a shell, so that `kill` ends it.
    Command::new("sh").arg("-c").arg(format!("exec {command}")).stdout(Stdio::null()).spawn()
}

impl Load {
    /// Starts the load, and the thread that restarts it.
    pub(crate) fn start(command: &str) -> Result<Self, Box<dyn Error>> {
        let (command, stop) = (command.to_owned(), Arc::new(AtomicBool::new(false)));
        let mut child = start(&command)?;
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(20));
                if matches!(child.try_wait(), Ok(Some(_))) {
                    let Ok(restarted) = start(&command) else { return };
                    child = restarted;
                }
            }
            drop(child.kill());
            drop(child.wait());
        });
        Ok(Self { stop, thread: Some(thread) })
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        drop(self.thread.take().map(JoinHandle::join));
    }
}

/// Measures the complete load three times. Returns energy, its standard uncertainty and bounds, time and mean power of each run.
pub(crate) fn measure_runs(
    meter: Box<dyn Meter>,
    headline: Vec<DomainId>,
    command: &str,
) -> Result<Vec<Value>, Box<dyn Error>> {
    let mut meter = EnergyMeter::with_meter(meter, headline)?;
    let mut rows = Vec::new();
    for run in 1..=RUNS {
        let measured = meter.measure(|| start(command)?.wait())?;
        if !measured.value.as_ref().is_ok_and(std::process::ExitStatus::success) {
            return Err(format!("the load `{command}` failed: {:?}", measured.value).into());
        }
        let (joules, seconds) = (measured.energy.get(), measured.elapsed.as_secs_f64());
        rows.push(json!({
            "run": run, "joules": joules, "uncertainty_j": measured.uncertainty.total().get(),
            "low_j": measured.low.get(), "high_j": measured.high.get(),
            "seconds": seconds, "mean_w": joules / seconds,
        }));
    }
    Ok(rows)
}

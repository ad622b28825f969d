//! A load that the user names: kept running while sensors are watched, and run three times from its beginning to its
//! end.

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

/// Runs of the whole load.
const RUNS: u32 = 3;

/// A load that is started again whenever it ends, until this is dropped.
pub(crate) struct Load {
    over: Arc<AtomicBool>,
    keeper: Option<JoinHandle<()>>,
}

fn start(command: &str) -> std::io::Result<Child> {
    // `exec`, so that what is ended is the load and not a shell that waits for it.
    Command::new("sh").arg("-c").arg(format!("exec {command}")).stdout(Stdio::null()).spawn()
}

impl Load {
    /// Starts it.
    pub(crate) fn keep(command: &str) -> Result<Self, Box<dyn Error>> {
        let (command, over) = (command.to_owned(), Arc::new(AtomicBool::new(false)));
        let mut child = start(&command)?;
        let told = Arc::clone(&over);
        let keeper = std::thread::spawn(move || {
            while !told.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(20));
                if matches!(child.try_wait(), Ok(Some(_))) {
                    let Ok(again) = start(&command) else { return };
                    child = again;
                }
            }
            drop(child.kill());
            drop(child.wait());
        });
        Ok(Self { over, keeper: Some(keeper) })
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        drop(self.keeper.take().map(JoinHandle::join));
    }
}

/// Runs the load three times from its beginning to its end: joules, what the sensor allows for, seconds, watts.
pub(crate) fn runs(
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
            "run": run, "joules": joules, "low_j": measured.low.get(), "high_j": measured.high.get(),
            "seconds": seconds, "mean_w": joules / seconds,
        }));
    }
    Ok(rows)
}

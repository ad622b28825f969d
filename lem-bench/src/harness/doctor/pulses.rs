//! `cargo lem doctor --pulses COMMAND`: whether a counter sees the whole time.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use super::examine::lock;
use crate::clock::RealClock;
use crate::harness::console;
use crate::harness::exit::HarnessError;
use crate::harness::invocation::Invocation;
use crate::harness::simulation::probe_effort;
use crate::meter::{self, Opened};
use crate::model::{DomainId, MeterProbe};
use crate::protocol::Profile;
use crate::sampler::{
    EnergyMeter, MeasureError, PulseTest, PulseVerdict, Sampler, SamplerConfig, probe, pulse_test, spread_of,
};

/// Counters that update more often than this are full-time: nothing of so short a period can be missed.
const MIN_PERIOD: Duration = Duration::from_millis(5);

/// The share that the power sensors of some GPUs see, for comparison.
const PART_TIME_EXAMPLE: f64 = 0.25;

/// Runs the test, and returns its result as text or JSON.
///
/// # Errors
/// There is no counter to test, the command fails, or the device is lost.
pub(in crate::harness) fn pulses(invocation: &Invocation, command: &str, json: bool) -> Result<String, HarnessError> {
    let config = invocation.config();
    let _lock = lock(config).map_err(HarnessError::machine)?;
    let mut opened =
        meter::open(&config.meter, &config.open).map_err(|error| HarnessError::invalid(error.to_string()))?;
    let probe = probe(&mut *opened.meter, &RealClock, probe_effort(Profile::Default));
    let (domain, period) = counter_to_test(&opened, &probe, &config.domains)?;
    let mut load = PulseLoad::start(command).map_err(|error| HarnessError::invalid(error.to_string()))?;
    console::note(&format!("testing the energy counter of {domain} with pulses of `{command}`: about two minutes"));
    let sampler = Sampler::start(opened.meter, Arc::new(RealClock), &probe, SamplerConfig::for_meter(&probe))
        .map_err(|error| HarnessError::machine(format!("cannot start the sampler's thread: {error}")))?;
    let mut meter = EnergyMeter::with_sampler(sampler, probe, vec![domain.clone()]);
    let result = pulse_test(&mut meter, period, |length| load.pulse(length))
        .map_err(|error| HarnessError::invalid(error.to_string()))?;
    Ok(if json {
        // Cannot fail: the data contains only structures, lists, strings and numbers.
        serde_json::to_string_pretty(&result).unwrap_or_default() + "\n"
    } else {
        text(&domain, &result)
    })
}

/// Returns the counter to test and its period: the only slow one of the selected domains.
fn counter_to_test(
    opened: &Opened,
    probe: &MeterProbe,
    selected: &[String],
) -> Result<(DomainId, Duration), HarnessError> {
    let domains = match selected {
        [] => opened.headline.clone(),
        names => meter::select(opened.meter.domains(), names)
            .map_err(|error| HarnessError::usage(format!("--domain: {error}")))?,
    };
    let slow = |domain: &DomainId| {
        let period = Duration::try_from_secs_f64(probe.channel(domain, true)?.update_period_s?).ok()?;
        (period >= MIN_PERIOD).then(|| (domain.clone(), period))
    };
    let mut counters: Vec<_> = domains.iter().filter_map(slow).collect();
    match counters.len() {
        1 => Ok(counters.remove(0)),
        0 => Err(HarnessError::invalid(format!(
            "{} has no energy counter that updates every {} ms or more rarely: there is nothing to test",
            opened.meter.name(),
            MIN_PERIOD.as_millis()
        ))),
        _ => {
            let ids: Vec<&str> = counters.iter().map(|(domain, _)| domain.as_str()).collect();
            Err(HarnessError::usage(format!(
                "choose the domain on which the command runs with --domain: {}",
                ids.join(", ")
            )))
        }
    }
}

/// Why a pulse failed.
#[derive(Debug, thiserror::Error)]
enum PulseError {
    #[error(transparent)]
    Measure(#[from] MeasureError),
    #[error("cannot start `{command}`: {source}")]
    Start { command: String, source: std::io::Error },
    #[error(
        "`{command}` ended or closed its pipes: it has to read lines with a length in ms until its stdin ends, and to answer each with a line"
    )]
    Ended { command: String },
}

/// A running command that makes pulses of load.
struct PulseLoad {
    command: String,
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

impl PulseLoad {
    fn start(command: &str) -> Result<Self, PulseError> {
        let failed = |source| PulseError::Start { command: command.to_owned(), source };
        let mut child = Command::new("sh")
            .args(["-c", command])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        let (stdin, stdout) = pipes.ok_or_else(|| failed(std::io::ErrorKind::BrokenPipe.into()))?;
        Ok(Self { command: command.to_owned(), child, stdin: Some(stdin), stdout: BufReader::new(stdout) })
    }

    /// Lets the command load the device for this time.
    fn pulse(&mut self, length: Duration) -> Result<(), PulseError> {
        let ended = || PulseError::Ended { command: self.command.clone() };
        let stdin = self.stdin.as_mut().ok_or_else(ended)?;
        writeln!(stdin, "{}", length.as_secs_f64() * 1e3).and_then(|()| stdin.flush()).map_err(|_| ended())?;
        let mut answer = String::new();
        match self.stdout.read_line(&mut answer) {
            Ok(1..) => Ok(()),
            _ => Err(ended()),
        }
    }
}

impl Drop for PulseLoad {
    fn drop(&mut self) {
        // The command ends when its stdin does.
        drop(self.stdin.take());
        drop(self.child.wait());
    }
}

fn text(domain: &DomainId, test: &PulseTest) -> String {
    let period_ms = test.period_s * 1e3;
    let mut lines = vec![format!(
        "energy counter of {domain}, which updates every {period_ms:.0} ms; {:.1} W at rest; pulses at random moments:",
        test.rest_w
    )];
    lines.extend(test.pulses.iter().map(|pulses| {
        format!(
            "  {:.0} ms ({:.1} ms taken): {:.4} J above rest, spread {:.1} % over {} pulses, stated uncertainty {:.1} %; a \
             counter that sees {:.0} % of the time would spread by {:.0} %",
            pulses.length_s * 1e3,
            pulses.took_s * 1e3,
            pulses.mean_j,
            100.0 * pulses.spread(),
            pulses.count,
            100.0 * pulses.uncertainty_j / pulses.mean_j,
            100.0 * PART_TIME_EXAMPLE,
            100.0 * spread_of(pulses.took_s / test.period_s, PART_TIME_EXAMPLE),
        )
    }));
    let (low, high) = (100.0 * test.seen.0, 100.0 * test.seen.1);
    lines.push(match test.verdict {
        PulseVerdict::FullTime => format!(
            "It sees at least {low:.0} % of the time: it is full-time. With `--full-time-counters`, the uncertainty of windows has \
             no allowance for unseen time."
        ),
        PulseVerdict::PartTime => format!(
            "It sees {low:.0} to {high:.0} % of the time: it is part-time. The uncertainty of windows allows for it."
        ),
        PulseVerdict::Undecided => format!(
            "It sees {low:.0} to {high:.0} % of the time, which is not decided: the pulses differ too much. Use a load that \
             takes more power, with pulses of equal length."
        ),
    });
    lines.join("\n") + "\n"
}

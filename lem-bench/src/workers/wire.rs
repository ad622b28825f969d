//! The messages between a worker and the process that started it: JSON, one message per line. Input is not trusted: the
//! length of a line is limited.

use std::io::{self, BufRead, Read, Write};
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::launch::CaseList;
use crate::bench::{GaugeReading, Iteration, Mark, MetricMark, PhaseMark, Step, Tally};
use crate::model::Fact;
use crate::units::Stamp;

/// The largest line in bytes, enough for more than a million output tokens in one request.
const MAX_LINE: usize = 64 << 20;

/// A command to a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum WorkerCommand {
    /// Repeat this step for a while, then ask again.
    Step(Step),
    /// Wait until the device is idle, then answer `Synchronized`.
    Synchronize,
    /// Read the gauges, then answer `Gauges`.
    ReadGauges,
}

/// A message from a worker.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum WorkerMessage<R> {
    /// A fact about what is measured.
    Fact(Fact),
    /// The report of a step.
    Did(R),
    /// The request for the next step, with the number of concurrent requests in flight.
    Next(usize),
    /// The device is idle.
    Synchronized,
    /// The values of the gauges.
    Gauges(Vec<GaugeReading>),
    /// The CPU time of this process and its descendants counts as that of the bench.
    Count(u32),
    /// The body has returned without an error.
    Returned,
    /// The body has failed, and the reason.
    Failed(String),
    /// The body has panicked, and the text of the panic.
    Panicked(String),
    /// The benches of the binary.
    ListedCase(CaseList),
}

/// The report of a step, as received.
#[derive(Debug, Deserialize)]
pub(super) struct StepReport {
    start: Stamp,
    is_arrival: bool,
    dropped: u32,
    stop: Stamp,
    done: u32,
    failed: u32,
    failure: Option<String>,
    times_ns: Vec<u64>,
    prepared: Duration,
    tally: Tally,
    marks: Vec<Mark>,
    phases: Vec<PhaseMark>,
    metrics: Vec<MetricMark>,
}

impl StepReport {
    pub fn iteration(&self) -> Iteration<'_> {
        Iteration {
            start: self.start,
            is_arrival: self.is_arrival,
            dropped: self.dropped,
            stop: self.stop,
            done: self.done,
            failed: self.failed,
            failure: self.failure.as_deref(),
            times_ns: &self.times_ns,
            prepared: self.prepared,
            tally: &self.tally,
            marks: &self.marks,
            phases: &self.phases,
            metrics: &self.metrics,
        }
    }
}

/// Appends a message to a buffer.
pub(super) fn write(buffer: &mut Vec<u8>, message: &impl Serialize) -> io::Result<()> {
    let start = buffer.len();
    serde_json::to_writer(&mut *buffer, message)?;
    buffer.push(b'\n');
    match buffer.len() - start {
        len if len > MAX_LINE => Err(invalid_data(&format!("a request reported {len} bytes, more than {MAX_LINE}"))),
        _ => Ok(()),
    }
}

/// Sends a message.
pub(super) fn send(socket: &mut impl Write, message: &impl Serialize) -> io::Result<()> {
    let mut line = Vec::new();
    write(&mut line, message)?;
    socket.write_all(&line)
}

/// Receives the next message. `line` holds what has arrived of it so far: after a timeout, call again with the same one.
pub(super) fn receive<T: DeserializeOwned>(socket: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<T> {
    let limit = (MAX_LINE + 1).saturating_sub(line.len());
    socket.take(limit as u64).read_until(b'\n', line)?;
    if line.last() != Some(&b'\n') {
        return Err(if line.len() > MAX_LINE {
            invalid_data("a line is too long")
        } else {
            io::ErrorKind::UnexpectedEof.into()
        });
    }
    let message = serde_json::from_slice(line);
    line.clear();
    message.map_err(|error| invalid_data(&error.to_string()))
}

pub(super) fn invalid_data(text: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, text.to_owned())
}

/// For tests with hostile input.
#[cfg(test)]
pub(crate) mod fuzz {
    use super::*;
    use crate::bench::{InputChoice, Run};
    use crate::workers::Task;

    /// Messages of both sides.
    pub(crate) fn samples() -> Vec<Vec<u8>> {
        let tally = Tally { input_tokens: 3, output_tokens: 4, iterations: 0, units: vec![("images", 7)] };
        let marks = [Mark { at: Stamp(10), tokens: 2, sequence: 9 }; 5];
        let phases = [PhaseMark { name: "prefill", start: Stamp(6), stop: Stamp(9) }];
        let metrics = [MetricMark { name: "hits", value: 0.5, at: Stamp(7) }];
        let iteration = Iteration {
            start: Stamp(5),
            is_arrival: false,
            dropped: 0,
            stop: Stamp(900),
            done: 1,
            failed: 2,
            failure: Some("no route"),
            times_ns: &[895],
            prepared: Duration::from_nanos(3),
            tally: &tally,
            marks: &marks,
            phases: &phases,
            metrics: &metrics,
        };
        let (mut report, mut commands, mut task) = (Vec::new(), Vec::new(), Vec::new());
        write(&mut report, &WorkerMessage::<()>::Fact(Fact::new("model", "tiny"))).unwrap();
        write(&mut report, &WorkerMessage::Did(&iteration)).unwrap();
        write(&mut report, &WorkerMessage::<()>::Next(2)).unwrap();
        let reading = GaugeReading { name: "kv_cache_used".to_owned(), unit: "bytes".to_owned(), value: 7.0 };
        write(&mut report, &WorkerMessage::<()>::Gauges(vec![reading])).unwrap();
        for command in [
            WorkerCommand::Step(Step::Run(Run::new(InputChoice::Next, 9))),
            WorkerCommand::Step(Step::Drain),
            WorkerCommand::Synchronize,
            WorkerCommand::ReadGauges,
            WorkerCommand::Step(Step::Stop),
        ] {
            write(&mut commands, &command).unwrap();
        }
        write(&mut task, &Task::Run { id: "decode".into(), axes: vec![("batch".into(), vec!["1".into()])], seed: 7 })
            .unwrap();
        vec![report, commands, task]
    }

    /// Reads messages as either side does. Returns whether all could be read.
    pub(crate) fn read(mut bytes: &[u8]) -> bool {
        let all = bytes;
        let mut line = Vec::new();
        while let Ok(message) = receive::<WorkerMessage<StepReport>>(&mut bytes, &mut line) {
            if let WorkerMessage::Did(report) = &message {
                let _ = report.iteration();
            }
        }
        let (mut commands, mut task) = (all, all);
        while receive::<WorkerCommand>(&mut commands, &mut line).is_ok() {}
        let is_task = receive::<Task>(&mut task, &mut line).is_ok();
        bytes.is_empty() || commands.is_empty() || is_task
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn report_round_trip() {
        let tally = Tally { input_tokens: 3, output_tokens: 4, iterations: 0, units: vec![("images", 7)] };
        let marks =
            [Mark { at: Stamp(10), tokens: 2, sequence: 9 }, Mark { at: Stamp(u64::MAX), tokens: 1, sequence: 0 }];
        let phases = [PhaseMark { name: "prefill\n", start: Stamp(6), stop: Stamp(9) }];
        let metrics =
            [0.1 + 0.2, f64::NAN, f64::INFINITY].map(|value| MetricMark { name: "hits", value, at: Stamp(7) });
        let (start, stop) = (Stamp(5), Stamp(900));
        let iteration = Iteration {
            start,
            is_arrival: true,
            dropped: 0,
            stop,
            done: 1,
            failed: 2,
            failure: Some("no \"route\"\n"),
            times_ns: &[3, 4],
            prepared: Duration::ZERO,
            tally: &tally,
            marks: &marks,
            phases: &phases,
            metrics: &metrics,
        };
        let (mut bytes, mut line) = (Vec::new(), Vec::new());
        write(&mut bytes, &WorkerMessage::Did(&iteration)).unwrap();
        write(&mut bytes, &WorkerCommand::Synchronize).unwrap();
        let mut bytes = bytes.as_slice();
        let WorkerMessage::Did(report) = receive::<WorkerMessage<StepReport>>(&mut bytes, &mut line).unwrap() else {
            panic!("no report")
        };
        assert_eq!(format!("{:?}", report.iteration()), format!("{iteration:?}"));
        assert_eq!(receive::<WorkerCommand>(&mut bytes, &mut line).unwrap(), WorkerCommand::Synchronize);
        assert_eq!(receive::<WorkerCommand>(&mut bytes, &mut line).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn gauges_round_trip() {
        let reading = |value| GaugeReading { name: "kv".to_owned(), unit: "bytes".to_owned(), value };
        let sent = [1e300, f64::NEG_INFINITY].map(reading);
        let (mut bytes, mut line) = (Vec::new(), Vec::new());
        write(&mut bytes, &WorkerMessage::<()>::Gauges(sent.to_vec())).unwrap();
        let received = receive::<WorkerMessage<StepReport>>(&mut bytes.as_slice(), &mut line).unwrap();
        assert!(matches!(received, WorkerMessage::Gauges(readings) if readings == sent));
    }

    #[test]
    fn joins_partial_lines_and_rejects_endless_ones() {
        /// Returns one byte, then `WouldBlock`, in turn.
        struct Drip(&'static [u8], bool);
        impl Read for Drip {
            fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
                self.1 = !self.1;
                if self.1 { self.0.read(&mut into[..1]) } else { Err(io::ErrorKind::WouldBlock.into()) }
            }
        }
        let (mut from, mut line) = (io::BufReader::new(Drip(b"\"Synchronize\"\n", false)), Vec::new());
        let is_waiting = |message: &io::Result<WorkerCommand>| {
            message.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
        };
        let attempts = (0..99).take_while(|_| is_waiting(&receive(&mut from, &mut line))).count();
        assert_eq!(attempts, 13, "the fourteenth byte ends the line");
        let endless = receive::<WorkerCommand>(&mut io::BufReader::new(io::repeat(b'x')), &mut Vec::new()).unwrap_err();
        assert!(endless.to_string().contains("too long"), "{endless}");
    }
}

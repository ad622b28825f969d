//! What the two sides say to each other: lines of JSON, one a word.
//!
//! Trusts nothing that comes in: a line has a largest size. Must not know processes, nor what is done about a word.

use std::io::{self, BufRead, Read, Write};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::launch::CaseList;
use crate::bench::{Iteration, Mark, PhaseMark, Step, Tally};
use crate::units::Stamp;

/// Longest line, in bytes: more than a million output tokens in one request.
const LONGEST: usize = 64 << 20;

/// What a worker is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum WorkerCommand {
    /// Take this step, again and again until a slice of time has passed, then ask anew.
    Step(Step),
    /// Wait until the device has done all that was asked of it, then say so.
    Synchronize,
}

/// What a worker says.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum WorkerMessage<R> {
    /// What it did in a step.
    Did(R),
    /// It has set up, or has run a slice, and asks what is next.
    Next,
    /// It has waited for the device.
    Synchronized,
    /// The body returned well.
    Returned,
    /// It failed, and why.
    Failed(String),
    /// It panicked, and what it said.
    Panicked(String),
    /// What benches there are.
    ListedCase(CaseList),
}

/// What was done in a step, as it comes from the other side.
#[derive(Debug, Deserialize)]
pub(super) struct StepReport {
    start: Stamp,
    stop: Stamp,
    done: u32,
    failed: u32,
    failure: Option<String>,
    tally: Tally,
    marks: Vec<Mark>,
    phases: Vec<PhaseMark>,
}

impl StepReport {
    pub(super) fn iteration(&self) -> Iteration<'_> {
        let Self { start, stop, done, failed, ref failure, ref tally, ref marks, ref phases } = *self;
        Iteration { start, stop, done, failed, failure: failure.as_deref(), tally, marks, phases }
    }
}

/// Appends a line to what is sent next.
pub(super) fn write(to: &mut Vec<u8>, what: &impl Serialize) -> io::Result<()> {
    let from = to.len();
    serde_json::to_writer(&mut *to, what)?;
    to.push(b'\n');
    match to.len() - from {
        len if len > LONGEST => Err(nonsense(&format!("a request reported {len} bytes, more than {LONGEST}"))),
        _ => Ok(()),
    }
}

/// Sends a line.
pub(super) fn send(to: &mut impl Write, what: &impl Serialize) -> io::Result<()> {
    let mut line = Vec::new();
    write(&mut line, what)?;
    to.write_all(&line)
}

/// Receives the next line by way of `line`, which holds what has come of it so far: after a time-out, call it again.
pub(super) fn receive<T: DeserializeOwned>(from: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<T> {
    let left = (LONGEST + 1).saturating_sub(line.len());
    from.take(left as u64).read_until(b'\n', line)?;
    if line.last() != Some(&b'\n') {
        return Err(if line.len() > LONGEST {
            nonsense("a line of an impossible length")
        } else {
            io::ErrorKind::UnexpectedEof.into()
        });
    }
    let word = serde_json::from_slice(line);
    line.clear();
    word.map_err(|error| nonsense(&error.to_string()))
}

pub(super) fn nonsense(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

/// For the tests with hostile bytes.
#[cfg(test)]
pub(crate) mod fuzz {
    use super::*;
    use crate::bench::InputChoice;
    use crate::workers::Task;

    /// What both sides send.
    pub(crate) fn samples() -> Vec<Vec<u8>> {
        let tally = Tally { input_tokens: 3, output_tokens: 4, units: vec![("images", 7)] };
        let marks = [Mark { at: Stamp(10), tokens: 2, sequence: 9 }; 5];
        let phases = [PhaseMark { name: "prefill", start: Stamp(6), stop: Stamp(9) }];
        let (start, stop, failure) = (Stamp(5), Stamp(900), Some("no route"));
        let iteration =
            Iteration { start, stop, done: 1, failed: 2, failure, tally: &tally, marks: &marks, phases: &phases };
        let (mut report, mut orders, mut task) = (Vec::new(), Vec::new(), Vec::new());
        write(&mut report, &WorkerMessage::Did(&iteration)).unwrap();
        write(&mut report, &WorkerMessage::<()>::Next).unwrap();
        for order in [
            WorkerCommand::Step(Step::Run { choice: InputChoice::Next, repeat: 9 }),
            WorkerCommand::Synchronize,
            WorkerCommand::Step(Step::Stop),
        ] {
            write(&mut orders, &order).unwrap();
        }
        write(&mut task, &Task::Run { id: "decode".into(), axes: vec![("batch".into(), vec!["1".into()])], seed: 7 })
            .unwrap();
        vec![report, orders, task]
    }

    /// Reads lines as either side would; whether all of them could be.
    pub(crate) fn read(mut bytes: &[u8]) -> bool {
        let all = bytes;
        let mut line = Vec::new();
        while let Ok(word) = receive::<WorkerMessage<StepReport>>(&mut bytes, &mut line) {
            if let WorkerMessage::Did(report) = &word {
                let _ = report.iteration();
            }
        }
        let (mut orders, mut task) = (all, all);
        while receive::<WorkerCommand>(&mut orders, &mut line).is_ok() {}
        let is_task = receive::<Task>(&mut task, &mut line).is_ok();
        bytes.is_empty() || orders.is_empty() || is_task
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_reported_comes_back_as_it_was() {
        let tally = Tally { input_tokens: 3, output_tokens: 4, units: vec![("images", 7)] };
        let marks =
            [Mark { at: Stamp(10), tokens: 2, sequence: 9 }, Mark { at: Stamp(u64::MAX), tokens: 1, sequence: 0 }];
        let phases = [PhaseMark { name: "prefill\n", start: Stamp(6), stop: Stamp(9) }];
        let (start, stop) = (Stamp(5), Stamp(900));
        let iteration = Iteration {
            start,
            stop,
            done: 1,
            failed: 2,
            failure: Some("no \"route\"\n"),
            tally: &tally,
            marks: &marks,
            phases: &phases,
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
    fn what_comes_in_pieces_is_put_together_and_what_never_ends_is_refused() {
        /// Gives a byte, then has nothing for now.
        struct Drip(&'static [u8], bool);
        impl Read for Drip {
            fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
                self.1 = !self.1;
                if self.1 { self.0.read(&mut into[..1]) } else { Err(io::ErrorKind::WouldBlock.into()) }
            }
        }
        let (mut from, mut line) = (io::BufReader::new(Drip(b"\"Synchronize\"\n", false)), Vec::new());
        let is_waiting = |word: &io::Result<WorkerCommand>| {
            word.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
        };
        let waits = (0..99).take_while(|_| is_waiting(&receive(&mut from, &mut line))).count();
        assert_eq!(waits, 13, "the fourteenth byte ends the line");
        let endless = receive::<WorkerCommand>(&mut io::BufReader::new(io::repeat(b'x')), &mut Vec::new()).unwrap_err();
        assert!(endless.to_string().contains("impossible length"), "{endless}");
    }
}

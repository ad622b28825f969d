//! What the two sides say to each other, as bytes: frames of a length, a kind and what belongs to it, little-endian.
//!
//! Trusts nothing that comes in: a frame has a largest size, a text and a list can't be longer than what is there. Must
//! not know processes, nor what a word means.

use std::io::{self, Read, Write};

use crate::bench::{Choice, Iteration, Mark, PhaseMark, Tally};
use crate::units::Stamp;

/// Longest frame, in bytes: four million output tokens in one request.
const LONGEST: usize = 64 << 20;
/// Longest text of a failure, in bytes.
const LONGEST_TEXT: usize = 64 << 10;

/// What a worker is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// Run iterations until a slice of time has passed, at least one, then report.
    Run { choice: Choice, repeat: u32 },
    /// Wait until the device has done all that was asked of it, then say so.
    Synchronize,
    /// Return from `iter…`.
    Stop,
}

/// The kind of what a worker says; what belongs to it follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    /// The body has set up, or has run a slice, and asks what is next: the iterations since it asked last.
    Next = 1,
    /// It has waited for the device.
    Synchronized = 2,
    /// It returned well.
    Returned = 3,
    /// It failed: a text.
    Failed = 4,
    /// It panicked: a text.
    Panicked = 5,
    /// What benches there are: a text in JSON.
    Listed = 6,
}

/// A frame that is being put together; its memory is kept from one to the next.
#[derive(Debug, Default)]
pub(super) struct Frame(Vec<u8>);

impl Frame {
    /// Begins anew.
    pub(super) fn begin(&mut self, kind: u8) -> &mut Self {
        self.0.clear();
        self.0.extend_from_slice(&[0, 0, 0, 0, kind]);
        self
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        self.number(text.len() as u64);
        self.0.extend_from_slice(text.as_bytes());
        self
    }

    /// Adds the text of a failure, of which the beginning will do.
    pub(super) fn failure(&mut self, text: &str) -> &mut Self {
        let mut end = text.len().min(LONGEST_TEXT);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        self.text(&text[..end])
    }

    fn number(&mut self, n: u64) -> &mut Self {
        self.0.extend_from_slice(&n.to_le_bytes());
        self
    }

    /// Adds what was done in a step.
    pub(super) fn iteration(&mut self, iteration: &Iteration<'_>) {
        self.number(iteration.start.nanos()).number(iteration.stop.nanos());
        self.number(u64::from(iteration.done)).number(u64::from(iteration.failed));
        self.failure(iteration.failure.unwrap_or_default());
        self.number(iteration.tally.input_tokens).number(iteration.tally.output_tokens);
        self.number(iteration.tally.units.len() as u64);
        for (unit, n) in &iteration.tally.units {
            self.text(unit).number(*n);
        }
        self.number(iteration.marks.len() as u64);
        for mark in iteration.marks {
            self.number(mark.at.nanos()).number(u64::from(mark.tokens) << 32 | u64::from(mark.sequence));
        }
        self.number(iteration.phases.len() as u64);
        for phase in iteration.phases {
            self.text(phase.name).number(phase.start.nanos()).number(phase.stop.nanos());
        }
    }

    /// Sends it, in one write.
    pub(super) fn send(&mut self, to: &mut impl Write) -> io::Result<()> {
        let len = self.0.len() - 4;
        if len > LONGEST {
            return Err(io::Error::other(format!("a request reported {len} bytes, more than {LONGEST}")));
        }
        self.0[..4].copy_from_slice(&(len as u32).to_le_bytes());
        to.write_all(&self.0)
    }

    /// Puts an order into it.
    pub(super) fn order(&mut self, order: Order) -> &mut Self {
        match order {
            Order::Run { choice: Choice::First, repeat } => self.begin(1).number(u64::from(repeat)),
            Order::Run { choice: Choice::Next, repeat } => self.begin(2).number(u64::from(repeat)),
            Order::Synchronize => self.begin(3),
            Order::Stop => self.begin(4),
        }
    }
}

/// Receives the next frame into `buffer`; its kind.
pub(super) fn receive(from: &mut impl Read, buffer: &mut Vec<u8>) -> io::Result<u8> {
    let mut head = [0; 5];
    from.read_exact(&mut head)?;
    let [a, b, c, d, kind] = head;
    let len = (u32::from_le_bytes([a, b, c, d]) as usize).checked_sub(1).filter(|len| *len < LONGEST);
    let len = len.ok_or_else(|| nonsense("a frame of an impossible length"))?;
    buffer.clear();
    // Memory follows what really comes, not what the length promises.
    if from.take(len as u64).read_to_end(buffer)? == len { Ok(kind) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

pub(super) fn nonsense(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

impl Word {
    pub(super) fn of(kind: u8) -> io::Result<Self> {
        [Self::Next, Self::Synchronized, Self::Returned, Self::Failed, Self::Panicked, Self::Listed]
            .into_iter()
            .find(|word| *word as u8 == kind)
            .ok_or_else(|| nonsense("a word of an unknown kind"))
    }
}

impl Order {
    /// Reads an order back.
    pub(super) fn of(kind: u8, payload: &[u8]) -> io::Result<Self> {
        let mut payload = Payload(payload);
        Ok(match kind {
            1 | 2 => {
                let repeat = u32::try_from(payload.number()?).map_err(|_| nonsense("too many iterations"))?;
                Self::Run { choice: if kind == 1 { Choice::First } else { Choice::Next }, repeat }
            }
            3 => Self::Synchronize,
            4 => Self::Stop,
            _ => return Err(nonsense("an order of an unknown kind")),
        })
    }
}

/// What is left to read of a frame.
pub(super) struct Payload<'a>(pub(super) &'a [u8]);

impl<'a> Payload<'a> {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn number(&mut self) -> io::Result<u64> {
        let (bytes, rest) = self.0.split_first_chunk().ok_or_else(|| nonsense("a frame that is cut off"))?;
        self.0 = rest;
        Ok(u64::from_le_bytes(*bytes))
    }

    fn small(&mut self) -> io::Result<u32> {
        u32::try_from(self.number()?).map_err(|_| nonsense("a count that is too large"))
    }

    fn stamp(&mut self) -> io::Result<Stamp> {
        self.number().map(Stamp)
    }

    pub(super) fn text(&mut self) -> io::Result<&'a str> {
        let len = usize::try_from(self.number()?).unwrap_or(usize::MAX);
        let (text, rest) = self.0.split_at_checked(len).ok_or_else(|| nonsense("a text that is cut off"))?;
        self.0 = rest;
        std::str::from_utf8(text).map_err(|_| nonsense("a text that is no UTF-8"))
    }

    /// Reads one step's report into `report`.
    pub(super) fn report(&mut self, names: &mut Names, report: &mut Report) -> io::Result<()> {
        (report.start, report.stop) = (self.stamp()?, self.stamp()?);
        (report.done, report.failed) = (self.small()?, self.small()?);
        report.failure.clear();
        report.failure.push_str(self.text()?);
        (report.tally.input_tokens, report.tally.output_tokens) = (self.number()?, self.number()?);
        report.tally.units.clear();
        for _ in 0..self.number()? {
            let unit = names.name(self.text()?)?;
            report.tally.units.push((unit, self.number()?));
        }
        report.marks.clear();
        for _ in 0..self.number()? {
            let (at, packed) = (self.stamp()?, self.number()?);
            report.marks.push(Mark { at, tokens: (packed >> 32) as u32, sequence: packed as u32 });
        }
        report.phases.clear();
        for _ in 0..self.number()? {
            let name = names.name(self.text()?)?;
            report.phases.push(PhaseMark { name, start: self.stamp()?, stop: self.stamp()? });
        }
        Ok(())
    }
}

/// A step's report, read; its memory is kept from one to the next.
#[derive(Debug, Default)]
pub(super) struct Report {
    start: Stamp,
    stop: Stamp,
    done: u32,
    failed: u32,
    failure: String,
    tally: Tally,
    marks: Vec<Mark>,
    phases: Vec<PhaseMark>,
}

impl Report {
    pub(super) fn iteration(&self) -> Iteration<'_> {
        Iteration {
            start: self.start,
            stop: self.stop,
            done: self.done,
            failed: self.failed,
            failure: (self.failed > 0 && !self.failure.is_empty()).then_some(&*self.failure),
            tally: &self.tally,
            marks: &self.marks,
            phases: &self.phases,
        }
    }
}

/// Names of units and phases. In a body they are constants; those of another process become so here, each once.
#[derive(Debug, Default)]
pub(super) struct Names(Vec<&'static str>);

/// A body that makes up names as it goes must not fill our memory.
const MOST_NAMES: usize = 256;

impl Names {
    fn name(&mut self, text: &str) -> io::Result<&'static str> {
        if let Some(known) = self.0.iter().find(|known| **known == text) {
            return Ok(known);
        }
        if self.0.len() == MOST_NAMES {
            return Err(nonsense("more names of units and phases than any bench has"));
        }
        let name: &'static str = Box::leak(text.to_owned().into_boxed_str());
        self.0.push(name);
        Ok(name)
    }
}

/// For the tests with hostile bytes.
#[cfg(test)]
pub(crate) mod fuzz {
    use super::*;
    use crate::workers::{Listing, Task};

    /// Frames as both sides send them.
    pub(crate) fn sample_frames() -> Vec<Vec<u8>> {
        let tally = Tally { input_tokens: 3, output_tokens: 4, units: vec![("images", 7)] };
        let marks = [Mark { at: Stamp(10), tokens: 2, sequence: 9 }; 5];
        let phases = [PhaseMark { name: "prefill", start: Stamp(6), stop: Stamp(9) }];
        let (start, stop, failure) = (Stamp(5), Stamp(900), Some("no route"));
        let iteration =
            Iteration { start, stop, done: 1, failed: 2, failure, tally: &tally, marks: &marks, phases: &phases };
        let (mut report, mut orders, mut task) = (Vec::new(), Vec::new(), Vec::new());
        let mut frame = Frame::default();
        frame.begin(Word::Next as u8);
        frame.iteration(&iteration);
        frame.iteration(&iteration);
        frame.send(&mut report).unwrap();
        for order in [Order::Run { choice: Choice::Next, repeat: 9 }, Order::Synchronize, Order::Stop] {
            frame.order(order).send(&mut orders).unwrap();
        }
        let text = r#"{"run":{"id":"decode","axes":[["batch",["1","4"]]],"seed":7}}"#;
        frame.begin(0).text(text).send(&mut task).unwrap();
        vec![report, orders, task]
    }

    /// Reads frames as either side would, as far as they can be read; whether that was to the end.
    pub(crate) fn read_frames(mut bytes: &[u8]) -> bool {
        let (mut buffer, mut names, mut report) = (Vec::new(), Names::default(), Report::default());
        while let Ok(kind) = receive(&mut bytes, &mut buffer) {
            let _ = (Word::of(kind), Order::of(kind, &buffer));
            let mut payload = Payload(&buffer);
            while !payload.is_empty() && payload.report(&mut names, &mut report).is_ok() {
                let _ = report.iteration();
            }
            if let Ok(text) = Payload(&buffer).text() {
                let _ = (serde_json::from_str::<Task>(text), serde_json::from_str::<Listing>(text));
            }
        }
        bytes.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn iteration<'a>(tally: &'a Tally, marks: &'a [Mark], phases: &'a [PhaseMark]) -> Iteration<'a> {
        let (start, stop) = (Stamp(5), Stamp(900));
        Iteration { start, stop, done: 1, failed: 2, failure: Some("no route"), tally, marks, phases }
    }

    #[test]
    fn what_is_reported_comes_back_as_it_was() {
        let tally = Tally { input_tokens: 3, output_tokens: 4, units: vec![("images", 7)] };
        let marks = [Mark { at: Stamp(10), tokens: 2, sequence: 9 }, Mark { at: Stamp(11), tokens: 1, sequence: 0 }];
        let phases = [PhaseMark { name: "prefill", start: Stamp(6), stop: Stamp(9) }];
        let mut frame = Frame::default();
        frame.begin(Word::Next as u8);
        frame.iteration(&iteration(&tally, &marks, &phases));
        frame.iteration(&iteration(&Tally::default(), &[], &[]));
        let (mut bytes, mut buffer) = (Vec::new(), Vec::new());
        frame.send(&mut bytes).unwrap();
        assert_eq!(Word::of(receive(&mut bytes.as_slice(), &mut buffer).unwrap()).unwrap(), Word::Next);
        let (mut payload, mut names, mut report) = (Payload(&buffer), Names::default(), Report::default());
        payload.report(&mut names, &mut report).unwrap();
        assert_eq!(format!("{:?}", report.iteration()), format!("{:?}", iteration(&tally, &marks, &phases)));
        payload.report(&mut names, &mut report).unwrap();
        assert_eq!(format!("{:?}", report.iteration()), format!("{:?}", iteration(&Tally::default(), &[], &[])));
        assert!(payload.is_empty());
        for order in [Order::Run { choice: Choice::First, repeat: 9 }, Order::Synchronize, Order::Stop] {
            bytes.clear();
            frame.order(order).send(&mut bytes).unwrap();
            let kind = receive(&mut bytes.as_slice(), &mut buffer).unwrap();
            assert_eq!(Order::of(kind, &buffer).unwrap(), order);
        }
    }

    #[test]
    fn hostile_bytes_are_errors_and_cost_no_memory() {
        let mut seed = 1_u64;
        let mut draw = || {
            seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (seed >> 33) as u8
        };
        let (mut buffer, mut names, mut report) = (Vec::new(), Names::default(), Report::default());
        for round in 0..20_000 {
            let bytes: Vec<u8> = (0..round % 200).map(|at| if at % 8 < 2 { draw() } else { 0 }).collect();
            if let Ok(kind) = receive(&mut bytes.as_slice(), &mut buffer) {
                let _ = (Word::of(kind), Order::of(kind, &buffer));
            }
            let mut payload = Payload(&bytes);
            while !payload.is_empty() && payload.report(&mut names, &mut report).is_ok() {}
            assert!(report.marks.capacity() <= 4096 && buffer.capacity() <= 4096);
        }
        assert!(receive(&mut [255, 255, 255, 255, 1].as_slice(), &mut buffer).is_err());
        assert!(receive(&mut [0, 0, 0, 0, 1].as_slice(), &mut buffer).is_err());
    }
}

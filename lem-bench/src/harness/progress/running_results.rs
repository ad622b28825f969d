//! The headlines of running benches, computed from their records so far as the report computes them.

use std::collections::BTreeMap;

use crate::analysis::{BenchSummary, IntervalChoice, Options, Severity, summarise};
use crate::model::{Record, RunHeader};
use crate::report::number_format::Figure;
use crate::report::terminal_text::clean;

/// The number of resamples of bootstrap intervals that are not shown.
const FEW_RESAMPLES: usize = 100;

/// The records of the running benches without what their headlines don't need, and the header of the run.
#[derive(Debug)]
pub(super) struct RunningResults {
    header: Record,
    options: Options,
    benches: BTreeMap<String, Vec<Record>>,
}

impl RunningResults {
    pub fn new(header: RunHeader, options: Options) -> Self {
        let resamples = match options.shown {
            IntervalChoice::Bootstrap => options.resamples,
            IntervalChoice::Student => FEW_RESAMPLES,
        };
        let options = Options { resamples, ..options };
        Self { header: Record::Run(Box::new(header)), options, benches: BTreeMap::new() }
    }

    /// Takes a record of a bench.
    pub fn add(&mut self, record: &Record) {
        let (id, record) = match record {
            Record::Bench(bench) => (&bench.id, record.clone()),
            Record::Cycle(cycle) => (&cycle.bench, Record::Cycle(Box::new(cycle.without_samples()))),
            _ => return,
        };
        self.benches.entry(id.clone()).or_default().push(record);
    }

    /// Returns the headline of a bench so far: `0.463 J/token`.
    pub fn headline(&self, id: &str) -> Option<String> {
        let summary = self.summary(self.benches.get(id)?)?;
        Some(Figure::of(summary.headline()?).ok()?.short())
    }

    /// Returns the headline of a bench that has ended with its relative interval, and the check that makes it invalid:
    /// `0.463 J/token ±6.2 %`. Drops the records of the bench.
    pub fn end(&mut self, id: &str) -> Option<String> {
        let records = self.benches.remove(id)?;
        let summary = self.summary(&records)?;
        let figure = Figure::of(summary.headline()?).ok()?;
        let relative = figure.relative.as_ref().map(|relative| format!(" {relative}")).unwrap_or_default();
        let invalid = summary.findings.iter().find(|finding| finding.weight == Severity::Invalid);
        let invalid = invalid.map(|finding| format!("  invalid: {}", clean(&finding.evidence))).unwrap_or_default();
        Some(format!("{}{relative}{invalid}", figure.short()))
    }

    /// Returns the summary of a bench. `None` where this process does not have all of its records: other ranks have the
    /// energy of their devices, and a resumed bench has cycles of an earlier process.
    fn summary(&self, records: &[Record]) -> Option<BenchSummary> {
        let Record::Run(header) = &self.header else { return None };
        let is_whole = header.world == 1 && matches!(records.first(), Some(Record::Bench(_)));
        let journal: Vec<Record> = std::iter::once(&self.header).chain(records).cloned().collect();
        summarise(&[journal], &self.options).ok().filter(|_| is_whole)?.benches.pop()
    }
}

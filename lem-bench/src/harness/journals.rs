//! The journals of a run: their summary, and the traces that its pages draw.

use super::exit::HarnessError;
#[cfg(feature = "html")]
use crate::analysis::calibrate_traces;
use crate::analysis::{Options, ReadJournal, Samples, Summarised, Summary, summarise_read};
#[cfg(feature = "html")]
use crate::model::Trace;
use crate::model::{CycleRecord, WarmUpRecord};
use crate::store::Journal;

/// The journals of a run, and where the traces of its benches are in them.
#[derive(Debug, Default)]
pub(super) struct RunTraces {
    journals: Vec<Journal>,
    /// See [`Summarised::traces`].
    records: Vec<Vec<(usize, usize)>>,
}

impl RunTraces {
    /// Adds those of another run with this many benches. A run that was read from its summary has no traces.
    pub fn append(&mut self, mut other: Self, benches: usize) {
        let first = self.journals.len();
        let shift = |(journal, record): (usize, usize)| (first + journal, record);
        other.records.resize(benches, Vec::new());
        self.records.extend(other.records.into_iter().map(|records| records.into_iter().map(shift).collect()));
        self.journals.extend(other.journals);
    }
}

#[cfg(feature = "html")]
impl RunTraces {
    /// Reads the traces of the bench with this number in the summary, with the calibration of their meter applied. They
    /// serve plots only, so damaged ones are left out.
    pub fn of_bench(&self, bench: usize) -> Vec<Trace> {
        let mut all = Vec::new();
        for (journal, record) in self.records.get(bench).into_iter().flatten() {
            let journal = &self.journals[*journal];
            let mut traces = journal.traces(*record).unwrap_or_else(|lost| {
                tracing::warn!(journal = %journal.path.display(), "{lost}");
                Vec::new()
            });
            if let Some(calibration) = journal.header().and_then(|header| header.evidence.calibration.as_deref()) {
                calibrate_traces(&mut traces, calibration);
            }
            all.append(&mut traces);
        }
        all
    }
}

/// The samples files of journals.
struct SamplesFiles<'a>(&'a [Journal]);

impl Samples for SamplesFiles<'_> {
    fn load_cycle(&self, journal: usize, record: usize, cycle: &mut CycleRecord) -> Result<(), String> {
        self.0[journal].load_requests(record, cycle)?;
        cycle.traces = self.0[journal].traces(record)?;
        Ok(())
    }

    fn load_warm_up(&self, journal: usize, record: usize, warm_up: &mut WarmUpRecord) -> Result<(), String> {
        warm_up.traces = self.0[journal].traces(record)?;
        Ok(())
    }
}

/// Computes the summary of a run. Holds the samples of one bench at a time.
///
/// # Errors
/// The journals have no header, or cannot be read by this version.
pub(super) fn summarise(journals: Vec<Journal>, options: &Options) -> Result<(Summary, RunTraces), HarnessError> {
    let read: Vec<ReadJournal<'_>> =
        journals.iter().map(|Journal { records, damage, .. }| ReadJournal { records, damage }).collect();
    let summarised = summarise_read(&read, &SamplesFiles(&journals), options);
    let Summarised { summary, traces } = summarised.map_err(|error| HarnessError::machine(error.to_string()))?;
    Ok((summary, RunTraces { journals, records: traces }))
}

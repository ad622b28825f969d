//! Groups the records of a run's journals by bench and process, and applies the calibration of the meter.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::cycles::MergedCycle;
use super::summary::HeatSummary;
use crate::model::{
    BenchEnd, BenchRecord, Calibration, CycleRecord, DeviceLimits, DomainId, Fact, GaugeEvidence, IdleBlock, IdleKind,
    IdleRecord, OLDEST_SCHEMA_VERSION, Record, RunHeader, SCHEMA_VERSION, SensorEvent, Trace, Unit, WarmUpRecord,
    WindowRecord,
};
use crate::units::{Joules, Watts};

/// Why journals cannot be analysed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnalysisError {
    /// No journal was given, or none has a header.
    #[error("none of the journals has a header: nothing was recorded, or the files are not journals")]
    NoHeader,
    /// A journal has a schema version that this version cannot read.
    #[error(
        "the journal has schema version {found}, and this lem-bench reads versions {OLDEST_SCHEMA_VERSION} to \
         {SCHEMA_VERSION}: use the version that wrote it"
    )]
    Schema {
        /// The version found.
        found: u32,
    },
}

/// The records of one process for one bench.
#[derive(Debug, Clone)]
pub(super) struct ProcessRecords<'a> {
    /// The index of its journal.
    pub journal: usize,
    pub header: &'a RunHeader,
    pub record: &'a BenchRecord,
    pub facts: &'a [Fact],
    pub bare_idle: Option<&'a IdleRecord>,
    pub loaded_idle: Option<&'a IdleRecord>,
    pub warm_up: Option<&'a WarmUpRecord>,
    /// The index of the warm-up in the journal.
    pub warm_up_record: Option<usize>,
    /// The cycles by number, each with its index in the journal.
    pub cycles: BTreeMap<u32, (usize, &'a CycleRecord)>,
    pub end: Option<&'a BenchEnd>,
    /// How often another process resumed it.
    pub resumed: u32,
}

/// Warm-up and cycles of one process for one bench, with their samples.
#[derive(Debug, Default)]
pub(super) struct LoadedRecords {
    pub warm_up: Option<WarmUpRecord>,
    /// The cycles by number.
    pub cycles: BTreeMap<u32, CycleRecord>,
}

/// The records of one bench.
#[derive(Debug)]
pub(super) struct BenchRecords<'a> {
    /// One entry per process, by rank; never empty.
    pub processes: Vec<ProcessRecords<'a>>,
    /// Ranks with more than one journal.
    pub duplicate_ranks: BTreeSet<u32>,
}

impl<'a> BenchRecords<'a> {
    /// Returns the records of the lowest rank, which stand for all processes where they have to be the same.
    pub fn first(&self) -> &ProcessRecords<'a> {
        &self.processes[0]
    }

    /// Returns the cycles that every process has, by index.
    pub fn cycles(&self) -> BTreeMap<u32, Vec<&'a CycleRecord>> {
        let mut cycles: BTreeMap<u32, Vec<&CycleRecord>> = BTreeMap::new();
        for process in &self.processes {
            for (index, (_, cycle)) in &process.cycles {
                cycles.entry(*index).or_default().push(cycle);
            }
        }
        cycles.retain(|_, records| records.len() == self.processes.len());
        cycles
    }

    /// Returns the records with those of each process replaced by loaded ones, where there are any.
    pub fn with_loaded<'b>(&'b self, loaded: &'b [LoadedRecords]) -> BenchRecords<'b> {
        let replace = |(process, loaded): (&'b ProcessRecords<'a>, &'b LoadedRecords)| {
            let cycle = |(index, (record, cycle)): (&u32, &(usize, &'b CycleRecord))| {
                (*index, (*record, loaded.cycles.get(index).unwrap_or(cycle)))
            };
            let warm_up = loaded.warm_up.as_ref().or(process.warm_up);
            ProcessRecords { warm_up, cycles: process.cycles.iter().map(cycle).collect(), ..process.clone() }
        };
        BenchRecords {
            processes: self.processes.iter().zip(loaded).map(replace).collect(),
            duplicate_ranks: self.duplicate_ranks.clone(),
        }
    }

    /// Returns the journal and the index of each record whose traces the bench's page shows.
    pub fn traces(&self) -> Vec<(usize, usize)> {
        let first = self.first();
        let warm_up = first.warm_up_record.map(|record| (first.journal, record));
        let of_process = |process: &ProcessRecords<'_>| -> Vec<(usize, usize)> {
            process.cycles.values().map(|(record, _)| (process.journal, *record)).collect()
        };
        warm_up.into_iter().chain(self.processes.iter().flat_map(of_process)).collect()
    }
}

/// Returns the headers of the journals that have one.
///
/// # Errors
/// When no journal has a header, or one has a schema version that cannot be read.
pub(super) fn headers<'a>(journals: &[&'a [Record]]) -> Result<Vec<&'a RunHeader>, AnalysisError> {
    let headers: Vec<&'a RunHeader> = journals.iter().filter_map(|records| header(records)).collect();
    if headers.is_empty() {
        return Err(AnalysisError::NoHeader);
    }
    let readable = OLDEST_SCHEMA_VERSION..=SCHEMA_VERSION;
    match headers.iter().find(|header| !readable.contains(&header.schema_version)) {
        Some(other) => Err(AnalysisError::Schema { found: other.schema_version }),
        None => Ok(headers),
    }
}

/// Returns the header of a journal.
pub(super) fn header(records: &[Record]) -> Option<&RunHeader> {
    records.iter().find_map(|record| if let Record::Run(header) = record { Some(&**header) } else { None })
}

/// Returns the benches of a run: first those of its plan, which all shards share, in the plan's order, then all others
/// in the order in which they began.
pub(super) fn benches<'a>(journals: &[&'a [Record]]) -> Vec<BenchRecords<'a>> {
    let mut order: Vec<&'a str> = Vec::new();
    let planned = journals.iter().filter_map(|records| header(records)).flat_map(|header| &header.plan);
    let mut seen = BTreeSet::new();
    order.extend(planned.map(String::as_str).filter(|id| seen.insert(*id)));
    let mut by_id: BTreeMap<&'a str, Vec<ProcessRecords<'a>>> = BTreeMap::new();
    for (journal, records) in journals.iter().enumerate() {
        for process in process_records(journal, records) {
            let id = process.record.id.as_str();
            if seen.insert(id) {
                order.push(id);
            }
            by_id.entry(id).or_default().push(process);
        }
    }
    order.into_iter().filter_map(|id| by_id.remove(id)).map(by_rank).collect()
}

/// Returns the records of one journal, one entry per bench. A bench that was started again replaces its first attempt.
fn process_records(journal: usize, records: &[Record]) -> Vec<ProcessRecords<'_>> {
    let Some(header) = header(records) else { return Vec::new() };
    let mut bare_idle = None;
    let mut benches: Vec<ProcessRecords<'_>> = Vec::new();
    for (index, record) in records.iter().enumerate() {
        match record {
            Record::Run(_) | Record::RunEnd(_) => {}
            Record::Resume(_) => {
                for bench in benches.iter_mut().filter(|bench| bench.end.is_none() && !bench.cycles.is_empty()) {
                    bench.resumed += 1;
                }
            }
            Record::Idle(idle) if idle.kind == IdleKind::Bare => bare_idle = Some(idle),
            Record::Idle(idle) => {
                if let Some(bench) = idle.bench.as_deref().and_then(|id| find(&mut benches, id)) {
                    bench.loaded_idle = Some(idle);
                }
            }
            Record::Bench(bench) => {
                let started = ProcessRecords {
                    journal,
                    header,
                    record: bench,
                    facts: &[],
                    bare_idle,
                    loaded_idle: None,
                    warm_up: None,
                    warm_up_record: None,
                    cycles: BTreeMap::new(),
                    end: None,
                    resumed: 0,
                };
                match find(&mut benches, &bench.id) {
                    Some(known) => *known = started,
                    None => benches.push(started),
                }
            }
            Record::Facts(stated) => {
                if let Some(bench) = find(&mut benches, &stated.bench) {
                    bench.facts = &stated.facts;
                }
            }
            Record::WarmUp(warm_up) => {
                if let Some(bench) = find(&mut benches, &warm_up.bench) {
                    (bench.warm_up, bench.warm_up_record) = (Some(warm_up), Some(index));
                }
            }
            Record::Cycle(cycle) => {
                if let Some(bench) = find(&mut benches, &cycle.bench) {
                    bench.cycles.insert(cycle.index, (index, cycle));
                }
            }
            Record::BenchEnd(end) => {
                if let Some(bench) = find(&mut benches, &end.bench) {
                    bench.end = Some(end);
                }
            }
        }
    }
    benches
}

fn find<'b, 'a>(benches: &'b mut [ProcessRecords<'a>], id: &str) -> Option<&'b mut ProcessRecords<'a>> {
    benches.iter_mut().find(|bench| bench.record.id == id)
}

/// Sorts the records of a bench by rank and keeps one journal per rank: the last, as the earlier one was restarted.
fn by_rank(mut all: Vec<ProcessRecords<'_>>) -> BenchRecords<'_> {
    all.sort_by_key(|process| (process.header.rank, process.header.started));
    let mut duplicate_ranks = BTreeSet::new();
    let mut processes: Vec<ProcessRecords<'_>> = Vec::with_capacity(all.len());
    for process in all {
        match processes.last_mut().filter(|last| last.header.rank == process.header.rank) {
            Some(last) => {
                duplicate_ranks.insert(process.header.rank);
                *last = process;
            }
            None => processes.push(process),
        }
    }
    BenchRecords { processes, duplicate_ranks }
}

/// Returns the journals with calibrated energies and powers. Journals keep what the sensors reported, so the calibration
/// of the header is applied here.
pub(super) fn calibrate<'a>(journals: &[&'a [Record]]) -> Vec<Cow<'a, [Record]>> {
    fn calibrate_journal(records: &[Record]) -> Cow<'_, [Record]> {
        match header(records).and_then(|header| header.evidence.calibration.as_deref()) {
            Some(calibration) => records.iter().map(|record| calibrate_record(record, calibration)).collect(),
            None => Cow::Borrowed(records),
        }
    }
    journals.iter().map(|records| calibrate_journal(records)).collect()
}

fn calibrate_record(record: &Record, calibration: &Calibration) -> Record {
    let mut record = record.clone();
    match &mut record {
        Record::Idle(idle) => idle.blocks.iter_mut().for_each(|block| calibrate_block(block, calibration)),
        Record::WarmUp(warm_up) => calibrate_traces(&mut warm_up.traces, calibration),
        Record::Cycle(cycle) => calibrate_cycle(cycle, calibration),
        _ => {}
    }
    record
}

fn calibrate_cycle(cycle: &mut CycleRecord, calibration: &Calibration) {
    if let Some(idle) = &mut cycle.idle {
        calibrate_block(idle, calibration);
    }
    for window in &mut cycle.windows {
        let seconds = window.seconds();
        for energy in &mut window.energy {
            let Some(domain) = calibration.domain(&energy.domain) else { continue };
            let own = [&mut energy.joules, &mut energy.low, &mut energy.high];
            for joules in own.into_iter().chain(&mut energy.cross_check) {
                *joules = Joules(domain.joules(joules.get(), seconds));
            }
        }
    }
    calibrate_traces(&mut cycle.traces, calibration);
}

fn calibrate_block(idle: &mut IdleBlock, calibration: &Calibration) {
    for (domain, watts) in &mut idle.power {
        if let Some(domain) = calibration.domain(domain) {
            *watts = Watts(domain.watts(watts.get()));
        }
    }
}

/// Applies a calibration to the power of traces.
pub fn calibrate_traces(traces: &mut [Trace], calibration: &Calibration) {
    for trace in traces {
        if let Some(domain) = calibration.domain(&trace.domain) {
            trace.power_w.iter_mut().for_each(|point| point.1 = domain.watts(point.1));
        }
    }
}

/// The records of one bench.
pub(super) struct Evidence<'a> {
    /// One entry per process, by rank; never empty.
    pub processes: &'a [ProcessRecords<'a>],
    /// The cycles that all processes have, merged.
    pub cycles: &'a [MergedCycle],
    /// The records of each of these cycles, one per process.
    pub records: &'a [Vec<&'a CycleRecord>],
    /// The unit that energy is divided by in the headline.
    pub unit: Unit<'a>,
    /// The correction of the cycles for heat; `None` where no device has a temperature.
    pub heat: Option<&'a HeatSummary>,
}

impl<'a> Evidence<'a> {
    /// Returns the correction for heat, where there is one.
    pub fn corrected_heat(&self) -> Option<&'a HeatSummary> {
        self.heat.filter(|heat| heat.missing.is_none())
    }

    /// Returns the records of the lowest rank, which stand for all processes where they have to be the same.
    pub fn first(&self) -> &'a ProcessRecords<'a> {
        &self.processes[0]
    }

    /// Returns the headers of all processes: one that has its own GPU records only that.
    pub fn headers(&self) -> impl Iterator<Item = &'a RunHeader> {
        self.processes.iter().map(|process| process.header)
    }

    /// Returns the headline domains of all processes.
    pub fn headline(&self) -> BTreeSet<&'a DomainId> {
        self.headers().flat_map(|header| &header.headline).collect()
    }

    /// Returns the limits of the devices of all processes.
    pub fn limits(&self) -> impl Iterator<Item = &'a DeviceLimits> {
        self.headers().flat_map(|header| &header.evidence.limits)
    }

    /// Returns the records of all cycles and processes.
    pub fn all_records(&self) -> impl Iterator<Item = &'a CycleRecord> {
        self.records.iter().flatten().copied()
    }

    /// Returns the windows of all cycles and processes.
    pub fn windows(&self) -> impl Iterator<Item = &'a WindowRecord> {
        self.all_records().flat_map(|record| &record.windows)
    }

    /// Returns the gauges of all cycles and processes.
    pub fn gauges(&self) -> impl Iterator<Item = &'a GaugeEvidence> {
        self.all_records().flat_map(|record| &record.evidence.gauges)
    }

    /// Returns the sensor events of all processes, each with its cycle.
    pub fn events(&self) -> impl Iterator<Item = (&'a CycleRecord, &'a SensorEvent)> {
        self.all_records().flat_map(|record| record.events.iter().map(move |event| (record, event)))
    }

    /// Returns a cycle's energy per unit of the headline, in J.
    pub fn energy_per_unit(&self, cycle: &MergedCycle) -> Option<f64> {
        cycle.summary.energy_per(self.unit).filter(|energy| energy.is_finite())
    }
}

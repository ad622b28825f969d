//! From the journals of a run to its benches: which processes took part in each, and what each of them did.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{
    BenchEnd, BenchRecord, CycleRecord, IdleKind, IdleRecord, OLDEST_SCHEMA_VERSION, Record, RunHeader, SCHEMA_VERSION,
    WarmUpRecord,
};

/// Why journals cannot be analysed at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnalysisError {
    /// There is no journal, or none has a head.
    NoHead,
    /// A journal was written by a version whose records this one cannot read.
    Schema {
        /// The version found.
        found: u32,
    },
}

impl std::fmt::Display for AnalysisError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoHead => {
                f.write_str("none of the journals has a head: nothing was recorded, or the files are not journals")
            }
            Self::Schema { found } => write!(
                f,
                "the journal has schema version {found}, and this lem-bench reads versions \
                 {OLDEST_SCHEMA_VERSION} to {SCHEMA_VERSION}: \
                 use the version that wrote it"
            ),
        }
    }
}

impl std::error::Error for AnalysisError {}

/// What one process did for one bench.
#[derive(Debug, Clone)]
pub(super) struct Part<'a> {
    pub(super) head: &'a RunHeader,
    pub(super) record: &'a BenchRecord,
    pub(super) bare_idle: Option<&'a IdleRecord>,
    pub(super) loaded_idle: Option<&'a IdleRecord>,
    pub(super) warm_up: Option<&'a WarmUpRecord>,
    pub(super) cycles: BTreeMap<u32, &'a CycleRecord>,
    pub(super) end: Option<&'a BenchEnd>,
    /// How often a later process went on with it.
    pub(super) resumed: u32,
}

/// A bench with the parts of all its processes, by rank.
#[derive(Debug)]
pub(super) struct Bench<'a> {
    pub(super) parts: Vec<Part<'a>>,
    /// Ranks that came more than once.
    pub(super) twice: BTreeSet<u32>,
}

impl<'a> Bench<'a> {
    /// The part of the lowest rank: what is said once for a bench is said by it.
    pub(super) fn first(&self) -> &Part<'a> {
        &self.parts[0]
    }

    /// The cycles that every process has, by index.
    pub(super) fn cycles(&self) -> BTreeMap<u32, Vec<&'a CycleRecord>> {
        let mut all: BTreeMap<u32, Vec<&CycleRecord>> = BTreeMap::new();
        for part in &self.parts {
            for (index, cycle) in &part.cycles {
                all.entry(*index).or_default().push(cycle);
            }
        }
        all.retain(|_, cycles| cycles.len() == self.parts.len());
        all
    }
}

/// The heads of the journals that have one.
pub(super) fn heads<'a>(journals: &[&'a [Record]]) -> Result<Vec<&'a RunHeader>, AnalysisError> {
    let heads: Vec<&'a RunHeader> = journals.iter().filter_map(|records| head(records)).collect();
    if heads.is_empty() {
        return Err(AnalysisError::NoHead);
    }
    let is_read = OLDEST_SCHEMA_VERSION..=SCHEMA_VERSION;
    match heads.iter().find(|head| !is_read.contains(&head.schema_version)) {
        Some(other) => Err(AnalysisError::Schema { found: other.schema_version }),
        None => Ok(heads),
    }
}

fn head(records: &[Record]) -> Option<&RunHeader> {
    records.iter().find_map(|record| if let Record::Run(head) = record { Some(&**head) } else { None })
}

/// The benches of a run: in the order of its plan, which all its shards share; those that no plan names after them, as
/// they were first begun.
pub(super) fn benches<'a>(journals: &[&'a [Record]]) -> Vec<Bench<'a>> {
    let mut order: Vec<&'a str> = Vec::new();
    let planned = journals.iter().filter_map(|records| head(records)).flat_map(|head| &head.plan);
    let mut seen = BTreeSet::new();
    order.extend(planned.map(String::as_str).filter(|id| seen.insert(*id)));
    let mut parts: BTreeMap<&'a str, Vec<Part<'a>>> = BTreeMap::new();
    for records in journals {
        for part in parts_of(records) {
            let id = part.record.id.as_str();
            if seen.insert(id) {
                order.push(id);
            }
            parts.entry(id).or_default().push(part);
        }
    }
    order.into_iter().filter_map(|id| parts.remove(id)).map(complete).collect()
}

/// The parts of one journal, one for each bench that it began. A bench that was begun again replaces its first try.
fn parts_of(records: &[Record]) -> Vec<Part<'_>> {
    let Some(head) = head(records) else { return Vec::new() };
    let mut bare_idle = None;
    let mut parts: Vec<Part<'_>> = Vec::new();
    let find = |parts: &mut Vec<Part<'_>>, id: &str| parts.iter().position(|part| part.record.id == id);
    for record in records {
        match record {
            Record::Run(_) | Record::RunEnd(_) => {}
            Record::Resume(_) => {
                for part in parts.iter_mut().filter(|part| part.end.is_none() && !part.cycles.is_empty()) {
                    part.resumed += 1;
                }
            }
            Record::Idle(idle) if idle.kind == IdleKind::Bare => bare_idle = Some(idle),
            Record::Idle(idle) => {
                if let Some(at) = idle.bench.as_deref().and_then(|id| find(&mut parts, id)) {
                    parts[at].loaded_idle = Some(idle);
                }
            }
            Record::Bench(bench) => {
                let cycles = BTreeMap::new();
                let (loaded_idle, warm_up, end, resumed) = (None, None, None, 0);
                let part = Part { head, record: bench, bare_idle, loaded_idle, warm_up, cycles, end, resumed };
                match find(&mut parts, &bench.id) {
                    Some(at) => parts[at] = part,
                    None => parts.push(part),
                }
            }
            Record::WarmUp(warm_up) => {
                if let Some(at) = find(&mut parts, &warm_up.bench) {
                    parts[at].warm_up = Some(warm_up);
                }
            }
            Record::Cycle(cycle) => {
                if let Some(at) = find(&mut parts, &cycle.bench) {
                    parts[at].cycles.insert(cycle.index, cycle);
                }
            }
            Record::BenchEnd(end) => {
                if let Some(at) = find(&mut parts, &end.bench) {
                    parts[at].end = Some(end);
                }
            }
        }
    }
    parts
}

/// Orders the parts of a bench by rank, each rank once.
fn complete(mut parts: Vec<Part<'_>>) -> Bench<'_> {
    parts.sort_by_key(|part| (part.head.rank, part.head.started));
    let mut twice = BTreeSet::new();
    // Of two processes with one rank, the one that came last counts: the other was started over.
    let mut kept: Vec<Part<'_>> = Vec::with_capacity(parts.len());
    for part in parts {
        match kept.last_mut().filter(|last| last.head.rank == part.head.rank) {
            Some(last) => {
                twice.insert(part.head.rank);
                *last = part;
            }
            None => kept.push(part),
        }
    }
    Bench { parts: kept, twice }
}

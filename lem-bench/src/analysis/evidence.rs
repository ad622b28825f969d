//! The data that checks read: the records of one bench, by process and by cycle.

use std::collections::BTreeSet;

use super::assemble::ProcessRecords;
use super::cycles::MergedCycle;
use crate::model::{CycleRecord, DeviceLimits, DomainId, GaugeEvidence, RunHeader, SensorEvent, Unit, WindowRecord};

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
}

impl<'a> Evidence<'a> {
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

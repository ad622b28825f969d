//! The trust ledger's judgement: from evidence to findings, each with what a person can do about it.
//!
//! Every item looks at records alone; none must know how anything was measured.

use std::collections::BTreeSet;

use super::{device, ending, idle, machine, precision, sensors, source, steadiness};
use crate::analysis::assemble::Part;
use crate::analysis::cycles::MergedCycle;
use crate::analysis::finding::Finding;
use crate::model::{CycleRecord, DeviceLimits, DomainId, RunHeader};

/// What the ledger judges.
pub(in crate::analysis) struct Evidence<'a> {
    /// The part of the first process: what is said once is said by it.
    pub(in crate::analysis) part: &'a Part<'a>,
    /// The parts of all processes.
    pub(in crate::analysis) parts: &'a [Part<'a>],
    pub(in crate::analysis) joined: &'a [MergedCycle],
    pub(in crate::analysis) records: &'a [Vec<&'a CycleRecord>],
}

impl<'a> Evidence<'a> {
    /// The heads of all processes: a process that has a GPU of its own tells of no other.
    pub(in crate::analysis) fn heads(&self) -> impl Iterator<Item = &'a RunHeader> {
        self.parts.iter().map(|part| part.head)
    }

    /// The domains of the headline, of all processes.
    pub(in crate::analysis) fn headline(&self) -> BTreeSet<&'a DomainId> {
        self.heads().flat_map(|head| &head.headline).collect()
    }

    /// The limits of the devices of all processes.
    pub(in crate::analysis) fn limits(&self) -> impl Iterator<Item = &'a DeviceLimits> {
        self.heads().flat_map(|head| &head.evidence.limits)
    }
}

/// All findings about one bench. What several processes tell alike is said once.
pub(in crate::analysis) fn judge(evidence: &Evidence<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let items: [fn(&mut Vec<Finding>, &Evidence<'_>); 8] = [
        ending::judge,
        precision::judge,
        source::judge,
        sensors::judge,
        device::judge,
        machine::judge,
        steadiness::judge,
        idle::judge,
    ];
    for judge in items {
        judge(&mut findings, evidence);
    }
    let mut said: Vec<Finding> = Vec::with_capacity(findings.len());
    for finding in findings {
        if !said.contains(&finding) {
            said.push(finding);
        }
    }
    said
}

//! Applies the calibration that a journal's head tells of to all that its sensors told: late, so that journals keep
//! what was read.

use std::borrow::Cow;

use crate::model::{Calibration, CycleRecord, IdleBlock, Record, Trace};
use crate::units::{Joules, Watts};

/// The journals with true joules and watts in place of the sensors', where they were calibrated.
pub(super) fn calibrated<'a>(journals: &[&'a [Record]]) -> Vec<Cow<'a, [Record]>> {
    let one = |records: &&'a [Record]| match of(records) {
        Some(by) => Cow::Owned(all(records, by)),
        None => Cow::Borrowed(*records),
    };
    journals.iter().map(one).collect()
}

fn of(records: &[Record]) -> Option<&Calibration> {
    records
        .iter()
        .find_map(|record| if let Record::Run(head) = record { head.evidence.calibration.as_deref() } else { None })
}

fn all(records: &[Record], by: &Calibration) -> Vec<Record> {
    let one = |record: &Record| {
        let mut record = record.clone();
        match &mut record {
            Record::Idle(idle) => idle.blocks.iter_mut().for_each(|block| self::block(block, by)),
            Record::WarmUp(warm_up) => traces(&mut warm_up.traces, by),
            Record::Cycle(record) => cycle(record, by),
            _ => {}
        }
        record
    };
    records.iter().map(one).collect()
}

fn cycle(record: &mut CycleRecord, by: &Calibration) {
    if let Some(idle) = &mut record.idle {
        block(idle, by);
    }
    for window in &mut record.windows {
        let seconds = window.seconds();
        for energy in &mut window.energy {
            if let Some(found) = by.domain(&energy.domain) {
                for joules in
                    [&mut energy.joules, &mut energy.low, &mut energy.high].into_iter().chain(&mut energy.cross_check)
                {
                    *joules = Joules(found.joules(joules.get(), seconds));
                }
            }
        }
    }
    traces(&mut record.traces, by);
}

fn block(idle: &mut IdleBlock, by: &Calibration) {
    for (domain, watts) in &mut idle.power {
        if let Some(found) = by.domain(domain) {
            *watts = Watts(found.watts(watts.get()));
        }
    }
}

fn traces(traces: &mut [Trace], by: &Calibration) {
    for trace in traces {
        if let Some(found) = by.domain(&trace.domain) {
            trace.power_w.iter_mut().for_each(|point| point.1 = found.watts(point.1));
        }
    }
}

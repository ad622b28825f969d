//! How far each bench of a journal got: what whoever goes on with it need not do again.
//!
//! Must not know how anything is measured.

use std::collections::BTreeMap;

use super::reader::Journal;
use crate::model::{Outcome, Record};

/// How far a bench got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Standing {
    /// Its cycles from the first on without a gap: the next to measure has this number.
    pub cycles: u32,
    /// It ran to its end, and well.
    pub completed: bool,
}

impl Journal {
    /// How far each bench got, by its id. A bench that failed stands at nothing: it is to be run again from its start.
    pub fn standing(&self) -> BTreeMap<&str, Standing> {
        let mut benches: BTreeMap<&str, (Vec<u32>, bool)> = BTreeMap::new();
        for record in &self.records {
            match record {
                Record::Bench(bench) => {
                    benches.insert(&bench.id, (Vec::new(), false));
                }
                Record::Cycle(cycle) => {
                    if let Some((cycles, _)) = benches.get_mut(cycle.bench.as_str()) {
                        cycles.push(cycle.index);
                    }
                }
                Record::BenchEnd(end) => {
                    if let Some(bench) = benches.get_mut(end.bench.as_str()) {
                        bench.1 = end.outcome == Outcome::Completed;
                        if !bench.1 {
                            bench.0.clear();
                        }
                    }
                }
                Record::Run(_) | Record::Idle(_) | Record::WarmUp(_) | Record::RunEnd(_) | Record::Resume(_) => {}
            }
        }
        let standing = |(cycles, completed): (Vec<u32>, bool)| Standing {
            cycles: (0..cycles.len() as u32).take_while(|index| cycles.contains(index)).count() as u32,
            completed,
        };
        benches.into_iter().map(|(id, bench)| (id, standing(bench))).collect()
    }
}

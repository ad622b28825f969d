//! One bench case, ready to run: what is written down about it, its schedule and its body.

use std::sync::Arc;
use std::time::Duration;

use crate::bench::Bencher;
use crate::model::BenchRecord;
use crate::protocol::{CycleTotals, Schedule};

/// A body with its parameters bound; an `Err` is the text of what went wrong.
pub type Body = Arc<dyn Fn(&mut Bencher<'_>) -> Result<(), String> + Send + Sync>;

/// One bench case, ready to run.
#[derive(Clone)]
pub struct Job {
    /// What is written down about it.
    pub record: BenchRecord,
    /// How it is measured.
    pub schedule: Schedule,
    /// What is measured.
    pub body: Body,
    /// The cycle to begin with: 0, or the first that an earlier process left undone.
    pub from_cycle: u32,
    /// What the cycles before that one came to.
    pub earlier: Vec<CycleTotals>,
    /// How long they took, which counts for a time budget.
    pub spent: Duration,
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Job").field("id", &self.record.id).finish_non_exhaustive()
    }
}

//! One case of a bench: what is measured, listed and reported under one id.
//!
//! Must not know how cases are made or chosen.

use std::fmt;

use super::{Attributes, RunBody, SourceLocation};
use crate::bench::{Bencher, CaseValues, Error};

/// One bench with one value for each of its parameters.
#[derive(Clone)]
pub struct Case {
    /// The whole id, on one line: `llama/decode/batch=4/dtype=bf16`.
    pub id: String,
    /// The bench's name.
    pub name: String,
    /// The bench's group.
    pub group: Option<String>,
    /// The module the bench is defined in; `None` if it was added by hand.
    pub module: Option<&'static str>,
    /// What the bench measures, in one line.
    pub description: Option<String>,
    /// Axis and label of each parameter, as they are, in the order of the parameters.
    pub params: Vec<(String, String)>,
    /// What the bench asks of its measurement.
    pub attributes: Attributes,
    /// Where the bench is defined.
    pub place: SourceLocation,
    pub(super) values: CaseValues,
    pub(super) run: RunBody,
}

impl Case {
    /// Runs the body of the bench with this case's values.
    ///
    /// # Errors
    /// The error that the body returned.
    pub fn run(&self, bencher: &mut Bencher<'_>) -> Result<(), Error> {
        (self.run)(bencher, &self.values)
    }
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Case").field("id", &self.id).field("place", &self.place).finish_non_exhaustive()
    }
}

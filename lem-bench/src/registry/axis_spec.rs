//! An axis of a bench: its name, its values, and how other values are read.
//!
//! Must not know benches.

use crate::bench::AxisValue;

/// One axis of a bench, whatever the type of its values.
#[derive(Clone, Debug)]
pub struct AxisSpec {
    name: &'static str,
    type_name: &'static str,
    values: Vec<AxisValue>,
    parse: fn(&str) -> Result<AxisValue, String>,
}

impl AxisSpec {
    /// An axis of these values; `parse` reads another value from the command line, or says why it can't.
    pub fn new(
        name: &'static str,
        type_name: &'static str,
        values: Vec<AxisValue>,
        parse: fn(&str) -> Result<AxisValue, String>,
    ) -> Self {
        Self { name, type_name, values, parse }
    }

    /// The axis' name: that of the bench's parameter.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The type of the values, for people.
    pub fn type_name(&self) -> &'static str {
        self.type_name
    }

    /// The values, in order.
    pub fn values(&self) -> &[AxisValue] {
        &self.values
    }

    /// Reads a value of this axis.
    ///
    /// # Errors
    /// The reason why the text is no value of this axis.
    pub fn parse(&self, text: &str) -> Result<AxisValue, String> {
        (self.parse)(text)
    }

    /// The same axis over other values.
    pub(super) fn set_values(&mut self, values: Vec<AxisValue>) {
        self.values = values;
    }
}

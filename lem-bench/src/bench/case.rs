//! The values that one case of a bench is run with.
//!
//! Must not know how cases are made from axes.

use std::any::{Any, type_name};
use std::fmt;
use std::sync::Arc;

use super::Error;

/// One value of an axis, whatever its type, with its label.
#[derive(Clone)]
pub struct AxisValue {
    label: String,
    value: Arc<dyn Any + Send + Sync>,
}

impl AxisValue {
    /// A value under its label.
    pub fn new<T: Send + Sync + 'static>(label: impl Into<String>, value: T) -> Self {
        Self { label: label.into(), value: Arc::new(value) }
    }

    /// The text that stands for the value.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// The value, if it is of this type.
    pub fn get<T: 'static>(&self) -> Option<&T> {
        self.value.downcast_ref()
    }
}

impl fmt::Debug for AxisValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AxisValue").field(&self.label).finish()
    }
}

/// The values of one case, in the order of the bench's parameters.
#[derive(Clone, Debug, Default)]
pub struct CaseValues {
    values: Vec<(String, AxisValue)>,
}

impl CaseValues {
    /// The values of a case, each with the name of its axis.
    pub fn new(values: Vec<(String, AxisValue)>) -> Self {
        Self { values }
    }

    /// The value of the parameter at `index`, counted from 0 after the bencher.
    ///
    /// # Errors
    /// There is no such parameter, or it is of another type.
    pub fn get<T: 'static>(&self, index: usize) -> Result<&T, Error> {
        let (axis, value) = self
            .values
            .get(index)
            .ok_or_else(|| Error::msg(format!("this case has {} values, not {}", self.values.len(), index + 1)))?;
        value.get().ok_or_else(|| {
            Error::msg(format!("the value `{}` of axis `{axis}` is no `{}`", value.label(), type_name::<T>()))
        })
    }

    /// Name of the axis and label of the value, in the order of the bench's parameters.
    pub fn params(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values.iter().map(|(axis, value)| (axis.as_str(), value.label()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_comes_back_with_its_type_only() {
        let case = CaseValues::new(vec![
            ("batch".to_owned(), AxisValue::new("4", 4_usize)),
            ("dtype".to_owned(), AxisValue::new("bf16", "bf16")),
        ]);
        assert_eq!(case.get::<usize>(0).unwrap(), &4);
        assert_eq!(case.get::<&'static str>(1).unwrap(), &"bf16");
        assert_eq!(case.get::<u8>(0).unwrap_err().to_string(), "the value `4` of axis `batch` is no `u8`");
        assert_eq!(case.get::<u8>(2).unwrap_err().to_string(), "this case has 2 values, not 3");
        assert_eq!(case.params().collect::<Vec<_>>(), [("batch", "4"), ("dtype", "bf16")]);
    }
}

//! From one bench to its cases: every combination of its axes' values, less those its filter leaves out.
//!
//! Must not know the other benches.

use super::id::id;
use super::{BenchDefinition, Case, RegistryError};
use crate::bench::{AxisValue, CaseValues};

/// The cases of a bench; the last axis varies fastest.
///
/// # Errors
/// The bench has no name, an axis without values, or two values under one label.
pub(super) fn expand(bench: &BenchDefinition) -> Result<Vec<Case>, RegistryError> {
    check(bench)?;
    let values = combinations(bench).into_iter().map(CaseValues::new);
    let kept = values.filter(|values| bench.filter.as_ref().is_none_or(|filter| filter(values)));
    Ok(kept.map(|values| case(bench, values)).collect())
}

fn check(bench: &BenchDefinition) -> Result<(), RegistryError> {
    if bench.name.is_empty() {
        return Err(RegistryError::NoName { place: bench.place });
    }
    for axis in &bench.axes {
        if axis.values().is_empty() {
            let bench = Some((bench.name.clone(), bench.place));
            return Err(RegistryError::NoValues { bench, axis: axis.name().to_owned() });
        }
        for (at, value) in axis.values().iter().enumerate() {
            if axis.values()[..at].iter().any(|earlier| earlier.label() == value.label()) {
                return Err(RegistryError::DuplicateLabel {
                    bench: bench.name.clone(),
                    axis: axis.name().to_owned(),
                    label: value.label().to_owned(),
                    place: bench.place,
                });
            }
        }
    }
    Ok(())
}

/// Every combination of the axes' values; one empty combination if there are no axes.
fn combinations(bench: &BenchDefinition) -> Vec<Vec<(String, AxisValue)>> {
    bench.axes.iter().fold(vec![Vec::new()], |combinations, axis| {
        combinations
            .iter()
            .flat_map(|combination| {
                axis.values().iter().map(move |value| {
                    let mut combination = combination.clone();
                    combination.push((axis.name().to_owned(), value.clone()));
                    combination
                })
            })
            .collect()
    })
}

fn case(bench: &BenchDefinition, values: CaseValues) -> Case {
    Case {
        id: id(bench.group.as_deref(), &bench.name, values.params()),
        name: bench.name.clone(),
        group: bench.group.clone(),
        module: bench.module,
        description: bench.description.clone(),
        params: values.params().map(|(axis, label)| (axis.to_owned(), label.to_owned())).collect(),
        attributes: bench.attributes,
        place: bench.place,
        values,
        run: bench.run.clone(),
    }
}

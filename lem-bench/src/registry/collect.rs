//! All benches of this binary, in an order that does not depend on the linker, and their cases.
//!
//! Must not know which of them are asked for.

use std::collections::{BTreeSet, HashMap};

use super::expand::expand;
use super::{BadValue, BenchDefinition, Case, Entry, RegistryError, SourceLocation};

/// The benches of this binary.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    benches: Vec<BenchDefinition>,
    overridden: BTreeSet<String>,
}

/// The cases of all functions under `#[energy_bench]` that are linked into this binary, sorted by file, line, column
/// and case.
///
/// # Errors
/// Two benches with one id, and what else [`Registry::cases`] reports.
pub fn collect() -> Result<Vec<Case>, RegistryError> {
    Registry::from_attributes().cases()
}

impl Registry {
    /// No benches yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The functions under `#[energy_bench]` that are linked into this binary.
    pub fn from_attributes() -> Self {
        let mut entries: Vec<&Entry> = inventory::iter::<Entry>().collect();
        // Benches that one macro call makes stand at one place; the linker's order must not show there either.
        entries.sort_by_key(|entry| (entry.place, entry.module, entry.name));
        Self { benches: entries.into_iter().map(BenchDefinition::from).collect(), overridden: BTreeSet::new() }
    }

    /// Adds a bench by hand. Benches from one place (a loop) keep the order they are added in.
    pub fn add(&mut self, bench: BenchDefinition) {
        self.benches.push(bench);
    }

    /// The benches, in the order they were added.
    pub fn benches(&self) -> &[BenchDefinition] {
        &self.benches
    }

    /// Whether there are no benches at all.
    pub fn is_empty(&self) -> bool {
        self.benches.is_empty()
    }

    /// Runs every bench that has one of these axes over other values: `[("batch", ["1", "16"])]`. Values that are
    /// given for one axis more than once add up.
    ///
    /// # Errors
    /// No bench has the axis, or a text is no value of it.
    pub fn override_axes(&mut self, axes: &[(String, Vec<String>)]) -> Result<(), RegistryError> {
        let mut merged: Vec<(&str, Vec<&str>)> = Vec::new();
        for (axis, texts) in axes {
            let texts = texts.iter().map(String::as_str);
            match merged.iter_mut().find(|(known, _)| known == axis) {
                Some((_, known)) => known.extend(texts),
                None => merged.push((axis, texts.collect())),
            }
        }
        merged.into_iter().try_for_each(|(axis, texts)| self.override_axis(axis, &texts))
    }

    fn override_axis(&mut self, axis: &str, texts: &[&str]) -> Result<(), RegistryError> {
        if texts.is_empty() {
            return Err(RegistryError::NoValues { bench: None, axis: axis.to_owned() });
        }
        let mut found = false;
        for bench in &mut self.benches {
            for spec in bench.axes.iter_mut().filter(|spec| spec.name() == axis) {
                let bad = |text: &str, reason| BadValue {
                    axis: axis.to_owned(),
                    text: text.to_owned(),
                    type_name: spec.type_name(),
                    reason,
                    bench: bench.name.clone(),
                    place: bench.place,
                };
                let read =
                    |&text: &&str| spec.parse(text).map_err(|why| RegistryError::BadValue(Box::new(bad(text, why))));
                let values = texts.iter().map(read).collect::<Result<_, _>>()?;
                spec.set_values(values);
                found = true;
            }
        }
        if !found {
            return Err(RegistryError::UnknownAxis { axis: axis.to_owned(), known: self.axes() });
        }
        self.overridden.insert(axis.to_owned());
        Ok(())
    }

    /// The names of all axes, sorted.
    pub fn axes(&self) -> Vec<String> {
        let names: BTreeSet<&str> =
            self.benches.iter().flat_map(|bench| &bench.axes).map(super::AxisSpec::name).collect();
        names.into_iter().map(str::to_owned).collect()
    }

    /// The cases of all benches, sorted by file, line, column and case.
    ///
    /// # Errors
    /// Two benches with one id; a bench without a name, with an axis without values or with two values under one
    /// label, or whose filter leaves nothing of the axes that it was written with. (Over the values of
    /// [`override_axes`](Self::override_axes) it may leave nothing: these are meant for some benches and reach all.)
    pub fn cases(&self) -> Result<Vec<Case>, RegistryError> {
        let mut benches: Vec<&BenchDefinition> = self.benches.iter().collect();
        benches.sort_by_key(|bench| bench.place);
        let mut cases = Vec::new();
        let mut places: HashMap<String, SourceLocation> = HashMap::new();
        for bench in benches {
            let expanded = expand(bench)?;
            if expanded.is_empty() && !bench.axes.iter().any(|axis| self.overridden.contains(axis.name())) {
                return Err(RegistryError::NothingKept { bench: bench.name.clone(), place: bench.place });
            }
            for case in &expanded {
                if let Some(first) = places.insert(case.id.clone(), case.place) {
                    return Err(RegistryError::DuplicateId { id: case.id.clone(), first, second: case.place });
                }
            }
            cases.extend(expanded);
        }
        Ok(cases)
    }
}

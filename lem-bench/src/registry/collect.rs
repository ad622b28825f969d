//! All benches of this binary, in an order that does not depend on the linker, and the selection of cases.

use std::collections::{BTreeSet, HashMap};

use super::case::expand;
use super::{BadValue, BenchDefinition, Case, Entry, RegistryError, SourceLocation};

/// The benches of this binary.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    benches: Vec<BenchDefinition>,
    overridden: BTreeSet<String>,
}

/// Returns the cases of all `#[energy_bench]` functions of this binary, sorted by file, line, column and case.
///
/// # Errors
/// See [`Registry::cases`].
pub fn collect() -> Result<Vec<Case>, RegistryError> {
    Registry::from_attributes().cases()
}

impl Registry {
    /// Creates a registry without benches.
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates a registry of all `#[energy_bench]` functions of this binary.
    pub fn from_attributes() -> Self {
        let mut entries: Vec<&Entry> = inventory::iter::<Entry>().collect();
        // Benches of one macro call have equal locations; module and name make their order independent of the linker.
        entries.sort_by_key(|entry| (entry.place, entry.module, entry.name));
        Self { benches: entries.into_iter().map(BenchDefinition::from).collect(), overridden: BTreeSet::new() }
    }

    /// Adds a bench. Benches with equal locations, such as those of a loop, keep their order.
    pub fn add(&mut self, bench: BenchDefinition) {
        self.benches.push(bench);
    }

    /// Returns the benches, in the order in which they were added.
    pub fn benches(&self) -> &[BenchDefinition] {
        &self.benches
    }

    /// Returns whether there are no benches.
    pub fn is_empty(&self) -> bool {
        self.benches.is_empty()
    }

    /// Replaces the values of axes in all benches that have them: `[("batch", ["1", "16"])]`. Several entries of one axis
    /// are combined.
    ///
    /// # Errors
    /// No bench has the axis, or a value is not valid.
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
            return Err(RegistryError::EmptyOverride { axis: axis.to_owned() });
        }
        let mut found = false;
        for bench in &mut self.benches {
            for spec in bench.axes.iter_mut().filter(|spec| spec.name() == axis) {
                let mut values = Vec::new();
                for text in texts {
                    values.push(spec.parse(text).map_err(|reason| {
                        RegistryError::BadValue(Box::new(BadValue {
                            axis: axis.to_owned(),
                            text: (*text).to_owned(),
                            type_name: spec.type_name(),
                            reason,
                            bench: bench.name.clone(),
                            place: bench.place,
                        }))
                    })?);
                }
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

    /// Returns the names of all axes, sorted.
    pub fn axes(&self) -> Vec<String> {
        let names: BTreeSet<&str> =
            self.benches.iter().flat_map(|bench| &bench.axes).map(super::AxisSpec::name).collect();
        names.into_iter().map(str::to_owned).collect()
    }

    /// Returns the cases of all benches, sorted by file, line, column and case.
    ///
    /// # Errors
    /// Two benches have the same id; or a bench has no name, an axis without values, two values with the same label, or a
    /// filter that excludes all cases. The filter may exclude all values of [`override_axes`](Self::override_axes), since
    /// they apply to all benches.
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

/// Handling of benches with `ignore`, from `--ignored` and `--include-ignored`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IgnoredMode {
    /// Neither flag: they are listed as ignored and not run.
    #[default]
    Skip,
    /// `--ignored`: only they are listed and run.
    Only,
    /// `--include-ignored`: they are run like all others.
    Include,
}

/// Selects cases.
///
/// A case is selected if it matches a filter, or without filters, and no `skip` matches. A filter or `skip` matches ids
/// that contain it; with `exact`, ids that are equal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Filters. If empty, every case matches.
    pub filters: Vec<String>,
    /// Filters of cases to exclude.
    pub skip: Vec<String>,
    /// Whether filters must be equal to the id.
    pub exact: bool,
    /// Handling of benches with `ignore`.
    pub ignored: IgnoredMode,
}

/// Selected cases.
#[derive(Clone, Debug, Default)]
pub struct Selected {
    /// Cases to run, in order.
    pub run: Vec<Case>,
    /// Cases with `ignore` that match but are not run. They are listed and counted.
    pub ignored: Vec<Case>,
}

impl Selection {
    /// Returns whether `--list` prints a case: it matches, and `--ignored` does not exclude it. Ignored cases are
    /// listed, as in libtest.
    pub fn lists(&self, case: &Case) -> bool {
        let matches = |text: &String| if self.exact { case.id == *text } else { case.id.contains(text.as_str()) };
        (self.filters.is_empty() || self.filters.iter().any(matches))
            && !self.skip.iter().any(matches)
            && (self.ignored != IgnoredMode::Only || case.attributes.ignore.is_some())
    }

    /// Returns whether a case is run: it is listed, and not ignored.
    pub fn runs(&self, case: &Case) -> bool {
        self.lists(case) && (self.ignored != IgnoredMode::Skip || case.attributes.ignore.is_none())
    }

    /// Returns the selected cases.
    pub fn select(&self, cases: Vec<Case>) -> Selected {
        let (run, ignored) = cases.into_iter().filter(|case| self.lists(case)).partition(|case| self.runs(case));
        Selected { run, ignored }
    }
}

//! Selection of cases, by the rules of libtest.

use super::Case;

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
/// A case is selected if there are no filters or one of them matches, and no `skip` matches. A filter or `skip` matches ids
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
    /// Returns whether `--list` prints a case: it matches, and `--ignored` does not exclude it. Ignored cases are listed, as
    /// in libtest.
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

//! Which cases are asked for, by libtest's rules.
//!
//! Must not know how cases are made or run.

use super::Case;

/// What `--ignored` and `--include-ignored` say about benches marked `ignore`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IgnoredMode {
    /// Neither flag: they are shown as ignored and not run.
    #[default]
    Skip,
    /// `--ignored`: only they are run; the others are not even shown.
    Only,
    /// `--include-ignored`: they are run like the others.
    Include,
}

/// Which cases are asked for.
///
/// A case is asked for if one of the filters matches it, or there are none, and no `skip` matches it. A filter
/// matches an id that contains it; with `exact`, one that equals it, and the same holds for `skip`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Texts of which one has to match; none, and everything matches.
    pub filters: Vec<String>,
    /// Texts of which none may match.
    pub skip: Vec<String>,
    /// Compare with the whole id.
    pub exact: bool,
    /// What happens to benches marked `ignore`.
    pub ignored: IgnoredMode,
}

/// The cases that are asked for.
#[derive(Clone, Debug, Default)]
pub struct Selected {
    /// Those to run, in order.
    pub run: Vec<Case>,
    /// Those that match and are marked `ignore`, without a flag that runs them: listed and counted, not run.
    pub ignored: Vec<Case>,
}

impl Selection {
    /// Whether a case is listed: it matches, and `--ignored` does not exclude it. `--list` shows these, and leaves in
    /// those that are ignored, as libtest does.
    pub fn lists(&self, case: &Case) -> bool {
        let matches = |text: &String| if self.exact { case.id == *text } else { case.id.contains(text.as_str()) };
        (self.filters.is_empty() || self.filters.iter().any(matches))
            && !self.skip.iter().any(matches)
            && (self.ignored != IgnoredMode::Only || case.attributes.ignore.is_some())
    }

    /// Whether a case is run: it is listed, and not marked `ignore` unless such are asked for.
    pub fn runs(&self, case: &Case) -> bool {
        self.lists(case) && (self.ignored != IgnoredMode::Skip || case.attributes.ignore.is_none())
    }

    /// Sorts out the cases that are asked for.
    pub fn select(&self, cases: Vec<Case>) -> Selected {
        let (run, ignored) = cases.into_iter().filter(|case| self.lists(case)).partition(|case| self.runs(case));
        Selected { run, ignored }
    }
}

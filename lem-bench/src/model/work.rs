//! Work: what a window's counts are, and the unit that energy is divided by.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The work of a window, by unit.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct WorkCounts {
    /// Requests (or iterations) that succeeded.
    pub requests: u64,
    /// The part of `requests` that are calls of the body of `iter`; 0 in journals before schema version 3.
    #[serde(default)]
    pub iterations: u64,
    /// Requests that failed; their energy is in the window.
    pub failed: u64,
    /// Prompt tokens.
    pub input_tokens: u64,
    /// Generated tokens.
    pub output_tokens: u64,
    /// Seconds in which inputs of iterations were created or dropped, without other work. Their share of the window's
    /// energy does not count.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub prepared_s: f64,
    /// Requests that arrived at a given rate; `None` where they did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arrivals: Option<ArrivalCounts>,
    /// Custom units of work, by name (`images`, `rows`).
    pub units: BTreeMap<String, u64>,
}

/// Requests that arrived at a given rate, whether earlier ones had ended or not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArrivalCounts {
    /// Requests that arrived in the window.
    pub arrived: u64,
    /// Requests that ended in the window.
    pub ended: u64,
    /// The part of `arrived` that was never started: it still waited for one of those in flight to end when the load ended.
    pub dropped: u64,
}

impl WorkCounts {
    /// Returns the unit that the energy of this work is divided by; see [`Unit::choose`].
    pub fn unit(&self) -> Unit<'_> {
        let custom = self.units.iter().map(|(name, count)| (name.as_str(), *count));
        let requests = self.requests.saturating_add(self.failed);
        match Unit::choose(self.output_tokens, self.input_tokens, requests, custom) {
            Unit::Request => self.call_unit(),
            unit => unit,
        }
    }

    /// Returns what a call of the body is: an iteration where all calls are those of `iter`, else a request.
    pub fn call_unit(&self) -> Unit<'static> {
        if self.iterations > 0 && self.iterations == self.requests { Unit::Iteration } else { Unit::Request }
    }

    /// Returns the amount of work in this unit.
    pub fn count(&self, unit: Unit<'_>) -> u64 {
        match unit {
            Unit::OutputToken => self.output_tokens,
            Unit::InputToken => self.input_tokens,
            Unit::TotalToken => self.output_tokens.saturating_add(self.input_tokens),
            Unit::Request => self.requests,
            Unit::Iteration => self.iterations,
            Unit::Custom(name) => self.units.get(name).copied().unwrap_or(0),
        }
    }

    /// Adds the work of another window. Sums saturate: counts may come from a damaged file.
    pub fn add(&mut self, other: &WorkCounts) {
        let add = |sum: &mut u64, count: u64| *sum = sum.saturating_add(count);
        add(&mut self.requests, other.requests);
        add(&mut self.iterations, other.iterations);
        add(&mut self.failed, other.failed);
        add(&mut self.input_tokens, other.input_tokens);
        add(&mut self.output_tokens, other.output_tokens);
        self.prepared_s += other.prepared_s;
        if let Some(other) = other.arrivals {
            let counts = self.arrivals.get_or_insert_default();
            add(&mut counts.arrived, other.arrived);
            add(&mut counts.ended, other.ended);
            add(&mut counts.dropped, other.dropped);
        }
        for (name, count) in &other.units {
            add(self.units.entry(name.clone()).or_default(), *count);
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature of `skip_serializing_if`")]
fn is_zero(seconds: &f64) -> bool {
    *seconds == 0.0
}

/// A unit of work: what energy and time are divided by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unit<'a> {
    /// A generated token.
    OutputToken,
    /// A prompt token.
    InputToken,
    /// A token, whether prompt or generated.
    TotalToken,
    /// A request: a call of the body of `iter_requests`.
    Request,
    /// A call of the body of `iter`.
    Iteration,
    /// The user's own unit, by the name under which it is counted: `images`.
    Custom(&'a str),
}

impl<'a> Unit<'a> {
    /// Returns the unit of a bench's headline from its counts: output tokens; without any, input tokens; without any,
    /// the first custom unit in alphabetical order that was counted; else requests.
    ///
    /// A bench with input tokens and at most one output token per request, failed ones included, measures prefill: its
    /// unit is the input token. The output token only marks the end of the prefill, for the TTFT.
    pub fn choose(
        output_tokens: u64,
        input_tokens: u64,
        requests: u64,
        custom: impl IntoIterator<Item = (&'a str, u64)>,
    ) -> Self {
        let is_prefill = input_tokens > 0 && output_tokens <= requests;
        if output_tokens > 0 && !is_prefill {
            return Self::OutputToken;
        }
        if input_tokens > 0 {
            return Self::InputToken;
        }
        let counted = custom.into_iter().filter(|(_, count)| *count > 0);
        counted.map(|(name, _)| name).min().map_or(Self::Request, Self::Custom)
    }

    /// Returns the unit of a name in metric names: `output_token` of `j_per_output_token`.
    pub fn from_name(name: &'a str) -> Self {
        let known = [Self::OutputToken, Self::InputToken, Self::TotalToken, Self::Request, Self::Iteration];
        known.into_iter().find(|unit| unit.name() == name).unwrap_or(Self::Custom(name))
    }

    /// Returns the unit of a plural in metric names: `output_tokens` of `output_tokens_per_s`.
    pub fn from_plural_name(name: &'a str) -> Self {
        match name.strip_suffix('s').map(Self::from_name) {
            None | Some(Self::Custom(_)) => Self::Custom(name),
            Some(unit) => unit,
        }
    }

    /// Returns its name in metric names, singular: `output_token`. Custom units keep their own name.
    pub const fn name(self) -> &'a str {
        match self {
            Self::OutputToken => "output_token",
            Self::InputToken => "input_token",
            Self::TotalToken => "total_token",
            Self::Request => "request",
            Self::Iteration => "iteration",
            Self::Custom(name) => name,
        }
    }

    /// Returns its plural in metric names: `output_tokens`. Custom units keep their own name.
    pub fn plural_name(self) -> String {
        match self {
            Self::Custom(name) => name.to_owned(),
            unit => format!("{}s", unit.name()),
        }
    }

    /// Returns its symbol in units of measurement: `token` in `J/token`.
    pub const fn symbol(self) -> &'a str {
        match self {
            Self::OutputToken | Self::TotalToken => "token",
            Self::InputToken => "input token",
            Self::Request => "request",
            Self::Iteration => "iteration",
            Self::Custom(name) => name,
        }
    }

    /// Returns its symbol in rates: `tokens` in `tokens/s`. Custom units keep their own name.
    pub fn plural_symbol(self) -> String {
        match self {
            Self::Custom(name) => name.to_owned(),
            unit => format!("{}s", unit.symbol()),
        }
    }

    /// Returns what one of it is called in text: `output token`, `image` of `images`.
    pub fn label(self) -> String {
        singular(&self.name().replace('_', " "))
    }

    /// Returns what several of it are called in text: `output tokens`, `images`.
    pub fn plural_label(self) -> String {
        self.plural_name().replace('_', " ")
    }
}

/// Returns the singular of most English plurals: `image` of `images`, `query` of `queries`.
fn singular(noun: &str) -> String {
    if let Some(stem) = noun.strip_suffix("ies").filter(|stem| stem.len() > 1) {
        return format!("{stem}y");
    }
    let ends_in_es = ["ches", "shes", "sses", "xes"].iter().any(|end| noun.ends_with(end));
    let stem =
        if ends_in_es { noun.strip_suffix("es") } else { noun.strip_suffix('s').filter(|stem| !stem.ends_with('s')) };
    stem.map_or_else(|| noun.to_owned(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn work(output_tokens: u64, input_tokens: u64, images: u64) -> WorkCounts {
        let units = [("images".to_owned(), images), ("boxes".to_owned(), 0)].into();
        WorkCounts { requests: 3, input_tokens, output_tokens, units, ..WorkCounts::default() }
    }

    #[test]
    fn headline_unit() {
        assert_eq!(work(5, 7, 2).unit(), Unit::OutputToken);
        assert_eq!(work(0, 7, 2).unit(), Unit::InputToken);
        assert_eq!(work(0, 0, 2).unit(), Unit::Custom("images"));
        assert_eq!(work(0, 0, 0).unit(), Unit::Request);
        assert_eq!(WorkCounts { iterations: 3, ..work(0, 0, 0) }.unit(), Unit::Iteration);
        assert_eq!(WorkCounts { iterations: 2, ..work(0, 0, 0) }.unit(), Unit::Request, "not all are iterations");
        assert_eq!(WorkCounts { iterations: 3, ..work(5, 0, 0) }.unit(), Unit::OutputToken);
    }

    #[test]
    fn prefill_is_per_input_token() {
        // Three requests of 256 tokens with one output token each, which marks the TTFT.
        assert_eq!(work(3, 768, 0).unit(), Unit::InputToken);
        assert_eq!(work(4, 768, 0).unit(), Unit::OutputToken, "more than one output token per request");
        assert_eq!(work(3, 0, 0).unit(), Unit::OutputToken, "no input tokens were counted");
        assert_eq!(WorkCounts { failed: 1, ..work(4, 768, 0) }.unit(), Unit::InputToken);
    }

    #[test]
    fn counts_by_unit() {
        let work = work(5, 7, 2);
        let units = ["output_token", "input_token", "total_token", "request", "iteration", "images", "rows"];
        assert_eq!(units.map(|name| work.count(Unit::from_name(name))), [5, 7, 12, 3, 0, 2, 0]);
    }

    #[test]
    fn names_can_be_parsed() {
        for unit in [
            Unit::OutputToken,
            Unit::InputToken,
            Unit::TotalToken,
            Unit::Request,
            Unit::Iteration,
            Unit::Custom("images"),
        ] {
            assert_eq!(Unit::from_name(unit.name()), unit);
            assert_eq!(Unit::from_plural_name(&unit.plural_name()).name(), unit.name());
        }
        assert_eq!(Unit::Request.plural_name(), "requests");
        assert_eq!(
            (Unit::InputToken.plural_symbol(), Unit::Custom("images").plural_symbol()),
            ("input tokens".into(), "images".into())
        );
    }

    #[test]
    fn singular_labels() {
        let names = ["images", "queries", "batches", "passes", "boxes", "loss", "rows", "token", "output_token"];
        let labels = ["image", "query", "batch", "pass", "box", "loss", "row", "token", "output token"];
        assert_eq!(names.map(|name| Unit::from_name(name).label()), labels);
    }
}

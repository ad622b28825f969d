//! The fields that a comparison adds to the JSON of a run and of the summary.

use lem_bench::__private::analysis::compare::Verdict;
use serde_json::{Map, Value, json};

use super::compare::{Compared, Verdicts};

const VERDICTS: [Verdict; 5] =
    [Verdict::Improved, Verdict::Unchanged, Verdict::Regressed, Verdict::Inconclusive, Verdict::Invalid];

/// The JSON of a run.
pub(crate) fn run(compared: &Compared) -> Value {
    let bench = &compared.bench;
    let added = json!({
        "base": bench.base.value,
        "new": bench.new.value,
        "change_pct": bench.change.map(|change| change.percent),
        "change_low": bench.change.map(|change| change.low),
        "change_high": bench.change.map(|change| change.high),
        "p": bench.change.map(|change| change.p),
        "verdict": bench.verdict.name(),
        "suspected": bench.suspected.is_some(),
        "detectable_pct": bench.detectable_pct,
        "design": bench.design,
        "session": bench.session,
        "reasons": bench.reasons,
    });
    joined(compared.base.json().clone(), added)
}

/// The JSON of the summary; `base` is that of the first scenario.
pub(crate) fn summary(base: Value, verdicts: &Verdicts, true_change_pct: f64) -> Value {
    let shares: Map<String, Value> =
        VERDICTS.iter().map(|verdict| (verdict.name().to_owned(), verdicts.share(*verdict).into())).collect();
    let added = json!({
        "true_change_pct": true_change_pct,
        "mean_change_pct": verdicts.mean_change_pct(),
        "change_coverage": verdicts.coverage(),
        "median_detectable_pct": verdicts.detectable_pct(),
        "suspected": verdicts.suspected(),
        "verdicts": shares,
    });
    joined(base, added)
}

fn joined(mut object: Value, added: Value) -> Value {
    if let (Some(object), Value::Object(added)) = (object.as_object_mut(), added) {
        object.extend(added);
    }
    object
}

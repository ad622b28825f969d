//! The three things most worth knowing about a run: what speaks against it, what a token costs, how sure that is.
//!
//! Must not know where they are said.

use super::comparison::{change, verdict};
use super::figures::{Figure, percent};
use super::labels;
use crate::analysis::compare::{BenchComparison, Comparison, Verdict};
use crate::analysis::{BenchSummary, Finding, Metric, Severity, Status, Summary};

/// Half an interval, as a share of the value, that is narrow enough to find a change of 1 %.
const NARROW: f64 = 0.01;
/// More cycles than this are no advice.
const MOST_CYCLES: f64 = 200.0;

/// Sentences at most.
const MOST: usize = 3;

/// At most three sentences, what weighs most first.
pub(super) fn worth_knowing(summary: &Summary, compared: Option<&Comparison>) -> Vec<String> {
    let all = [worst(summary), compared.and_then(changed), cost(summary), widest(summary)];
    all.into_iter().flatten().take(MOST).collect()
}

/// What changed against the base, and most of all; of which benches that can't be told.
fn changed(compared: &Comparison) -> Option<String> {
    let count = |verdict| compared.benches.iter().filter(|bench| bench.verdict == verdict).count();
    let each =
        |(verdict, word): (Verdict, &str)| Some(format!("{} {word}", count(verdict))).filter(|_| count(verdict) > 0);
    let words = [
        (Verdict::Regressed, "regressed"),
        (Verdict::Improved, "improved"),
        (Verdict::Unchanged, "unchanged"),
        (Verdict::Inconclusive, "inconclusive"),
        (Verdict::Invalid, "not comparable"),
    ];
    let counts: Vec<String> = words.into_iter().filter_map(each).collect();
    if counts.is_empty() {
        return None;
    }
    let of = |verdict| compared.benches.iter().filter(move |bench| bench.verdict == verdict);
    let size = |bench: &&BenchComparison| bench.change.map_or(0.0, |change| change.log_ratio.abs());
    let most = |verdict| of(verdict).max_by(|a, b| size(a).total_cmp(&size(b)));
    let told = most(Verdict::Regressed).or_else(|| most(Verdict::Improved));
    let suspected = || compared.benches.iter().find(|bench| bench.suspected.is_some());
    let only = || compared.benches.first().filter(|_| compared.benches.len() == 1);
    let told = told.or_else(suspected).or_else(only);
    let base = &compared.base.name;
    let said = |bench: &BenchComparison| {
        let label = match (bench.is_estimate(), bench.is_simulated()) {
            (true, _) => " (estimated)",
            (_, true) => " (simulated)",
            _ => "",
        };
        Some(format!("{} {}, {}{label}", bench.id, verdict(bench), change(bench)?))
    };
    let told = told.and_then(said);
    Some(match told {
        Some(told) if compared.benches.len() == 1 => format!("Against {base}: {told}"),
        Some(told) => format!("Against {base}: {}; most of all {told}", counts.join(", ")),
        None => format!("Against {base}: {}", counts.join(", ")),
    })
}

/// The finding that weighs most, with what to do about it; where several benches have it, how many.
fn worst(summary: &Summary) -> Option<String> {
    let of_run = summary.findings.iter().map(|found| (None, found));
    let of_benches = summary.benches.iter().flat_map(|b| b.findings.iter().map(move |found| (Some(b), found)));
    let heavy = of_run.chain(of_benches).filter(|(_, found)| found.weight > Severity::Note);
    // The first of the heaviest.
    let (whose, found) = heavy.reduce(|worst, next| if next.1.weight > worst.1.weight { next } else { worst })?;
    let same =
        |bench: &&BenchSummary| bench.findings.iter().any(|f| (f.check, f.weight) == (found.check, found.weight));
    let others = summary.benches.iter().filter(same).count().saturating_sub(usize::from(whose.is_some()));
    let whose = whose.map_or_else(|| "The run".to_owned(), |bench| bench.bench.id.clone());
    let and_others = match others {
        0 => String::new(),
        1 => " and 1 other bench".to_owned(),
        n => format!(" and {n} other benches"),
    };
    let must_not = if found.weight == Severity::Invalid { " must not be used" } else { "" };
    Some(format!("{whose}{and_others}{must_not}: {}{}", found.evidence, remedy(found)))
}

fn remedy(found: &Finding) -> String {
    if found.remedy.is_empty() { String::new() } else { format!(" → {}", found.remedy) }
}

/// What can be used: benches with a headline that is a number.
fn usable(summary: &Summary) -> impl Iterator<Item = (&BenchSummary, &Metric, f64)> {
    let benches = summary.benches.iter().filter(|bench| bench.status != Status::Invalid);
    benches.filter_map(|bench| {
        let metric = bench.headline()?;
        Some((bench, metric, metric.value.filter(|value| value.is_finite())?))
    })
}

/// What the unit costs that most benches produce, from the cheapest to the dearest.
fn cost(summary: &Summary) -> Option<String> {
    let (first, ..) = usable(summary).next()?;
    let name = first.headline_metric.clone()?;
    let alike = || usable(summary).filter(|(bench, ..)| bench.headline_metric.as_deref() == Some(name.as_str()));
    let least = alike().min_by(|a, b| a.2.total_cmp(&b.2))?;
    let most = alike().max_by(|a, b| a.2.total_cmp(&b.2))?;
    let per = labels::denominator(&name).unwrap_or_default();
    let article = if per.starts_with(['a', 'e', 'i', 'o', 'u']) { "An" } else { "A" };
    let figure = |(bench, metric, _): (&BenchSummary, &Metric, f64)| {
        let figure = Figure::of(metric).ok()?;
        let unit = figure.unit.split('/').next().unwrap_or_default();
        let relative = figure.relative.map(|relative| format!(" {relative}")).unwrap_or_default();
        let origin = labels::metric_origin(bench, &name, metric).map(|label| format!(" {label}")).unwrap_or_default();
        Some(format!("{} {unit}{relative}{origin}", figure.value))
    };
    let (low, high) = (figure(least)?, figure(most)?);
    let (cheap, dear) = (&least.0.bench.id, &most.0.bench.id);
    if std::ptr::eq(least.0, most.0) {
        return Some(format!("{article} {per} costs {low} in {cheap}"));
    }
    let times = most.2 / least.2;
    let times = if times.is_finite() && times >= 1.1 { format!(", {times:.1} times as much") } else { String::new() };
    Some(format!("{article} {per} costs {low} in {cheap} and {high} in {dear}{times}"))
}

/// The widest of the headlines' intervals, and how many cycles would make it narrow: its length goes with the root of
/// their number.
fn widest(summary: &Summary) -> Option<String> {
    let half = |metric: &Metric, value: f64| {
        let interval = metric.interval.as_ref()?;
        Some((interval.high - interval.low) / 2.0 / value.abs()).filter(|share| share.is_finite())
    };
    let halves = usable(summary).filter_map(|(bench, metric, value)| Some((bench, metric, half(metric, value)?)));
    let (bench, metric, share) = halves.max_by(|a, b| a.2.total_cmp(&b.2))?;
    let needed = (metric.cycles as f64 * (share / NARROW).powi(2) - 1e-6).ceil();
    let advice = if share <= NARROW {
        String::new()
    } else if needed <= MOST_CYCLES {
        format!(" → `--cycles {needed}` would bring it to about ±{}", percent(NARROW))
    } else {
        " → a quieter machine or longer windows (`--min-window`) help more than more cycles".to_owned()
    };
    let which = if summary.benches.len() == 1 { "The interval is" } else { "The widest interval is" };
    let of = if summary.benches.len() == 1 { String::new() } else { format!(", that of {}", bench.bench.id) };
    Some(format!("{which} ±{} over {} cycles{of}{advice}", percent(share), metric.cycles))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::compare::{self, Change};
    use crate::report::fixture;

    #[test]
    fn what_must_not_be_used_comes_first_then_what_it_costs_and_how_sure_that_is() {
        assert_eq!(
            worth_knowing(&fixture::on_a_card(), None),
            [
                "decode/batch=1/dtype=f32 must not be used: 7 of 212 requests failed (3.3 %), the last with: out of \
                 memory → make the requests succeed; above 1 % the energy per token is not the model's",
                "An output token costs 0.13750 J ±0.6 % in decode/batch=4/dtype=bf16 and 0.4123 J ±0.6 % in \
                 decode/batch=1/dtype=bf16, 3.0 times as much",
                "The widest interval is ±0.6 % over 10 cycles, that of embed",
            ]
        );
    }

    #[test]
    fn what_changed_comes_before_what_it_costs_and_pushes_out_what_weighs_least() {
        let compared = |verdicts: &[(&str, Verdict, f64)]| {
            let one = |&(id, verdict, percent): &(&str, Verdict, f64)| {
                let (log_ratio, low, high) = ((percent / 100.0).ln_1p(), percent - 1.0, percent + 1.0);
                let change = Change { percent, low, high, log_ratio, se: 0.005, df: 9.0, p: 0.001, q: 0.001 };
                BenchComparison { verdict, change: Some(change), ..compare::fixture::bench(id) }
            };
            let run = compare::fixture::run("base", 0.0, 0.4);
            let side = |name| compare::Results { name, summaries: std::slice::from_ref(&run) };
            let options = compare::CompareOptions::default();
            let whole = compare::compare(side("main"), side("head"), &[], &options, compare::GateRules::default());
            Comparison { benches: verdicts.iter().map(one).collect(), ..whole }
        };
        let verdicts =
            [("a", Verdict::Unchanged, 0.1), ("b", Verdict::Improved, -20.0), ("c", Verdict::Regressed, 6.4)];
        let told = worth_knowing(&fixture::on_a_card(), Some(&compared(&verdicts)));
        assert_eq!(
            told[1],
            "Against main: 1 regressed, 1 improved, 1 unchanged; most of all c regressed, +6.4 % [+5.4 % … +7.4 %]"
        );
        assert!(told.len() == 3 && told[0].contains("must not be used") && told[2].contains("costs"), "{told:?}");
        let told = worth_knowing(&fixture::on_an_estimate(), Some(&compared(&verdicts[..1])));
        assert_eq!(told[0], "Against main: a unchanged, +0.1 % [-0.9 % … +1.1 %]");
    }

    #[test]
    fn an_estimate_is_called_one_and_a_wide_interval_has_a_remedy() {
        let mut run = fixture::on_an_estimate();
        run.benches.truncate(1);
        let metric = run.benches[0].metrics.get_mut("j_per_output_token").unwrap();
        let interval = metric.interval.as_mut().unwrap();
        (interval.low, interval.high) = (0.0523 * 0.97, 0.0523 * 1.03);
        let told = worth_knowing(&run, None);
        assert_eq!(told[0], "An output token costs 52.3 mJ ±3.0 % (estimated) in decode/batch=1");
        assert_eq!(told[1], "The interval is ±3.0 % over 10 cycles → `--cycles 90` would bring it to about ±1.0 %");
        assert_eq!(told.len(), 2);
    }

    #[test]
    fn a_run_without_anything_has_nothing_worth_knowing() {
        let mut run = fixture::on_a_card();
        run.benches.clear();
        assert_eq!(worth_knowing(&run, None), Vec::<String>::new());
    }
}

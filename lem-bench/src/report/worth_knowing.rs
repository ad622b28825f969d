//! The three most important facts about a run: its worst finding, its energy per unit of work, its widest interval.

use super::comparison::{change, origin, verdict};
use super::labels;
use super::number_format::{Figure, percent};
use crate::analysis::compare::{BenchComparison, Comparison, Verdict};
use crate::analysis::{BenchSummary, Metric, Severity, Status, Summary};
use crate::model::count_of;

/// Half an interval, as a share of the value, that is narrow enough to detect a change of 1 %.
const NARROW: f64 = 0.01;
/// More cycles than this are not recommended.
const MAX_CYCLES: f64 = 200.0;

/// The maximum number of sentences.
const MAX_SENTENCES: usize = 3;

/// Returns at most three sentences, the most important first.
pub(super) fn worth_knowing(summary: &Summary, compared: Option<&Comparison>) -> Vec<String> {
    let all = [worst(summary), compared.and_then(changed), cost(summary), widest(summary)];
    all.into_iter().flatten().take(MAX_SENTENCES).collect()
}

/// Returns how many benches have which verdict, and the largest change: of a regression, or else of an improvement.
fn changed(compared: &Comparison) -> Option<String> {
    let count = |verdict| compared.benches.iter().filter(|bench| bench.verdict == verdict).count();
    let labels = [
        (Verdict::Regressed, "regressed"),
        (Verdict::Improved, "improved"),
        (Verdict::Unchanged, "unchanged"),
        (Verdict::Inconclusive, "inconclusive"),
        (Verdict::Invalid, "not comparable"),
    ];
    let occurring = labels.into_iter().filter(|(verdict, _)| count(*verdict) > 0);
    let counts: Vec<String> = occurring.map(|(verdict, label)| format!("{} {label}", count(verdict))).collect();
    if counts.is_empty() {
        return None;
    }
    let size = |bench: &BenchComparison| bench.change.map_or(0.0, |change| change.log_ratio.abs());
    let largest = |verdict| {
        let benches = compared.benches.iter().filter(|bench| bench.verdict == verdict);
        benches.max_by(|a, b| size(a).total_cmp(&size(b)))
    };
    let suspected = || compared.benches.iter().find(|bench| bench.suspected.is_some());
    let only = || compared.benches.first().filter(|_| compared.benches.len() == 1);
    let bench = largest(Verdict::Regressed).or_else(|| largest(Verdict::Improved)).or_else(suspected).or_else(only);
    let base = &compared.base.name;
    let text = bench.and_then(|bench| {
        let label = origin(bench).label().map(|label| format!(" {label}")).unwrap_or_default();
        Some(format!("{} {}, {}{label}", bench.id, verdict(bench), change(bench)?))
    });
    Some(match text {
        Some(text) if compared.benches.len() == 1 => format!("Against {base}: {text}"),
        Some(text) => format!("Against {base}: {}; the largest change is {text}", counts.join(", ")),
        None => format!("Against {base}: {}", counts.join(", ")),
    })
}

/// Returns the most severe finding with its remedy, and how many other benches have it.
fn worst(summary: &Summary) -> Option<String> {
    let run_findings = summary.findings.iter().map(|found| (None, found));
    let bench_findings = summary.benches.iter().flat_map(|b| b.findings.iter().map(move |found| (Some(b), found)));
    let problems = run_findings.chain(bench_findings).filter(|(_, found)| found.weight > Severity::Note);
    // The first of the most severe.
    let (whose, found) = problems.reduce(|worst, next| if next.1.weight > worst.1.weight { next } else { worst })?;
    let same =
        |bench: &&BenchSummary| bench.findings.iter().any(|f| (f.check, f.weight) == (found.check, found.weight));
    let others = summary.benches.iter().filter(same).count().saturating_sub(usize::from(whose.is_some()));
    let whose = whose.map_or_else(|| "The run".to_owned(), |bench| bench.bench.id.clone());
    let and_others = if others == 0 { String::new() } else { format!(" and {}", count_of(others, "other bench")) };
    let must_not = if found.weight == Severity::Invalid { " must not be used" } else { "" };
    Some(format!("{whose}{and_others}{must_not}: {}", labels::evidence_and_remedy(found)))
}

/// Returns the benches that may be used and have a finite headline.
fn usable(summary: &Summary) -> impl Iterator<Item = (&BenchSummary, &Metric, f64)> {
    let benches = summary.benches.iter().filter(|bench| bench.status != Status::Invalid);
    benches.filter_map(|bench| {
        let metric = bench.headline()?;
        Some((bench, metric, metric.value.filter(|value| value.is_finite())?))
    })
}

/// Returns the lowest and the highest energy per unit of work, among the benches with the headline metric of the first.
fn cost(summary: &Summary) -> Option<String> {
    let (first, ..) = usable(summary).next()?;
    let name = first.headline_metric.clone()?;
    let comparable = || usable(summary).filter(|(bench, ..)| bench.headline_metric.as_deref() == Some(name.as_str()));
    let lowest = comparable().min_by(|a, b| a.2.total_cmp(&b.2))?;
    let highest = comparable().max_by(|a, b| a.2.total_cmp(&b.2))?;
    let per = labels::denominator(&name).unwrap_or_default();
    let article = if per.starts_with(['a', 'e', 'i', 'o', 'u']) { "An" } else { "A" };
    let figure = |(bench, metric, _): (&BenchSummary, &Metric, f64)| {
        let figure = Figure::of(metric).ok()?;
        let unit = figure.unit.split('/').next().unwrap_or_default();
        let relative = figure.relative.map(|relative| format!(" {relative}")).unwrap_or_default();
        let origin = labels::metric_origin(bench, &name, metric).map(|label| format!(" {label}")).unwrap_or_default();
        Some(format!("{} {unit}{relative}{origin}", figure.value))
    };
    let (low, high) = (figure(lowest)?, figure(highest)?);
    let (low_id, high_id) = (&lowest.0.bench.id, &highest.0.bench.id);
    if std::ptr::eq(lowest.0, highest.0) {
        return Some(format!("{article} {per} costs {low} in {low_id}"));
    }
    let times = highest.2 / lowest.2;
    let times = if times.is_finite() && times >= 1.1 { format!(", {times:.1} times as much") } else { String::new() };
    Some(format!("{article} {per} costs {low} in {low_id} and {high} in {high_id}{times}"))
}

/// Returns the widest interval of a headline metric, and how many cycles would make it narrow enough: its length is
/// inversely proportional to the square root of their number.
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
    } else if needed <= MAX_CYCLES {
        format!(" → `--cycles {needed}` would bring it to about ±{}", percent(NARROW))
    } else {
        " → a quieter machine or longer windows (`--min-window`) help more than more cycles".to_owned()
    };
    let which = if summary.benches.len() == 1 { "The interval is" } else { "The widest interval is" };
    let subject = if summary.benches.len() == 1 { String::new() } else { format!(", that of {}", bench.bench.id) };
    Some(format!("{which} ±{} over {} cycles{subject}{advice}", percent(share), metric.cycles))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::compare::{self, Change};
    use crate::report::fixture;

    #[test]
    fn worst_finding_then_energy_then_interval() {
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
    fn change_comes_before_energy() {
        let compared = |verdicts: &[(&str, Verdict, f64)]| {
            let to_bench = |&(id, verdict, percent): &(&str, Verdict, f64)| {
                let (log_ratio, low, high) = ((percent / 100.0).ln_1p(), percent - 1.0, percent + 1.0);
                let change = Change { percent, low, high, log_ratio, se: 0.005, df: 9.0, p: 0.001, q: 0.001 };
                BenchComparison { verdict, change: Some(change), ..compare::fixture::bench(id) }
            };
            let run = compare::fixture::run("base", 0.0, 0.4);
            let side = |name| compare::Results { name, summaries: std::slice::from_ref(&run) };
            let options = compare::CompareOptions::default();
            let whole = compare::compare(side("main"), side("head"), &[], &options, compare::GateRules::default());
            Comparison { benches: verdicts.iter().map(to_bench).collect(), ..whole }
        };
        let verdicts =
            [("a", Verdict::Unchanged, 0.1), ("b", Verdict::Improved, -20.0), ("c", Verdict::Regressed, 6.4)];
        let sentences = worth_knowing(&fixture::on_a_card(), Some(&compared(&verdicts)));
        assert_eq!(
            sentences[1],
            "Against main: 1 regressed, 1 improved, 1 unchanged; the largest change is c regressed, +6.4 % [+5.4 % … +7.4 %]"
        );
        assert!(
            sentences.len() == 3 && sentences[0].contains("must not be used") && sentences[2].contains("costs"),
            "{sentences:?}"
        );
        let sentences = worth_knowing(&fixture::on_an_estimate(), Some(&compared(&verdicts[..1])));
        assert_eq!(sentences[0], "Against main: a unchanged, +0.1 % [-0.9 % … +1.1 %]");
    }

    #[test]
    fn labels_estimate_and_suggests_cycles() {
        let mut run = fixture::on_an_estimate();
        run.benches.truncate(1);
        let metric = run.benches[0].metrics.get_mut("j_per_output_token").unwrap();
        let interval = metric.interval.as_mut().unwrap();
        (interval.low, interval.high) = (0.0523 * 0.97, 0.0523 * 1.03);
        let sentences = worth_knowing(&run, None);
        assert_eq!(sentences[0], "An output token costs 52.3 mJ ±3.0 % (estimated) in decode/batch=1");
        assert_eq!(
            sentences[1],
            "The interval is ±3.0 % over 10 cycles → `--cycles 90` would bring it to about ±1.0 %"
        );
        assert_eq!(sentences.len(), 2);
    }

    #[test]
    fn empty_run() {
        let mut run = fixture::on_a_card();
        run.benches.clear();
        assert_eq!(worth_knowing(&run, None), Vec::<String>::new());
    }
}

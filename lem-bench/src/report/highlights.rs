//! The highlights of a run in sentences, for the terminal and for Markdown.

use super::comparison::{change, origin, verdict, verdict_counts};
use super::labels;
use super::number_format::{Figure, percent};
use crate::analysis::compare::Comparison;
use crate::analysis::{
    BenchSummary, ChangeHighlight, CostRange, HeadlinePrecision, Highlights, Severity, Summary, UsableBench,
    WorstFinding,
};
use crate::model::{Origin, count_of};

/// Half an interval, as a share of the value, that is narrow enough to detect a change of 1 %.
const NARROW: f64 = 0.01;
/// More cycles than this are not recommended.
const MAX_CYCLES: f64 = 200.0;
/// Half an interval, as a share of the value, beyond which its width means nothing.
const MAX_SHARE: f64 = 10.0;

/// The maximum number of sentences.
const MAX_SENTENCES: usize = 3;

/// Returns at most three sentences, the most important first.
pub(super) fn highlights(summary: &Summary, compared: Option<&Comparison>) -> Vec<String> {
    let highlights = Highlights::new(&summary.findings, &summary.benches, compared);
    let all = [
        highlights.worst_finding.map(|worst| finding_sentence(&worst)),
        highlights.change.map(|change| change_sentence(&change)),
        highlights.cost.and_then(|cost| cost_sentence(&cost, &summary.benches)),
        highlights.precision.map(|precision| precision_sentence(&precision, summary.benches.len())),
    ];
    all.into_iter().flatten().take(MAX_SENTENCES).collect()
}

/// Returns the most severe finding with its remedy, and how many other benches have it.
fn finding_sentence(worst: &WorstFinding<'_>) -> String {
    let subject = worst.bench.map_or("The run", |bench| bench.bench.id.as_str());
    let others =
        if worst.others == 0 { String::new() } else { format!(" and {}", count_of(worst.others, "other bench")) };
    let must_not = if worst.finding.weight == Severity::Invalid { " must not be used" } else { "" };
    format!("{subject}{others}{must_not}: {}", labels::evidence_and_remedy(worst.finding))
}

/// Returns how many benches have which verdict, and the largest change.
fn change_sentence(highlight: &ChangeHighlight<'_>) -> String {
    let compared = highlight.comparison;
    let base = &compared.base.name;
    let named = highlight.bench.and_then(|bench| {
        let label = origin(bench).label().map(|label| format!(" {label}")).unwrap_or_default();
        Some(format!("{} {}, {}{label}", bench.id, verdict(bench), change(bench)?))
    });
    match named {
        Some(named) if compared.benches.len() == 1 => format!("Against {base}: {named}"),
        Some(named) => format!("Against {base}: {}; the largest change is {named}", verdict_counts(highlight)),
        None => format!("Against {base}: {}", verdict_counts(highlight)),
    }
}

/// Returns the lowest and the highest energy per unit of work.
fn cost_sentence(cost: &CostRange<'_>, benches: &[BenchSummary]) -> Option<String> {
    let per = cost.per.label();
    let article = if per.starts_with(['a', 'e', 'i', 'o', 'u']) { "An" } else { "A" };
    let (low, high) = (cost_figure(&cost.lowest, benches)?, cost_figure(&cost.highest, benches)?);
    let (low_id, high_id) = (&cost.lowest.bench.bench.id, &cost.highest.bench.bench.id);
    if std::ptr::eq(cost.lowest.bench, cost.highest.bench) {
        return Some(format!("{article} {per} costs {low} in {low_id}"));
    }
    let times = cost.highest.value / cost.lowest.value;
    let times = if times.is_finite() && times >= 1.1 { format!(", {times:.1} times as much") } else { String::new() };
    Some(format!("{article} {per} costs {low} in {low_id} and {high} in {high_id}{times}"))
}

/// Returns a headline without its denominator: `0.4123 J ±0.6 %`.
fn cost_figure(usable: &UsableBench<'_>, benches: &[BenchSummary]) -> Option<String> {
    let figure = Figure::of(usable.metric).ok()?;
    let unit = figure.unit.split('/').next().unwrap_or_default();
    let relative = figure.relative.map(|relative| format!(" {relative}")).unwrap_or_default();
    let kind = usable.bench.headline_kind();
    let origin = labels::origin_unless_common(benches, usable.bench, kind, usable.metric).and_then(Origin::label);
    let origin = origin.map(|label| format!(" {label}")).unwrap_or_default();
    Some(format!("{} {unit}{relative}{origin}", figure.value))
}

/// Returns the widest interval of a headline metric, and how many cycles would make it narrow enough: its length is
/// inversely proportional to the square root of their number.
fn precision_sentence(precision: &HeadlinePrecision<'_>, benches: usize) -> String {
    let (share, widest) = (precision.max_half_width, &precision.widest);
    let cycles = widest.metric.cycles;
    let needed = (cycles as f64 * (share / NARROW).powi(2) - 1e-6).ceil();
    let advice = if share <= NARROW || percent(share) == percent(NARROW) {
        String::new()
    } else if needed <= MAX_CYCLES {
        format!(" → `--cycles {needed}` would bring it to about ±{}", percent(NARROW))
    } else {
        " → a quieter machine or longer windows (`--min-window`) help more than more cycles".to_owned()
    };
    let (which, subject) = if benches == 1 {
        ("The interval is", String::new())
    } else {
        ("The widest interval is", format!(" ({})", widest.bench.bench.id))
    };
    let width =
        if share > MAX_SHARE { format!("more than ±{}", percent(MAX_SHARE)) } else { format!("±{}", percent(share)) };
    format!("{which} {width} over {}{subject}{advice}", count_of(cycles, "cycle"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::compare::{self, BenchComparison, Change, Verdict};
    use crate::report::fixture;

    #[test]
    fn worst_finding_then_energy_then_interval() {
        assert_eq!(
            highlights(&fixture::on_a_card(), None),
            [
                "decode/batch=1/dtype=f32 must not be used: 7 of 212 requests failed (3.3 %), the last with: out of \
                 memory → make the requests succeed; above 1 % the energy per token is not the model's",
                "An output token costs 0.13750 J ±0.6 % in decode/batch=4/dtype=bf16 and 0.4123 J ±0.6 % in \
                 decode/batch=1/dtype=bf16, 3.0 times as much",
                "The widest interval is ±0.6 % over 10 cycles (embed)",
            ]
        );
    }

    /// A comparison of benches with these ids, verdicts and changes in percent.
    fn compared(verdicts: &[(&str, Verdict, f64)]) -> Comparison {
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
    }

    #[test]
    fn change_comes_before_energy() {
        let verdicts =
            [("a", Verdict::Unchanged, 0.1), ("b", Verdict::Improved, -20.0), ("c", Verdict::Regressed, 6.4)];
        let sentences = highlights(&fixture::on_a_card(), Some(&compared(&verdicts)));
        assert_eq!(
            sentences[1],
            "Against main: 1 regressed, 1 improved, 1 unchanged; the largest change is c regressed, +6.4 % [+5.4 % … +7.4 %]"
        );
        assert!(
            sentences.len() == 3 && sentences[0].contains("must not be used") && sentences[2].contains("costs"),
            "{sentences:?}"
        );
        let sentences = highlights(&fixture::on_an_estimate(), Some(&compared(&verdicts[..1])));
        assert_eq!(sentences[0], "Against main: a unchanged, +0.1 % [-0.9 % … +1.1 %]");
    }

    #[test]
    fn labels_estimate_and_suggests_cycles() {
        let mut run = fixture::on_an_estimate();
        run.benches.truncate(1);
        let metric = run.benches[0].metrics.get_mut("j_per_output_token").unwrap();
        let interval = metric.interval.as_mut().unwrap();
        (interval.low, interval.high) = (0.0523 * 0.97, 0.0523 * 1.03);
        let sentences = highlights(&run, None);
        assert_eq!(sentences[0], "An output token costs 52.3 mJ ±3.0 % in decode/batch=1");
        assert_eq!(
            sentences[1],
            "The interval is ±3.0 % over 10 cycles → `--cycles 90` would bring it to about ±1.0 %"
        );
        assert_eq!(sentences.len(), 2);
    }

    #[test]
    fn width_of_a_useless_interval_is_bounded() {
        let mut run = fixture::on_an_estimate();
        run.benches.truncate(1);
        let metric = run.benches[0].metrics.get_mut("j_per_output_token").unwrap();
        let interval = metric.interval.as_mut().unwrap();
        (interval.low, interval.high) = (1e-6, 500.0);
        let sentences = highlights(&run, None);
        assert_eq!(sentences[0], "An output token costs 52 mJ in decode/batch=1");
        assert!(
            sentences[1].starts_with("The interval is more than ±1000 % over 10 cycles → a quieter"),
            "{sentences:?}"
        );
    }

    #[test]
    fn numbers_that_are_not_finite() {
        let verdicts = [("a", Verdict::Regressed, f64::NAN), ("b", Verdict::Regressed, f64::INFINITY)];
        let finite = ("c", Verdict::Regressed, 6.4);
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0] {
            let mut run = fixture::on_a_card();
            run.benches[1].metrics.get_mut("j_per_output_token").unwrap().value = Some(bad);
            let interval = run.benches[0].metrics.get_mut("j_per_output_token").unwrap().interval.as_mut().unwrap();
            (interval.low, interval.high) = (-bad, bad);
            run.benches[2].findings.clear();
            let (without, with) = (compared(&verdicts), compared(&[verdicts[0], finite, verdicts[1]]));
            for compared in [None, Some(&without), Some(&with)] {
                let sentences = highlights(&run, compared);
                assert!(sentences.iter().all(|text| !text.contains("NaN") && !text.contains("inf")), "{sentences:?}");
            }
            assert!(highlights(&run, Some(&with))[1].contains("the largest change is c regressed"));
        }
    }

    #[test]
    fn empty_run() {
        let mut run = fixture::on_a_card();
        run.benches.clear();
        assert_eq!(highlights(&run, None), Vec::<String>::new());
    }
}

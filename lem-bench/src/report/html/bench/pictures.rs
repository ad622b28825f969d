//! The plots of a bench, or why there is none.
//!
//! Must not know how one is drawn.

use super::super::error::ReportError;
use super::super::metric_table::number;
use super::super::plots::palette::{LINES, hex};
use super::super::plots::power::{MOST_LINES, draw};
use super::super::plots::{histogram, over_numbers};
use super::super::view::{Plot, Times};
use super::super::words::{capital, warm_up};
use super::cycle_table::work;
use super::timeline::Timeline;
use crate::analysis::{BenchSummary, Distribution};
use crate::report::labels;
use crate::report::number_format::prefixed;

/// Samples below which a histogram is no picture of anything.
const FEWEST_SAMPLES: u64 = 30;
/// Probes below which a warm-up has no curve.
const FEWEST_PROBES: usize = 4;

fn none(caption: impl Into<String>) -> Plot {
    Plot { caption: caption.into(), ..Plot::default() }
}

/// Power over time.
pub(super) fn power(bench: &BenchSummary, course: &Timeline) -> Result<Plot, ReportError> {
    if bench.is_estimate() {
        return Ok(none(
            "No plot: no power was read. The estimate is CPU time times a constant, so a curve of it would show how busy \
             the CPU was and not what it drew.",
        ));
    }
    let label = bench.source.as_ref().and_then(|source| labels::origin(source.origin)).unwrap_or_default();
    let title = format!("Power over time {label} of {}", bench.bench.id);
    let svg = match draw(course, "power", &title)? {
        Ok(svg) => svg,
        Err(reason) => return Ok(none(reason)),
    };
    let hidden = match course.lines.len().saturating_sub(MOST_LINES) {
        0 => String::new(),
        n => format!(" {n} more domains are not drawn."),
    };
    let caption = format!(
        "Power {label} and, where it can be read, temperature over time. The number over a window is its cycle's. \
         Drawn are the lowest and the highest reading of each short stretch, so that peaks are kept.{hidden}"
    );
    let legend = course.lines.iter().zip(LINES).map(|(line, color)| (hex(color), line.domain.to_string())).collect();
    Ok(Plot { svg, caption: caption.replace("  ", " "), legend })
}

/// The headline of each cycle, with what the sensor allows for it.
pub(super) fn cycles(bench: &BenchSummary) -> Result<Plot, ReportError> {
    let Some((name, metric)) = bench.headline_metric.as_deref().zip(bench.headline()) else {
        return Ok(none("No plot: there is no energy figure."));
    };
    let per = labels::denominator(name).unwrap_or_default();
    let value = |cycle| -> Option<(f64, Option<(f64, f64)>)> {
        let cycle: &crate::analysis::CycleSummary = cycle;
        let n = work(cycle, &per)?;
        let value = cycle.energy_j?.get() / n;
        let ends = cycle.sensor_j.map(|(low, high)| (low.get() / n, high.get() / n));
        value.is_finite().then_some((value, ends.filter(|(low, high)| low.is_finite() && high.is_finite())))
    };
    let values: Option<Vec<_>> = bench.cycles.iter().map(value).collect();
    let values = match values {
        Some(values) if values.len() > 1 => values,
        Some(_) => return Ok(none("No plot: it needs at least two cycles.")),
        None => return Ok(none("No plot: a cycle has no finite energy or no work; the table has those that do.")),
    };
    let most = values.iter().map(|value| value.0.abs()).fold(0.0, f64::max);
    let (factor, unit) = prefixed(most, &metric.unit);
    let values: Vec<_> =
        values.into_iter().map(|(value, ends)| (value * factor, ends.map(|(l, h)| (l * factor, h * factor)))).collect();
    let whole = metric.value.zip(metric.interval.as_ref()).map(|(v, i)| (v * factor, i.low * factor, i.high * factor));
    let whole = whole.filter(|(v, l, h)| v.is_finite() && l.is_finite() && h.is_finite());
    let label = labels::metric_origin(bench, name, metric).map(|label| format!(" {label}")).unwrap_or_default();
    let title = format!("{} of each cycle", capital(&labels::title(name)));
    let what = over_numbers::Numbered {
        values: &values,
        whole,
        first: 1,
        levels: &[],
        joined: false,
        end: "",
        x: "cycle",
        y: &format!("{unit}{label}"),
    };
    let svg = over_numbers::draw(&what, "cycles", &title, "The table below holds the same numbers.")?;
    let band =
        if whole.is_some() { " The line is the value of all cycles together, the band its interval." } else { "" };
    let own = if values.iter().any(|value| value.1.is_some()) {
        " The bar through a dot is what the sensor alone allows for that cycle; one shorter than its dot is hidden by it."
    } else {
        ""
    };
    Ok(Plot { svg, caption: format!("{title}{label}.{own}{band}"), legend: Vec::new() })
}

/// The curve of the warm-up and where it was cut.
pub(super) fn warm_up_curve(bench: &BenchSummary) -> Result<Plot, ReportError> {
    let Some(record) = &bench.warm_up else { return Ok(none("No warm-up was recorded.")) };
    let words = warm_up(record);
    let probes: Vec<f64> = record.probes_s.iter().copied().filter(|probe| probe.is_finite()).collect();
    if probes.len() < FEWEST_PROBES {
        return Ok(none(format!("{words} No plot: fewer than {FEWEST_PROBES} probes.")));
    }
    let (factor, unit) = prefixed(probes.iter().copied().fold(0.0, f64::max), "s");
    let values: Vec<_> = probes.iter().map(|probe| (probe * factor, None)).collect();
    let y = format!("{unit} a unit of work");
    let what = over_numbers::Numbered {
        values: &values,
        whole: None,
        first: 1,
        levels: &[],
        joined: true,
        end: "cut here",
        x: "probe",
        y: &y,
    };
    let title = "Time that a unit of work took during the warm-up";
    let svg = over_numbers::draw(&what, "warm-up", title, &words)?;
    let caption = format!("{title}. All of it was thrown away: measuring began after the cut. {words}");
    Ok(Plot { svg, caption, legend: Vec::new() })
}

/// How the times of requests are spread, each with its quantiles.
pub(super) fn times(bench: &BenchSummary) -> Result<Vec<Times>, ReportError> {
    let kinds = [
        ("ttft_ms", "time to first token (TTFT)"),
        ("itl_ms", "time between tokens (ITL)"),
        ("latency_ms", "time per request"),
    ];
    let mut all = Vec::new();
    for (name, title) in kinds {
        let known = ["min", "p50", "p95", "p99", "max", "mean"];
        let quantiles: Vec<_> =
            known.iter().filter_map(|q| Some(((*q).to_owned(), number(bench, &format!("{name}_{q}"))?))).collect();
        if quantiles.is_empty() {
            continue;
        }
        let distribution = bench.distributions.iter().find(|distribution| distribution.name == name);
        all.push(Times { title: capital(title), plot: spread(bench, name, title, distribution)?, quantiles });
    }
    Ok(all)
}

fn spread(
    bench: &BenchSummary,
    name: &str,
    title: &str,
    distribution: Option<&Distribution>,
) -> Result<Plot, ReportError> {
    let Some(distribution) = distribution else {
        return Ok(none("No plot: these results were kept without their distribution."));
    };
    let samples: u64 = distribution.counts.iter().sum();
    if samples < FEWEST_SAMPLES {
        return Ok(none(format!("No plot: {samples} samples are too few; {FEWEST_SAMPLES} are drawn.")));
    }
    if distribution.counts.len() < 2 || distribution.edges_ms.iter().any(|edge| !edge.is_finite()) {
        return Ok(none(format!("No plot: all {samples} samples are equal.")));
    }
    let value =
        |q: &'static str| Some((q, bench.metrics.get(&format!("{name}_{q}"))?.value.filter(|v| v.is_finite())?));
    let quantiles: Vec<_> = ["p50", "p95", "p99"].into_iter().filter_map(value).collect();
    let named = format!("{} of {}", capital(title), bench.bench.id);
    let x = format!("{title} in ms");
    let svg = histogram::draw(&distribution.edges_ms, &distribution.counts, &quantiles, &x, name, &named)?;
    let caption =
        format!("{samples} samples, pooled over all cycles and processes. Lines mark the quantiles of the table.");
    Ok(Plot { svg, caption, legend: Vec::new() })
}

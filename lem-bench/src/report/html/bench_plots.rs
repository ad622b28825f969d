//! The plots of a bench, or the reasons why there are none.

use super::bench_text::{capitalize, metric_number, sensor_uncertainty, warm_up_sentences};
use super::output::ReportError;
use super::plots::power::{MAX_LINES, Timeline, draw_power};
use super::plots::style::{LINES, hex};
use super::plots::value_plots::{Histogram, Series, SeriesValue, draw_histogram, draw_series};
use super::view::{PlotView, RequestTimes};
use crate::analysis::{BenchSummary, CycleSummary, Distribution};
use crate::model::{MetricKind, Statistic, TimeKind, Unit, count_of, is_or_are};
use crate::report::labels;
use crate::report::number_format::prefixed;

/// Samples that a histogram needs.
const MIN_SAMPLES: u64 = 30;
/// Probes that the plot of a warm-up needs.
const MIN_PROBES: usize = 4;

/// Power over time.
pub(super) fn power_plot(bench: &BenchSummary, timeline: &Timeline) -> Result<PlotView, ReportError> {
    if bench.is_estimate() {
        return Ok(PlotView::missing(
            "No plot: no power was read. The estimate is CPU time times a constant, so a plot would show how busy the \
             CPU was, not its power.",
        ));
    }
    let label = bench.source.as_ref().and_then(|source| source.origin.label()).unwrap_or_default();
    let title = format!("Power over time {label} of {}", bench.bench.id);
    let Some(svg) = draw_power(timeline, "power", &title)? else {
        return Ok(PlotView::missing("No plot: fewer than two readings of power are available."));
    };
    let hidden = match timeline.traces.len().saturating_sub(MAX_LINES) {
        0 => String::new(),
        n => format!(" {} {} not drawn.", count_of(n, "more domain"), is_or_are(n)),
    };
    let caption = format!(
        "Power {label} and, if it is readable, temperature over time. The number above a window is the number of its \
         cycle. For each short time interval, the lowest and the highest reading are drawn, so that peaks remain \
         visible.{hidden}"
    );
    let traces = timeline.traces.iter().zip(LINES);
    let legend = traces.map(|(trace, color)| (hex(color), trace.domain.to_string())).collect();
    Ok(PlotView { svg, caption: caption.replace("  ", " "), legend })
}

/// The headline of each cycle, with the uncertainty of the sensor.
pub(super) fn cycle_plot(bench: &BenchSummary) -> Result<PlotView, ReportError> {
    let Some((name, metric)) = bench.headline_metric.as_deref().zip(bench.headline()) else {
        return Ok(PlotView::missing("No plot: no energy figure is available."));
    };
    let values: Option<Vec<SeriesValue>> =
        bench.cycles.iter().map(|cycle| cycle_value(bench, cycle, bench.headline_unit()?)).collect();
    let mut values = match values {
        Some(values) if values.len() > 1 => values,
        Some(_) => return Ok(PlotView::missing("No plot: it needs at least two cycles.")),
        None => {
            return Ok(PlotView::missing(
                "No plot: a cycle has no finite energy or no work; the table lists the cycles that have both.",
            ));
        }
    };
    let max = values.iter().map(|value| value.0.abs()).fold(0.0, f64::max);
    let (factor, unit) = prefixed(max, &metric.unit);
    for (value, interval) in &mut values {
        *value *= factor;
        *interval = interval.map(|(low, high)| (low * factor, high * factor));
    }
    let overall =
        metric.value.zip(metric.interval.as_ref()).map(|(v, i)| (v * factor, i.low * factor, i.high * factor));
    let overall = overall.filter(|(value, low, high)| value.is_finite() && low.is_finite() && high.is_finite());
    let label = labels::metric_origin(bench, bench.headline_kind(), metric)
        .map(|label| format!(" {label}"))
        .unwrap_or_default();
    let title = format!("{} of each cycle", capitalize(&labels::title(name)));
    let series = Series {
        values: &values,
        overall,
        first: 1,
        x_title: "cycle",
        y_title: &format!("{unit}{label}"),
        ..Series::default()
    };
    let svg = draw_series(&series, "cycles", &title, "The table below contains the same numbers.")?;
    let band_note =
        if overall.is_some() { " The line is the value over all cycles, the band its interval." } else { "" };
    let bar_note = if values.iter().any(|value| value.1.is_some()) {
        " The bar through a dot is two standard uncertainties of the sensor in each direction; a bar shorter than its dot \
         is hidden."
    } else {
        ""
    };
    Ok(PlotView { svg, caption: format!("{title}{label}.{bar_note}{band_note}"), legend: Vec::new() })
}

/// Energy per unit of work of a cycle, with two standard uncertainties of the sensor below and above it.
fn cycle_value(bench: &BenchSummary, cycle: &CycleSummary, unit: Unit<'_>) -> Option<SeriesValue> {
    let value = cycle.energy_per(unit)?;
    let work = cycle.work().count(unit) as f64;
    let range = sensor_uncertainty(bench, cycle).map(|uncertainty| {
        let half = 2.0 * uncertainty.total().get() / work;
        (value - half, value + half)
    });
    value.is_finite().then_some((value, range.filter(|(low, high)| low.is_finite() && high.is_finite())))
}

/// The probes of the warm-up.
pub(super) fn warm_up_plot(bench: &BenchSummary) -> Result<PlotView, ReportError> {
    let Some(warm_up) = &bench.warm_up else { return Ok(PlotView::missing("No warm-up was recorded.")) };
    let result = warm_up_sentences(warm_up);
    let probes: Vec<f64> = warm_up.probes_s.iter().copied().filter(|probe| probe.is_finite()).collect();
    if probes.len() < MIN_PROBES {
        return Ok(PlotView::missing(format!("{result} No plot: fewer than {MIN_PROBES} probes.")));
    }
    let (factor, unit) = prefixed(probes.iter().copied().fold(0.0, f64::max), "s");
    let values: Vec<SeriesValue> = probes.iter().map(|probe| (probe * factor, None)).collect();
    let series = Series {
        values: &values,
        first: 1,
        connected: true,
        end_label: "measurement begins",
        x_title: "probe",
        y_title: &format!("{unit} per unit of work"),
        ..Series::default()
    };
    let title = "Time per unit of work during the warm-up";
    let svg = draw_series(&series, "warm-up", title, "The text below states the result.")?;
    let caption = format!("{title}. None of it is part of the measurement, which began afterwards. {result}");
    Ok(PlotView { svg, caption, legend: Vec::new() })
}

/// The distributions of the times of requests, each with its quantiles.
pub(super) fn request_times(bench: &BenchSummary) -> Result<Vec<RequestTimes>, ReportError> {
    use Statistic::{Max, Mean, Min, P50, P95, P99};
    let mut times = Vec::new();
    for time in [TimeKind::FirstToken, TimeKind::InterToken, TimeKind::Request] {
        let number = |statistic: Statistic| {
            let kind = MetricKind::Time(time, statistic);
            Some((statistic.name().to_owned(), metric_number(bench, Some(kind), bench.metric(kind)?)))
        };
        let quantiles: Vec<_> = [Min, P50, P95, P99, Max, Mean].into_iter().filter_map(number).collect();
        if !quantiles.is_empty() {
            times.push(RequestTimes { title: capitalize(time.title()), plot: histogram(bench, time)?, quantiles });
        }
    }
    Ok(times)
}

fn histogram(bench: &BenchSummary, time: TimeKind) -> Result<PlotView, ReportError> {
    let (name, title) = (time.name(), time.title());
    let distribution: Option<&Distribution> = bench.distributions.iter().find(|distribution| distribution.name == name);
    let Some(Distribution { counts, edges_ms, .. }) = distribution else {
        return Ok(PlotView::missing("No plot: these results were saved without the distribution."));
    };
    let samples: u64 = counts.iter().sum();
    if samples < MIN_SAMPLES {
        let (count, are) = (count_of(samples, "sample"), is_or_are(samples as usize));
        return Ok(PlotView::missing(format!("No plot: {count} {are} too few; it needs {MIN_SAMPLES}.")));
    }
    if counts.len() < 2 || edges_ms.iter().any(|edge| !edge.is_finite()) {
        return Ok(PlotView::missing(format!("No plot: all {samples} samples are equal.")));
    }
    let quantile = |statistic: Statistic| {
        let value = bench.metric(MetricKind::Time(time, statistic))?.value?;
        value.is_finite().then_some((statistic.name(), value))
    };
    let quantiles: Vec<_> = [Statistic::P50, Statistic::P95, Statistic::P99].into_iter().filter_map(quantile).collect();
    let x_title = format!("{title} in ms");
    let histogram = Histogram { edges: edges_ms, counts, quantiles: &quantiles, x_title: &x_title };
    let svg = draw_histogram(&histogram, name, &format!("{} of {}", capitalize(title), bench.bench.id))?;
    let caption =
        format!("{samples} samples, pooled over all cycles and processes. Lines mark the quantiles of the table.");
    Ok(PlotView { svg, caption, legend: Vec::new() })
}

//! The tables of a bench: cycles, spans, domains and phases. The first two hold the numbers of the plots.

use super::bench_text::{metric_text, sensor_uncertainty};
use super::plots::power::{Timeline, TimelineSpan, readings_during};
use super::view::TableView;
use crate::analysis::{BenchSummary, CycleSummary, PhaseSummary, RunInfo};
use crate::model::{DomainId, MetricKind, SpanKind, Uncertainty};
use crate::report::number_format::{NONE, bare, duration, percent};
use crate::units::Joules;

/// Returns the cell of a cycle, if it has one.
type CellFn<'a> = Box<dyn Fn(&CycleSummary) -> Option<String> + 'a>;

/// A column of the table of cycles: the head, and the cell of each cycle that has one.
struct Column<'a> {
    head: String,
    cell: CellFn<'a>,
}

impl<'a> Column<'a> {
    fn new(head: impl Into<String>, cell: impl Fn(&CycleSummary) -> Option<String> + 'a) -> Self {
        Self { head: head.into(), cell: Box::new(cell) }
    }
}

/// One row per cycle. A column without any value is named in the note instead.
pub(super) fn cycle_table(bench: &BenchSummary) -> TableView {
    let columns = cycle_columns(bench);
    let has_value = |column: &Column<'_>| bench.cycles.iter().any(|cycle| (column.cell)(cycle).is_some());
    let (shown, empty): (Vec<_>, Vec<_>) = columns.into_iter().partition(has_value);
    let to_row = |cycle| shown.iter().map(|column| (column.cell)(cycle).unwrap_or_else(|| NONE.to_owned())).collect();
    let mut notes = Vec::new();
    if !empty.is_empty() && !bench.cycles.is_empty() {
        let names: Vec<&str> = empty.iter().map(|column| column.head.as_str()).collect();
        notes.push(format!("No cycle has: {}.", names.join(", ")));
    }
    notes.extend(uncertainty_note(bench));
    notes.extend(missing_net_reason(bench).map(|reason| format!("No net energy: {reason}.")));
    TableView {
        caption: "Cycles: sums over the windows of each cycle".to_owned(),
        heads: shown.iter().map(|column| column.head.clone()).collect(),
        rows: bench.cycles.iter().map(to_row).collect(),
        numbers: true,
        note: notes.join(" "),
    }
}

fn cycle_columns(bench: &BenchSummary) -> Vec<Column<'_>> {
    let origin = origin_label(bench);
    let with_origin = |head: &str| format!("{head} {origin}").trim_end().to_owned();
    let mut columns = vec![
        Column::new("cycle", |cycle| Some((u64::from(cycle.index) + 1).to_string())),
        Column::new("length", |cycle| finite(cycle.seconds, "s")),
        Column::new(with_origin("energy"), |cycle| finite(cycle.energy_j?.get(), "J")),
        Column::new("cross-check", |cycle| {
            let share = (cycle.cross_check_j? - cycle.energy_j?) / cycle.energy_j?;
            share.is_finite().then(|| format!("{}{}", if share < 0.0 { "" } else { "+" }, percent(share)))
        }),
        Column::new("loaded idle", |cycle| finite(cycle.idle_w?.get(), "W")),
        Column::new(with_origin("net energy"), |cycle| finite(net_energy(cycle)?.get(), "J")),
        Column::new("requests", |cycle| match (cycle.requests, cycle.failed) {
            (0, 0) => None,
            (n, 0) => Some(n.to_string()),
            (n, failed) => Some(format!("{n} and {failed} failed")),
        }),
        Column::new("input tokens", |cycle| positive(cycle.input_tokens)),
        Column::new("output tokens", |cycle| positive(cycle.output_tokens)),
    ];
    if bench.cycles.iter().any(|cycle| sensor_uncertainty(bench, cycle).is_some()) {
        let uncertainty =
            |cycle: &CycleSummary| Some(format!("±{}", finite(sensor_uncertainty(bench, cycle)?.total().get(), "J")?));
        columns.insert(3, Column::new("sensor uncertainty", uncertainty));
    }
    if bench.cycles.iter().any(|cycle| cycle.heat_j.is_some()) {
        columns.push(Column::new("correction for heat", |cycle| finite(cycle.heat_j?.get(), "J")));
    }
    if let Some(unit) = bench.headline_unit() {
        let head = with_origin(&MetricKind::gross(unit).title());
        columns.push(Column::new(head, move |cycle| finite(cycle.energy_per(unit)?, "J")));
    }
    columns.push(Column::new("temperature", |cycle| {
        let (from, to) = cycle.temperature_c?;
        (from.is_finite() && to.is_finite()).then(|| format!("{from:.0} → {to:.0} °C"))
    }));
    columns
}

/// The causes of the sensors' uncertainty in a typical cycle.
fn uncertainty_note(bench: &BenchSummary) -> Option<String> {
    let cycles: Vec<_> = bench.cycles.iter().filter_map(|cycle| sensor_uncertainty(bench, cycle)).collect();
    let sum = cycles.iter().fold(Uncertainty::default(), |sum, own| sum.plus(own, 1.0));
    let typical = |(name, joules): (&str, Joules)| {
        let joules = joules.get() / (cycles.len() as f64).sqrt();
        (joules > 0.0).then(|| Some(format!("{name} {}", finite(joules, "J")?))).flatten()
    };
    let causes: Vec<String> = sum.causes().into_iter().filter_map(typical).collect();
    (!causes.is_empty())
        .then(|| format!("The sensor uncertainty is one standard deviation; its causes: {}.", causes.join(", ")))
}

fn origin_label(bench: &BenchSummary) -> &'static str {
    bench.source.as_ref().and_then(|source| source.origin.label()).unwrap_or_default()
}

fn finite(value: f64, unit: &str) -> Option<String> {
    value.is_finite().then(|| bare(Some(value), unit))
}

fn positive(count: u64) -> Option<String> {
    (count > 0).then(|| count.to_string())
}

/// Energy of the windows above the loaded idle power that was measured in the cycle's own gap.
fn net_energy(cycle: &CycleSummary) -> Option<Joules> {
    Some(cycle.energy_j? - Joules(cycle.idle_w?.get() * cycle.seconds))
}

fn missing_net_reason(bench: &BenchSummary) -> Option<&str> {
    let net = bench.metric(MetricKind::net(bench.headline_unit()?))?;
    net.missing.as_deref().filter(|_| net.value.is_none())
}

/// One row per span: when it began, its length, and mean and maximum of the readings.
pub(super) fn span_table(timeline: &Timeline) -> TableView {
    let has_temperature = timeline.traces.iter().any(|trace| !trace.temperature_c.is_empty());
    let mut heads = vec!["span", "from", "length", "mean of readings", "highest reading"];
    heads.extend(has_temperature.then_some("temperature"));
    let to_row = |span: &TimelineSpan| {
        let cycle = span.cycle.map(|cycle| format!(" of cycle {}", cycle + 1)).unwrap_or_default();
        let means = timeline.traces.iter().filter_map(|trace| mean(readings_during(&trace.power_w, span)));
        let mean = means.reduce(|sum, mean| sum + mean);
        let readings = timeline.traces.iter().flat_map(|trace| readings_during(&trace.power_w, span));
        let max = readings.fold(f64::NEG_INFINITY, f64::max);
        let mut row = vec![
            format!("{}{cycle}", span_name(span.kind)),
            format!("{:.1} s", span.from_s),
            format!("{:.1} s", span.to_s - span.from_s),
            bare(mean, "W"),
            bare(Some(max), "W"),
        ];
        row.extend(has_temperature.then(|| temperature_change(timeline, span)));
        row
    };
    let note = if timeline.traces.len() > 1 {
        "Means are summed over the domains; the highest reading is that of a single domain."
    } else {
        ""
    };
    let rows = timeline.spans.iter().map(to_row).collect();
    TableView {
        numbers: true,
        note: note.to_owned(),
        ..TableView::new("Spans: stages of the bench, and the power in each", &heads, rows)
    }
}

/// The mean of values; `None` without any.
fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0_u32), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / f64::from(count))
}

/// The temperatures of the hottest domain at the start and at the end of the span: `61 → 64 °C`.
fn temperature_change(timeline: &Timeline, span: &TimelineSpan) -> String {
    let readings = || timeline.traces.iter().map(|trace| readings_during(&trace.temperature_c, span));
    let first = readings().filter_map(|mut readings| readings.next()).reduce(f64::max);
    let last = readings().filter_map(Iterator::last).reduce(f64::max);
    match first.zip(last) {
        Some((first, last)) => format!("{first:.0} → {last:.0} °C"),
        None => NONE.to_owned(),
    }
}

fn span_name(kind: SpanKind) -> &'static str {
    match kind {
        SpanKind::Idle => "idle",
        SpanKind::WarmUp => "warm-up",
        SpanKind::Gap => "gap",
        SpanKind::RampIn => "ramp-in",
        SpanKind::Window => "window",
        SpanKind::RampOut => "ramp-out",
    }
}

/// The energy of each domain, summed over the windows of all cycles.
pub(super) fn domain_table(bench: &BenchSummary, run: &RunInfo) -> TableView {
    let mut sums: Vec<(&DomainId, f64)> = Vec::new();
    for (domain, joules) in bench.cycles.iter().flat_map(|cycle| &cycle.domains_j) {
        match sums.iter_mut().find(|(known, _)| *known == domain) {
            Some((_, sum)) => *sum += joules.get(),
            None => sums.push((domain, joules.get())),
        }
    }
    let seconds: f64 = bench.cycles.iter().map(|cycle| cycle.seconds).sum();
    let total: Option<Joules> = bench.cycles.iter().map(|cycle| cycle.energy_j).sum();
    let to_row = |(id, joules): (&DomainId, f64)| {
        let domain = run.domains.iter().find(|domain| domain.id == *id);
        let share = match total {
            Some(total) if total.get() > 0.0 && run.headline.contains(id) => percent(joules / total.get()),
            _ => match domain.and_then(|domain| domain.parent.as_ref()) {
                Some(parent) => format!("part of {parent}"),
                None => "not included".to_owned(),
            },
        };
        vec![
            id.to_string(),
            domain.map_or(NONE, |domain| domain.label.as_str()).to_owned(),
            bare(Some(joules), "J"),
            bare(Some(joules / seconds), "W"),
            share,
        ]
    };
    let origin = origin_label(bench);
    let (energy, power) = (format!("energy {origin}"), format!("mean power {origin}"));
    let heads = ["domain", "device", energy.trim_end(), power.trim_end(), "share of the headline"];
    TableView::new("Energy by domain, summed over all windows", &heads, sums.into_iter().map(to_row).collect())
}

/// Time and energy of the phases that the body marks.
pub(super) fn phase_table(bench: &BenchSummary) -> TableView {
    let origin = origin_label(bench);
    let to_row = |phase: &PhaseSummary| {
        vec![
            phase.name.clone(),
            phase.count.to_string(),
            duration(phase.seconds / phase.count.max(1) as f64),
            percent(phase.share_of_time),
            metric_text(&phase.j_per_request, origin),
            phase.j_per_token.as_ref().map_or_else(|| NONE.to_owned(), |metric| metric_text(metric, origin)),
        ]
    };
    let note = if bench.phases.is_empty() {
        "The bench marks no phases (`request.phase(\"prefill\")`)."
    } else if bench.phases.iter().any(|phase| phase.j_per_request.value.is_some()) {
        "The power over time, integrated over the phases and scaled to the energy of the windows."
    } else {
        ""
    };
    let heads = ["phase", "count", "mean length", "share of the windows", "energy per request", "energy per token"];
    let rows = bench.phases.iter().map(to_row).collect();
    TableView { note: note.to_owned(), ..TableView::new("Energy by phase", &heads, rows) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;
    use crate::report::html::bench_plots::cycle_plot;

    #[test]
    fn net_is_above_the_cycles_own_idle() {
        let summary = fixture::on_a_card();
        let table = cycle_table(&summary.benches[0]);
        let column = |head: &str| table.heads.iter().position(|h| h == head).unwrap();
        assert_eq!(table.rows.len(), 10);
        assert_eq!(table.rows[0][column("net energy")], bare(Some(1674.5 - 113.4 * 5.0), "J"));
        assert_eq!(table.rows[0][column("cross-check")], "+0.4 %");
        assert_eq!(table.rows[0][column("temperature")], "61 → 64 °C");
        assert_eq!(table.rows[0][column("sensor uncertainty")], format!("±{}", bare(Some(0.8_f64.hypot(0.5)), "J")));
        insta::assert_snapshot!(
            table.note,
            @"The sensor uncertainty is one standard deviation; its causes: edges 0.8000 J, idle split 0.5000 J."
        );
    }

    #[test]
    fn empty_columns_are_named_in_note() {
        let summary = fixture::on_an_estimate();
        let table = cycle_table(&summary.benches[0]);
        assert!(table.heads.contains(&"energy (estimated)".to_owned()));
        assert!(!table.heads.contains(&"sensor uncertainty".to_owned()));
        assert!(!cycle_plot(&summary.benches[0]).unwrap().caption.contains("uncertainties"));
        insta::assert_snapshot!(
            table.note,
            @"No cycle has: cross-check, loaded idle, net energy (estimated), temperature. No net energy: estimates have no idle power."
        );
    }

    #[test]
    fn prefill_is_per_input_token() {
        let mut bench = fixture::on_a_card().benches.remove(0);
        let headline = bench.metrics.remove("j_per_output_token").unwrap();
        bench.metrics.insert("j_per_input_token".to_owned(), headline);
        bench.headline_metric = Some("j_per_input_token".to_owned());
        for cycle in &mut bench.cycles {
            (cycle.input_tokens, cycle.output_tokens) = (8192, 0);
        }
        let table = cycle_table(&bench);
        let column = table.heads.iter().position(|head| head == "energy per input token").unwrap();
        assert_eq!(table.rows[0][column], bare(Some(1674.5 / 8192.0), "J"));
        assert!(cycle_plot(&bench).unwrap().svg.contains("<svg"));
    }

    #[test]
    fn non_finite_energy_is_a_dash() {
        let summary = fixture::hostile();
        let table = cycle_table(&summary.benches[0]);
        assert_eq!(table.rows[0][2], "–");
        assert!(table.rows.iter().flatten().all(|cell| !cell.contains("NaN") && !cell.contains("inf")));
    }
}

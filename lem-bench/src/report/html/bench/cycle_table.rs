//! The cycles of a bench and the phases of its course as tables: the twins of the plots.
//!
//! Must not know the plots.

use super::super::view::Table;
use super::super::words;
use super::timeline::{Line, Timeline, within};
use crate::analysis::{BenchSummary, CycleSummary};
use crate::report::labels;
use crate::report::number_format::{NONE, bare, percent};
use crate::units::Joules;

/// What stands in a column for a cycle, if there is anything.
type Cell<'a> = Box<dyn Fn(&CycleSummary) -> Option<String> + 'a>;

/// A column: its head and its cells.
struct Column<'a> {
    head: String,
    cell: Cell<'a>,
}

impl<'a> Column<'a> {
    fn new(head: impl Into<String>, cell: impl Fn(&CycleSummary) -> Option<String> + 'a) -> Self {
        Self { head: head.into(), cell: Box::new(cell) }
    }
}

/// One row a cycle; columns that no cycle fills are named in the note instead.
pub(super) fn cycles(bench: &BenchSummary) -> Table {
    let origin = bench.source.as_ref().and_then(|source| labels::origin(source.origin)).unwrap_or_default();
    let energy = |head: &str| format!("{head} {origin}").trim_end().to_owned();
    let count = |n: u64| (n > 0).then(|| n.to_string());
    let per = bench.headline_metric.as_deref().and_then(labels::denominator);
    let mut columns = vec![
        Column::new("cycle", |cycle| Some((u64::from(cycle.index) + 1).to_string())),
        Column::new("length", |cycle| finite(cycle.seconds, "s")),
        Column::new(energy("energy"), |cycle| finite(cycle.energy_j?.get(), "J")),
        Column::new("the sensor allows", |cycle| {
            let (low, high) = cycle.sensor_j?;
            Some(format!("{} … {}", finite(low.get(), "J")?, finite(high.get(), "J")?))
        }),
        Column::new("cross-check", |cycle| {
            let share = (cycle.cross_check_j? - cycle.energy_j?) / cycle.energy_j?;
            share.is_finite().then(|| format!("{}{}", if share < 0.0 { "" } else { "+" }, percent(share)))
        }),
        Column::new("loaded idle", |cycle| finite(cycle.idle_w?.get(), "W")),
        Column::new(energy("net energy"), |cycle| finite(net(cycle)?.get(), "J")),
        Column::new("requests", |cycle| match (cycle.requests, cycle.failed) {
            (0, 0) => None,
            (n, 0) => Some(n.to_string()),
            (n, failed) => Some(format!("{n} and {failed} failed")),
        }),
        Column::new("input tokens", |cycle| count(cycle.input_tokens)),
        Column::new("output tokens", |cycle| count(cycle.output_tokens)),
    ];
    if let Some(per) = &per {
        columns.push(Column::new(energy(&format!("energy per {per}")), move |cycle| {
            finite(cycle.energy_j?.get() / work(cycle, per)?, "J")
        }));
    }
    columns.push(Column::new("temperature", |cycle| {
        let (from, to) = cycle.temperature_c?;
        (from.is_finite() && to.is_finite()).then(|| format!("{from:.0} → {to:.0} °C"))
    }));
    let filled = |column: &Column<'_>| bench.cycles.iter().any(|cycle| (column.cell)(cycle).is_some());
    let (shown, empty): (Vec<_>, Vec<_>) = columns.into_iter().partition(filled);
    let row = |cycle| shown.iter().map(|column| (column.cell)(cycle).unwrap_or_else(|| NONE.to_owned())).collect();
    let mut notes = Vec::new();
    if !empty.is_empty() && !bench.cycles.is_empty() {
        let names: Vec<&str> = empty.iter().map(|column| column.head.as_str()).collect();
        notes.push(format!("In no cycle: {}.", names.join(", ")));
    }
    notes.extend(no_net(bench).map(|reason| format!("No net energy: {reason}.")));
    Table {
        caption: "Cycles: sums over the windows of each".to_owned(),
        heads: shown.iter().map(|column| column.head.clone()).collect(),
        rows: bench.cycles.iter().map(row).collect(),
        numbers: true,
        note: notes.join(" "),
    }
}

/// Energy above the loaded idle of the cycle's own gap, over the windows' own time.
fn net(cycle: &CycleSummary) -> Option<Joules> {
    Some(cycle.energy_j? - Joules(cycle.idle_w?.get() * cycle.seconds))
}

fn no_net(bench: &BenchSummary) -> Option<&str> {
    let name = format!("net_{}", bench.headline_metric.as_deref()?);
    bench.metrics.get(&name).filter(|metric| metric.value.is_none())?.missing.as_deref()
}

pub(super) fn work(cycle: &CycleSummary, per: &str) -> Option<f64> {
    let n = match per {
        "output token" => cycle.output_tokens,
        "total token" => cycle.input_tokens + cycle.output_tokens,
        "request" => cycle.requests,
        unit => *cycle.units.iter().find(|(name, _)| labels::singular(name) == unit)?.1,
    };
    (n > 0).then_some(n as f64)
}

fn finite(value: f64, unit: &str) -> Option<String> {
    value.is_finite().then(|| bare(Some(value), unit))
}

/// One row a stretch of the course: when, how long, mean and highest reading.
pub(super) fn phases(course: &Timeline) -> Table {
    let heated = course.lines.iter().any(|line| !line.heat.is_empty());
    let mut heads = vec!["phase", "from", "length", "mean of readings", "highest reading"];
    heads.extend(heated.then_some("temperature"));
    let row = |stretch: &super::timeline::Band| {
        let (from, to) = (stretch.from, stretch.to);
        let means = course.lines.iter().filter_map(|line| mean(within(&line.power, from, to)));
        let sum = means.fold(None, |sum: Option<f64>, mean| Some(sum.unwrap_or(0.0) + mean));
        let power = |line: &Line| within(&line.power, from, to).fold(f64::NEG_INFINITY, f64::max);
        let highest = course.lines.iter().map(power).fold(f64::NEG_INFINITY, f64::max);
        let cycle = stretch.cycle.map(|cycle| format!(" of cycle {}", cycle + 1)).unwrap_or_default();
        let mut row = vec![
            format!("{}{cycle}", words::span(stretch.kind)),
            format!("{from:.1} s"),
            format!("{:.1} s", to - from),
            bare(sum, "W"),
            bare(Some(highest), "W"),
        ];
        if heated {
            let hottest = |of: &mut dyn Iterator<Item = f64>| {
                of.fold(None, |most: Option<f64>, heat| Some(most.map_or(heat, |most| most.max(heat))))
            };
            let at = |last: bool| {
                let readings = |line: &Line| {
                    let mut readings = within(&line.heat, from, to);
                    if last { readings.last() } else { readings.next() }
                };
                hottest(&mut course.lines.iter().filter_map(readings))
            };
            row.push(match (at(false), at(true)) {
                (Some(first), Some(last)) => format!("{first:.0} → {last:.0} °C"),
                _ => NONE.to_owned(),
            });
        }
        row
    };
    let several = course.lines.len() > 1;
    Table {
        caption: "Phases: what was done when, and the power that was read".to_owned(),
        heads: heads.into_iter().map(str::to_owned).collect(),
        rows: course.bands.iter().map(row).collect(),
        numbers: true,
        note: if several { "Means are summed over the domains; the highest reading is any one domain's." } else { "" }
            .to_owned(),
    }
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, n) = values.fold((0.0, 0_u32), |(sum, n), value| (sum + value, n + 1));
    (n > 0).then(|| sum / f64::from(n))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn a_cycles_net_is_its_energy_above_its_own_idle() {
        let summary = fixture::on_a_card();
        let table = cycles(&summary.benches[0]);
        let at = |head: &str| table.heads.iter().position(|h| h == head).unwrap();
        assert_eq!(table.rows.len(), 10);
        assert_eq!(table.rows[0][at("net energy")], bare(Some(1674.5 - 113.4 * 5.0), "J"));
        assert_eq!(table.rows[0][at("cross-check")], "+0.4 %");
        assert_eq!(table.rows[0][at("temperature")], "61 → 64 °C");
        assert_eq!(table.note, "");
    }

    #[test]
    fn what_no_cycle_has_is_named_and_not_shown_as_nothing() {
        let summary = fixture::on_an_estimate();
        let table = cycles(&summary.benches[0]);
        assert!(table.heads.contains(&"energy (estimated)".to_owned()));
        assert_eq!(
            table.note,
            "In no cycle: cross-check, loaded idle, net energy (estimated), temperature. No net energy: an estimate has \
             no idle."
        );
    }

    #[test]
    fn an_energy_that_is_no_number_is_a_dash() {
        let summary = fixture::hostile();
        let table = cycles(&summary.benches[0]);
        assert_eq!(table.rows[0][2], "–");
        assert!(table.rows.iter().flatten().all(|cell| !cell.contains("NaN") && !cell.contains("inf")));
    }
}

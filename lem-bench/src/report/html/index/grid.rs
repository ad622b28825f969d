//! Functions that were measured over a grid: energy against speed, and energy over each of its axes.
//!
//! Must not know how a plot is drawn.

use super::super::error::ReportError;
use super::super::plots::axis_lines::{self, Line};
use super::super::plots::pareto::{self, Point};
use super::super::view::{Grid, Plot, Table};
use super::super::words::capital;
use super::rows::speed;
use crate::analysis::{BenchSummary, Metric, Status};
use crate::model::Origin;
use crate::report::labels;
use crate::report::number_format::{Figure, prefixed};

/// Grids that are drawn; more would make the index too large to open.
const DRAWN: usize = 8;
/// Points below which a front says nothing.
const FEWEST: usize = 3;

/// The grids of a run, and which are not drawn.
///
/// # Errors
/// [`ReportError::Plot`] when a plot could not be drawn.
pub(in super::super) fn grids(benches: &[BenchSummary], origin: Origin) -> Result<(Vec<Grid>, String), ReportError> {
    let mut functions: Vec<Vec<&BenchSummary>> = Vec::new();
    for bench in benches.iter().filter(|bench| !bench.bench.params.is_empty()) {
        match functions.iter_mut().find(|known| same(known[0], bench)) {
            Some(known) => known.push(bench),
            None => functions.push(vec![bench]),
        }
    }
    functions.retain(|cases| cases.len() > 1);
    let name = |cases: &Vec<&BenchSummary>| cases[0].bench.name.clone();
    let note = match functions.get(DRAWN..) {
        Some(rest) if !rest.is_empty() => format!(
            "Only the first {DRAWN} grids are drawn, to keep this page small. Not drawn: {}. Their figures are in the table.",
            rest.iter().map(name).collect::<Vec<_>>().join(", ")
        ),
        _ => String::new(),
    };
    let drawn = functions.iter().take(DRAWN).enumerate();
    let grids = drawn.map(|(at, cases)| grid(at, cases, origin)).collect::<Result<_, _>>()?;
    Ok((grids, note))
}

fn same(a: &BenchSummary, b: &BenchSummary) -> bool {
    let keys = |bench: &BenchSummary| bench.bench.params.iter().map(|p| p.0.clone()).collect::<Vec<_>>();
    let (one, other) = (&a.bench, &b.bench);
    one.module == other.module && one.group == other.group && one.name == other.name && keys(a) == keys(b)
}

/// One case: its parameters and its figures.
struct Case<'a> {
    bench: &'a BenchSummary,
    energy: &'a Metric,
    speed: Option<&'a Metric>,
}

fn grid(at: usize, benches: &[&BenchSummary], origin: Origin) -> Result<Grid, ReportError> {
    let title = benches[0].bench.name.clone();
    let mut grid = Grid { title: title.clone(), plots: Vec::new(), front: Table::default() };
    let none = |caption: String| Plot { caption, ..Plot::default() };
    if origin == Origin::Estimated {
        grid.plots.push(none(
            "No plots: this energy is an estimate made of CPU time, so energy against speed would show time twice."
                .to_owned(),
        ));
        return Ok(grid);
    }
    let headline = benches.iter().find_map(|bench| bench.headline_metric.as_deref()).unwrap_or_default();
    let cases: Vec<Case<'_>> = benches
        .iter()
        .filter_map(|&bench| {
            let energy = bench.metrics.get(headline).filter(|metric| Figure::of(metric).is_ok())?;
            let speed = speed(bench).and_then(|name| bench.metrics.get(name)).filter(|m| Figure::of(m).is_ok());
            Some(Case { bench, energy, speed })
        })
        .collect();
    let label = labels::origin(origin).map(|label| format!(" {label}")).unwrap_or_default();
    let most = cases.iter().filter_map(|case| case.energy.value).fold(0.0, |most: f64, value| most.max(value.abs()));
    let (factor, unit) = prefixed(most, cases.first().map_or("", |case| case.energy.unit.as_str()));
    let axis = format!("{} in {unit}{label}", labels::title(headline));
    let left_out = benches.len() - cases.len();
    let missing =
        if left_out == 0 { String::new() } else { format!(" {left_out} of its cases have no energy figure.") };
    let (plot, front) = against_speed(at, &title, &cases, factor, &axis, &missing)?;
    grid.plots.push(plot);
    grid.front = front;
    grid.plots.extend(over_axes(at, &title, &cases, factor, &axis)?);
    Ok(grid)
}

/// What is left of an id without the function's own name.
fn params(bench: &BenchSummary) -> String {
    bench.bench.params.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(", ")
}

fn against_speed(
    at: usize,
    title: &str,
    cases: &[Case<'_>],
    factor: f64,
    axis: &str,
    missing: &str,
) -> Result<(Plot, Table), ReportError> {
    let usable: Vec<&Case<'_>> = cases.iter().filter(|case| case.speed.is_some()).collect();
    let good = usable.iter().filter(|case| case.bench.status != Status::Invalid).count();
    if good < FEWEST {
        let caption = format!(
            "Energy against speed: no plot, because {good} of its {} cases have both and may be used; a front needs \
             {FEWEST}.",
            cases.len()
        );
        return Ok((Plot { caption, ..Plot::default() }, Table::default()));
    }
    let ends = |metric: &Metric, factor: f64| {
        let value = metric.value.unwrap_or(f64::NAN);
        let (low, high) = metric.interval.as_ref().map_or((value, value), |i| (i.low, i.high));
        [low, value, high].map(|x| x * factor)
    };
    let point = |case: &&Case<'_>| Point {
        speed: ends(case.speed.unwrap_or(case.energy), 1.0),
        energy: ends(case.energy, factor),
        usable: case.bench.status != Status::Invalid,
    };
    let points: Vec<Point> = usable.iter().map(point).collect();
    let front = pareto::front(&points);
    let speed_unit = usable.first().and_then(|case| case.speed).map_or("", |metric| metric.unit.as_str());
    let name = format!("Energy against speed of {title}");
    let svg =
        pareto::draw(&points, &front, axis, &format!("speed in {speed_unit}"), &format!("pareto-{}", at + 1), &name)?;
    let hidden = points.iter().any(|point| !point.usable);
    let caption = format!(
        "{name}. Right is faster, down is cheaper. Numbered and joined: the front, where no other case is both cheaper and \
         faster. Crosses are intervals; cases whose crosses overlap can't be told apart.{}{missing}",
        if hidden { " Hollow: must not be used, and never on the front." } else { "" }
    );
    let shown = |metric: &Metric| Figure::of(metric).map(|figure| figure.full()).unwrap_or_default();
    let rows = front.iter().enumerate().map(|(n, &at)| {
        let case = usable[at];
        vec![(n + 1).to_string(), params(case.bench), shown(case.energy), case.speed.map(shown).unwrap_or_default()]
    });
    let table = Table {
        caption: format!("The front of {title}, cheapest first"),
        heads: ["no.", "case", "energy", "speed"].map(str::to_owned).to_vec(),
        rows: rows.collect(),
        ..Table::default()
    };
    Ok((Plot { svg, caption, legend: Vec::new() }, table))
}

/// One plot for each axis with at least two values.
fn over_axes(at: usize, title: &str, cases: &[Case<'_>], factor: f64, axis: &str) -> Result<Vec<Plot>, ReportError> {
    let keys: Vec<&str> =
        cases.first().map_or(Vec::new(), |case| case.bench.bench.params.iter().map(|p| p.0.as_str()).collect());
    let mut plots = Vec::new();
    for (which, key) in keys.iter().enumerate() {
        let mut values: Vec<&str> = Vec::new();
        for case in cases {
            let value = case.bench.bench.params[which].1.as_str();
            if !values.contains(&value) {
                values.push(value);
            }
        }
        if values.len() < 2 {
            continue;
        }
        if values.iter().all(|value| value.parse::<f64>().is_ok()) {
            values.sort_by(|a, b| a.parse::<f64>().unwrap_or(0.0).total_cmp(&b.parse::<f64>().unwrap_or(0.0)));
        }
        let lines = lines(cases, which, &values, factor);
        let name = format!("{} of {title} over {key}", capital(axis.split(" in ").next().unwrap_or(axis)));
        let many = lines.len() > axis_lines::MOST_LINES;
        let id = format!("axis-{}-{}", at + 1, which + 1);
        let svg = axis_lines::draw(&lines, &values, key, axis, &id, &name)?;
        let told = if many {
            format!(" Its {} lines are too many to tell apart by colour; the table above has each case.", lines.len())
        } else {
            String::new()
        };
        let legend = if many { Vec::new() } else { axis_lines::legend(&lines) };
        let caption = format!("{name}, with intervals. The values of {key} stand equally far apart.{told}");
        plots.push(Plot { svg, caption, legend });
    }
    Ok(plots)
}

/// A line for each combination of the other axes' values.
fn lines(cases: &[Case<'_>], which: usize, values: &[&str], factor: f64) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for case in cases {
        let params = &case.bench.bench.params;
        let others = params.iter().enumerate().filter(|(at, _)| *at != which);
        let name = others.map(|(_, (key, value))| format!("{key}={value}")).collect::<Vec<_>>().join(", ");
        let Some(place) = values.iter().position(|value| *value == params[which].1) else { continue };
        let value = case.energy.value.unwrap_or(f64::NAN) * factor;
        let ends = case.energy.interval.as_ref().map_or((value, value), |i| (i.low * factor, i.high * factor));
        let point = (place, value, ends, case.bench.status != Status::Invalid);
        match lines.iter_mut().find(|line| line.name == name) {
            Some(line) => line.points.push(point),
            None => lines.push(Line { name, points: vec![point] }),
        }
    }
    for line in &mut lines {
        line.points.sort_by_key(|point| point.0);
    }
    lines
}

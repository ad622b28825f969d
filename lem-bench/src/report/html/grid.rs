//! Benches that were measured over a grid of parameters: energy against speed, and energy over each parameter.

use super::bench_text::{capitalize, speed_metric};
use super::output::ReportError;
use super::plots::grid_plots::{
    LinePoint, MAX_LINES, ParameterLine, ParetoPoint, draw_parameter_lines, draw_pareto, legend, pareto_front,
};
use super::view::{GridView, PlotView, TableView};
use crate::analysis::{BenchSummary, Metric, Rating};
use crate::model::{Origin, count_of, is_or_are};
use crate::report::labels;
use crate::report::number_format::{Figure, prefixed};

/// Grids that are drawn. More would make the index too large to open.
const MAX_GRIDS: usize = 8;
/// Cases that a Pareto front needs.
const MIN_FRONT_CASES: usize = 3;

/// The grids of a run, and a note about those that are not drawn.
///
/// # Errors
/// [`ReportError::Plot`] if a plot cannot be drawn.
pub(super) fn grid_views(benches: &[BenchSummary], origin: Origin) -> Result<(Vec<GridView>, String), ReportError> {
    let mut grids: Vec<Vec<&BenchSummary>> = Vec::new();
    for bench in benches.iter().filter(|bench| !bench.bench.params.is_empty()) {
        match grids.iter_mut().find(|grid| is_same_grid(grid[0], bench)) {
            Some(grid) => grid.push(bench),
            None => grids.push(vec![bench]),
        }
    }
    grids.retain(|grid| grid.len() > 1);
    let note = match grids.get(MAX_GRIDS..) {
        Some(rest) if !rest.is_empty() => {
            let names: Vec<&str> = rest.iter().map(|grid| grid[0].bench.name.as_str()).collect();
            format!(
                "Only the first {MAX_GRIDS} grids are drawn, to keep this page small. Not drawn: {}. The table lists \
                 their figures.",
                names.join(", ")
            )
        }
        _ => String::new(),
    };
    let drawn = grids.iter().take(MAX_GRIDS).enumerate();
    let views = drawn.map(|(index, grid)| grid_view(index + 1, grid, origin)).collect::<Result<_, _>>()?;
    Ok((views, note))
}

fn is_same_grid(a: &BenchSummary, b: &BenchSummary) -> bool {
    let (a, b) = (&a.bench, &b.bench);
    let same_keys = a.params.iter().map(|param| &param.0).eq(b.params.iter().map(|param| &param.0));
    a.module == b.module && a.group == b.group && a.name == b.name && same_keys
}

/// A case that has an energy figure.
struct Case<'a> {
    bench: &'a BenchSummary,
    energy: &'a Metric,
    speed: Option<&'a Metric>,
}

impl<'a> Case<'a> {
    /// The case with its energy by the metric `headline`; `None` if it has no such figure.
    fn new(bench: &'a BenchSummary, headline: &str) -> Option<Self> {
        let has_figure = |metric: &&Metric| Figure::of(metric).is_ok();
        let speed = speed_metric(bench).map(|(_, metric)| metric).filter(has_figure);
        Some(Self { bench, energy: bench.metrics.get(headline).filter(has_figure)?, speed })
    }

    fn is_usable(&self) -> bool {
        self.bench.rating() != Rating::Bad
    }

    fn params(&self) -> &[(String, String)] {
        &self.bench.bench.params
    }
}

/// A grid with what all of its plots share.
struct Grid<'a> {
    /// Counted from 1; part of the ids of the plots.
    number: usize,
    name: &'a str,
    cases: Vec<Case<'a>>,
    /// Cases without an energy figure.
    missing: usize,
    /// What energies are multiplied with to get the unit of the axis.
    factor: f64,
    /// The title of the energy axis, without its unit.
    energy_name: String,
    /// The unit of the energy axis, with the label of its origin.
    energy_unit: String,
}

fn grid_view(number: usize, benches: &[&BenchSummary], origin: Origin) -> Result<GridView, ReportError> {
    let name = benches[0].bench.name.as_str();
    if origin == Origin::Estimated {
        let reason =
            "No plots: the energy is estimated from CPU time, so energy against speed would show time on both axes.";
        return Ok(GridView {
            title: name.to_owned(),
            plots: vec![PlotView::missing(reason)],
            front: TableView::default(),
        });
    }
    let headline = benches.iter().find_map(|bench| bench.headline_metric.as_deref()).unwrap_or_default();
    let cases: Vec<Case<'_>> = benches.iter().filter_map(|bench| Case::new(bench, headline)).collect();
    let max = cases.iter().filter_map(|case| case.energy.value).fold(0.0, |max: f64, value| max.max(value.abs()));
    let (factor, unit) = prefixed(max, cases.first().map_or("", |case| case.energy.unit.as_str()));
    let label = origin.label().map(|label| format!(" {label}")).unwrap_or_default();
    let grid = Grid {
        number,
        name,
        missing: benches.len() - cases.len(),
        cases,
        factor,
        energy_name: labels::title(headline),
        energy_unit: format!("{unit}{label}"),
    };
    let (pareto_plot, front) = grid.energy_against_speed()?;
    let mut plots = vec![pareto_plot];
    plots.extend(grid.energy_over_parameters()?);
    Ok(GridView { title: name.to_owned(), plots, front })
}

impl Grid<'_> {
    fn energy_title(&self) -> String {
        format!("{} in {}", self.energy_name, self.energy_unit)
    }

    /// The plot of energy against speed, and the table of the cases on the Pareto front.
    fn energy_against_speed(&self) -> Result<(PlotView, TableView), ReportError> {
        let cases: Vec<(&Case<'_>, &Metric)> = self.cases.iter().filter_map(|case| Some((case, case.speed?))).collect();
        let usable = cases.iter().filter(|(case, _)| case.is_usable()).count();
        if usable < MIN_FRONT_CASES {
            let reason = format!(
                "Energy against speed: no plot, because {usable} of {} have both and may be used; a front needs \
                 {MIN_FRONT_CASES}.",
                count_of(self.cases.len(), "case")
            );
            return Ok((PlotView::missing(reason), TableView::default()));
        }
        let points: Vec<ParetoPoint> = cases
            .iter()
            .map(|(case, speed)| ParetoPoint {
                speed: low_value_high(speed, 1.0),
                energy: low_value_high(case.energy, self.factor),
                usable: case.is_usable(),
            })
            .collect();
        let front = pareto_front(&points);
        let speed_unit = cases.first().map_or("", |(_, speed)| speed.unit.as_str());
        let (speed_title, id) = (format!("speed in {speed_unit}"), format!("pareto-{}", self.number));
        let title = format!("Energy against speed of {}", self.name);
        let svg = draw_pareto(&points, &front, &self.energy_title(), &speed_title, &id, &title)?;
        let hollow = if points.iter().any(|point| !point.usable) {
            " Hollow: must not be used, and never on the front."
        } else {
            ""
        };
        let missing = match self.missing {
            0 => String::new(),
            n => format!(" {} without an energy figure {} not drawn.", count_of(n, "case"), is_or_are(n)),
        };
        let caption = format!(
            "{title}. Right is faster, down is cheaper. The numbered and connected cases are the Pareto front: no other \
             case is both cheaper and faster. Crosses are intervals; cases whose crosses overlap cannot be \
             distinguished.{hollow}{missing}"
        );
        let figure = |metric: &Metric| Figure::of(metric).map(|figure| figure.full()).unwrap_or_default();
        let rows = front.iter().enumerate().map(|(rank, &index)| {
            let (case, speed) = cases[index];
            vec![(rank + 1).to_string(), join_params(case.params().iter()), figure(case.energy), figure(speed)]
        });
        let caption_of_front = format!("The Pareto front of {}, cheapest first", self.name);
        let table = TableView::new(&caption_of_front, &["no.", "case", "energy", "speed"], rows.collect());
        Ok((PlotView { svg, caption, legend: Vec::new() }, table))
    }

    /// One plot for each parameter with at least two values.
    fn energy_over_parameters(&self) -> Result<Vec<PlotView>, ReportError> {
        let Some(first) = self.cases.first() else { return Ok(Vec::new()) };
        let mut plots = Vec::new();
        for (index, (key, _)) in first.params().iter().enumerate() {
            let values = self.parameter_values(index);
            if values.len() > 1 {
                plots.push(self.energy_over(index, key, &values)?);
            }
        }
        Ok(plots)
    }

    /// The values of the parameter at `index`: in ascending order if all are numbers, otherwise in the order of the cases.
    fn parameter_values(&self, index: usize) -> Vec<&str> {
        let mut values: Vec<&str> = Vec::new();
        for case in &self.cases {
            let value = case.params()[index].1.as_str();
            if !values.contains(&value) {
                values.push(value);
            }
        }
        let number = |value: &str| value.parse::<f64>().ok();
        if values.iter().all(|value| number(value).is_some()) {
            values.sort_by(|a, b| number(a).unwrap_or(0.0).total_cmp(&number(b).unwrap_or(0.0)));
        }
        values
    }

    fn energy_over(&self, index: usize, key: &str, values: &[&str]) -> Result<PlotView, ReportError> {
        let lines = self.lines(index, values);
        let title = format!("{} of {} over {key}", capitalize(&self.energy_name), self.name);
        let id = format!("axis-{}-{}", self.number, index + 1);
        let svg = draw_parameter_lines(&lines, values, key, &self.energy_title(), &id, &title)?;
        let too_many = lines.len() > MAX_LINES;
        let note = if too_many {
            format!(" The {} lines are too many to distinguish by color; the table above lists each case.", lines.len())
        } else {
            String::new()
        };
        let legend = if too_many { Vec::new() } else { legend(&lines) };
        let caption = format!("{title}, with intervals. The values of {key} are evenly spaced.{note}");
        Ok(PlotView { svg, caption, legend })
    }

    /// One line for each combination of the other parameters' values.
    fn lines(&self, index: usize, values: &[&str]) -> Vec<ParameterLine> {
        let mut lines: Vec<ParameterLine> = Vec::new();
        for case in &self.cases {
            let params = case.params();
            let Some(position) = values.iter().position(|value| *value == params[index].1) else { continue };
            let others = params.iter().enumerate().filter(|(other, _)| *other != index);
            let name = join_params(others.map(|(_, param)| param));
            let [low, energy, high] = low_value_high(case.energy, self.factor);
            let point = LinePoint { index: position, energy, interval: (low, high), usable: case.is_usable() };
            match lines.iter_mut().find(|line| line.name == name) {
                Some(line) => line.points.push(point),
                None => lines.push(ParameterLine { name, points: vec![point] }),
            }
        }
        for line in &mut lines {
            line.points.sort_by_key(|point| point.index);
        }
        lines
    }
}

/// The value between the ends of its interval, times `factor`.
fn low_value_high(metric: &Metric, factor: f64) -> [f64; 3] {
    let value = metric.value.unwrap_or(f64::NAN);
    let (low, high) = metric.interval.as_ref().map_or((value, value), |interval| (interval.low, interval.high));
    [low, value, high].map(|x| x * factor)
}

/// `batch=4, dtype=bf16`.
fn join_params<'a>(params: impl Iterator<Item = &'a (String, String)>) -> String {
    params.map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(", ")
}

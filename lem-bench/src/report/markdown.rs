//! Markdown: how text is escaped in it, and the table of all benches.

use std::collections::BTreeSet;

use super::labels;
use super::number_format::{Figure, NONE};
use super::terminal_text::{clean, shorten, shorten_end, width};
use crate::analysis::BenchSummary;
use crate::model::{EnergyBasis, MetricKind, Origin, Unit};

/// Columns are dropped until ids have this much width, which is enough to distinguish most ids.
const GOOD_ID_WIDTH: usize = 34;

/// The status column is dropped only if ids have less width than this.
const MIN_ID_WIDTH: usize = 14;

/// The drop order of the status column. The energy column is never dropped.
const STATUS_ORDER: u8 = 1;

/// Formats text as code between backticks.
pub(super) fn code(text: &str) -> String {
    format!("`{}`", clean(text).replace('`', "'"))
}

/// Formats text as code in a table cell: `|` would end the cell.
pub(super) fn code_cell(text: &str) -> String {
    code(text).replace('|', "\\|")
}

/// Escapes all characters that are special in Markdown or HTML. The result is on one line.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in clean(text).chars() {
        match c {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            // Would mention a user.
            '@' => escaped.push_str("&#64;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' => escaped.extend(['\\', c]),
            c => escaped.push(c),
        }
    }
    escaped
}

/// Escapes only what would end a table cell or start a tag or code, so that the table stays readable on a terminal: `<`
/// before a digit starts no tag.
fn escape_cell(text: &str) -> String {
    let text = clean(text).replace('|', "\\|").replace('`', "'");
    let mut escaped = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once('<') {
        escaped.push_str(before);
        escaped.push_str(if after.starts_with(|c: char| c.is_ascii_digit()) { "<" } else { "&lt;" });
        rest = after;
    }
    escaped.push_str(rest);
    escaped
}

/// A column of the table. The ids are not among them.
struct Column {
    head: String,
    cells: Vec<String>,
    /// Columns with a higher number are dropped first if the table is too wide.
    drop_order: u8,
    align_right: bool,
}

impl Column {
    fn width(&self) -> usize {
        self.cells.iter().map(|cell| width(cell)).chain([width(&self.head), 4]).max().unwrap_or(4)
    }

    fn is_empty(&self) -> bool {
        self.cells.iter().all(|cell| cell == NONE)
    }

    /// The cell of the row between the head and the body.
    fn delimiter(&self) -> String {
        let dashes = "-".repeat(self.width() - usize::from(self.align_right));
        if self.align_right { format!("{dashes}:") } else { dashes }
    }
}

/// Returns a table of all benches with as many columns as fit into `max_width` and shortened ids if necessary. With
/// `usize::MAX` it has every column and whole ids; below about 40 columns it may still be too wide.
pub(super) fn table(benches: &[BenchSummary], max_width: usize) -> String {
    if benches.is_empty() {
        return String::new();
    }
    let longest_id = benches.iter().map(|bench| width(&code_cell(&bench.bench.id))).max().unwrap_or(0).max(5);
    let columns = fitting_columns(benches, max_width, longest_id);
    let id_width = max_width.saturating_sub(width_without_ids(&columns)).max(4).min(longest_id);
    let row = |id: &str, cell: &dyn Fn(&Column) -> String| {
        let mut row = format!("| {}", pad(id, id_width, false));
        for column in &columns {
            row.push_str(" | ");
            row.push_str(&pad(&cell(column), column.width(), column.align_right));
        }
        row.push_str(" |\n");
        row
    };
    let mut table = row("bench", &|column| column.head.clone());
    table.push_str(&row(&"-".repeat(id_width), &Column::delimiter));
    for (index, id) in distinct_ids(benches, id_width).iter().enumerate() {
        table.push_str(&row(id, &|column| column.cells[index].clone()));
    }
    table
}

/// Returns the ids in at most `max_width` columns each, cut where they still differ if possible.
fn distinct_ids(benches: &[BenchSummary], max_width: usize) -> Vec<String> {
    let cut = |head| benches.iter().map(|bench| short_code(&bench.bench.id, max_width, head)).collect::<Vec<_>>();
    let differ = |ids: &Vec<String>| ids.iter().collect::<BTreeSet<_>>().len() == ids.len();
    [5, 3, 1, 0, 7, 10].into_iter().map(cut).find(differ).unwrap_or_else(|| cut(5))
}

/// Returns the columns that leave enough width for ids. The least important columns are dropped first, then the
/// intervals, then the status.
fn fitting_columns(benches: &[BenchSummary], max_width: usize, longest_id: usize) -> Vec<Column> {
    let too_wide = |columns: &[Column], id: usize| max_width < width_without_ids(columns) + longest_id.min(id);
    let mut kept = columns(benches, true);
    while too_wide(&kept, GOOD_ID_WIDTH) && kept.iter().any(|column| column.drop_order > STATUS_ORDER) {
        let last = kept.iter().map(|column| column.drop_order).max();
        kept.retain(|column| Some(column.drop_order) != last);
    }
    if too_wide(&kept, GOOD_ID_WIDTH) {
        kept = columns(benches, false);
        kept.retain(|column| column.drop_order <= STATUS_ORDER);
    }
    if too_wide(&kept, MIN_ID_WIDTH) {
        kept.retain(|column| column.drop_order < STATUS_ORDER);
    }
    kept
}

/// Returns the width of the columns and of all delimiters: `| ` at the start, ` | ` between cells, ` |` at the end.
fn width_without_ids(columns: &[Column]) -> usize {
    4 + columns.iter().map(|column| column.width() + 3).sum::<usize>()
}

fn columns(benches: &[BenchSummary], intervals: bool) -> Vec<Column> {
    let per = common_unit(benches);
    let unit = if per.is_some() { UnitInCell::WithoutDenominator } else { UnitInCell::Whole };
    let energy = per.map_or_else(|| "energy".to_owned(), |per| format!("energy/{}", per.label()));
    let headline = |bench: &BenchSummary, basis: EnergyBasis| {
        let per = bench.headline_unit()?;
        cell(benches, bench, MetricKind::Energy { basis, per }, unit, intervals)
    };
    let column = |head: &str, drop_order: u8, cell: &dyn Fn(&BenchSummary) -> Option<String>| Column {
        head: head.to_owned(),
        cells: benches.iter().map(|bench| cell(bench).unwrap_or_else(|| NONE.to_owned())).collect(),
        drop_order,
        align_right: true,
    };
    let unit_of_ratio = if per.is_some() { UnitInCell::None } else { UnitInCell::Whole };
    let cell =
        |bench: &BenchSummary, kind: MetricKind<'_>, unit: UnitInCell| cell(benches, bench, kind, unit, intervals);
    let ratio = |bench: &BenchSummary, kind: MetricKind<'_>| cell(bench, kind, unit_of_ratio);
    let head = |kind: Option<MetricKind<'_>>, different: &str| {
        let head = kind.map_or_else(|| different.to_owned(), MetricKind::unit);
        escape_cell(&shorten_end(&head, 24))
    };
    let (per_joule, speed) = (per.map(MetricKind::WorkPerJoule), per.map(MetricKind::Rate));
    let mut columns = vec![
        column(&escape_cell(&shorten_end(&energy, 24)), 0, &|bench| headline(bench, EnergyBasis::Gross)),
        column("net", 3, &|bench| headline(bench, EnergyBasis::Net)),
        column(&head(per_joule, "yield"), 6, &|bench| ratio(bench, MetricKind::WorkPerJoule(bench.headline_unit()?))),
        column(&head(speed, "speed"), 2, &|bench| ratio(bench, MetricKind::Rate(bench.headline_unit()?))),
        column("power", 4, &|bench| {
            // The power of an estimate is its assumed watts per core.
            if bench.is_estimate() { None } else { cell(bench, MetricKind::MeanPower, UnitInCell::Whole) }
        }),
        Column {
            align_right: false,
            ..column("status", STATUS_ORDER, &|bench| Some(labels::status_label(bench).to_owned()))
        },
    ];
    columns.retain(|column| !column.is_empty());
    columns
}

/// Returns the headline's unit of work if all benches with a headline have the same.
fn common_unit(benches: &[BenchSummary]) -> Option<Unit<'_>> {
    let mut units = benches.iter().filter(|bench| bench.headline_metric.is_some()).map(BenchSummary::headline_unit);
    let first = units.next()?;
    first.filter(|_| units.all(|unit| unit == first))
}

/// The part of a unit that is in the cells; the rest is in the head of the column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum UnitInCell {
    Whole,
    WithoutDenominator,
    None,
}

/// Returns a metric as text: `0.4123 J/token ±0.6 % (estimated)`.
fn cell(
    benches: &[BenchSummary],
    bench: &BenchSummary,
    kind: MetricKind<'_>,
    unit: UnitInCell,
    interval: bool,
) -> Option<String> {
    let metric = bench.metric(kind)?;
    let figure = Figure::of(metric).ok()?;
    let numerator = figure.unit.split('/').next().unwrap_or_default();
    let unit = match (unit, kind.denominator()) {
        (UnitInCell::Whole, Some(per)) => Some(format!("{numerator}/{}", per.label())),
        (UnitInCell::Whole, None) => Some(figure.unit.clone()),
        (UnitInCell::WithoutDenominator, _) => Some(numerator.to_owned()),
        (UnitInCell::None, _) => None,
    };
    let relative = figure.relative.filter(|_| interval);
    let origin = labels::origin_unless_common(benches, bench, Some(kind), metric);
    let origin = origin.and_then(Origin::label).map(str::to_owned);
    let parts = [Some(figure.value), unit, relative, origin];
    Some(escape_cell(&parts.into_iter().flatten().collect::<Vec<_>>().join(" ")))
}

/// Returns an id as code in at most `max_width` columns.
fn short_code(id: &str, max_width: usize, head: usize) -> String {
    let mut max_text_width = max_width.saturating_sub(2);
    loop {
        let short = code_cell(&shorten(&clean(id), max_text_width, head));
        // Escapes make the text wider.
        if width(&short) <= max_width || max_text_width == 0 {
            return short;
        }
        max_text_width -= 1;
    }
}

fn pad(text: &str, to: usize, align_right: bool) -> String {
    let fill = " ".repeat(to.saturating_sub(width(text)));
    if align_right { format!("{fill}{text}") } else { format!("{text}{fill}") }
}

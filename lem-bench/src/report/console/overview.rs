//! One Markdown table over all benches, for a pull request: as many columns as the width allows, the most telling first.
//!
//! Must not know colour: what is pasted is plain.

use std::collections::BTreeSet;

use super::paper::TextWriter;
use crate::analysis::BenchSummary;
use crate::report::figures::{Figure, NONE};
use crate::report::labels;
use crate::report::terminal_text::{clean, shorten, shorten_end, width};

/// Columns go until ids have this much room, so that no two look alike;
const GOOD_ID: usize = 34;
/// how a bench stands goes only when an id had less than this.
const LEAST_ID: usize = 14;
/// When the column that says how a bench stands goes; energy never does.
const STATUS: u8 = 1;

/// A column and how early it goes when there is no room (the highest first).
struct Column {
    head: String,
    cells: Vec<String>,
    goes: u8,
    right: bool,
}

impl Column {
    fn width(&self) -> usize {
        self.cells.iter().map(|cell| width(cell)).chain([width(&self.head), 4]).max().unwrap_or(4)
    }

    fn is_empty(&self) -> bool {
        self.cells.iter().all(|cell| cell == NONE)
    }
}

/// The table with every column and whole ids, however wide that is.
pub(in crate::report) fn markdown_table(benches: &[BenchSummary]) -> String {
    let mut paper = TextWriter::new(usize::MAX, false);
    overview(&mut paper, benches);
    paper.into_text()
}

pub(super) fn overview(paper: &mut TextWriter, benches: &[BenchSummary]) {
    if benches.is_empty() {
        return;
    }
    let longest = benches.iter().map(|bench| width(&code(&bench.bench.id))).max().unwrap_or(0).max(5);
    let columns = fitting(benches, paper.width(), longest);
    let room = paper.width().saturating_sub(taken(&columns)).max(4).min(longest);
    let ids = ids(benches, room);
    let mut line = |id: &str, cell: &dyn Fn(&Column) -> String| {
        let mut line = format!("| {}", pad(id, room, false));
        for column in &columns {
            line.push_str(" | ");
            line.push_str(&pad(&cell(column), column.width(), column.right));
        }
        line.push_str(" |");
        paper.line(&line);
    };
    line("bench", &|column| column.head.clone());
    line(&"-".repeat(room), &|column| {
        let dashes = "-".repeat(column.width() - usize::from(column.right));
        if column.right { format!("{dashes}:") } else { dashes }
    });
    for (at, id) in ids.iter().enumerate() {
        line(id, &|column| column.cells[at].clone());
    }
}

/// Ids in at most `room` columns each, cut where they still differ, if there is such a place.
fn ids(benches: &[BenchSummary], room: usize) -> Vec<String> {
    let cut = |head| benches.iter().map(|bench| short_code(&bench.bench.id, room, head)).collect::<Vec<_>>();
    let differ = |ids: &Vec<String>| ids.iter().collect::<BTreeSet<_>>().len() == ids.len();
    [5, 3, 1, 0, 7, 10].into_iter().map(cut).find(differ).unwrap_or_else(|| cut(5))
}

/// The columns that leave room for ids: the least telling go first, then the intervals, then how a bench stands.
fn fitting(benches: &[BenchSummary], width: usize, longest: usize) -> Vec<Column> {
    let lacks = |columns: &[Column], id: usize| width < taken(columns) + longest.min(id);
    let mut kept = columns(benches, true);
    while lacks(&kept, GOOD_ID) && kept.iter().any(|column| column.goes > STATUS) {
        let last = kept.iter().map(|column| column.goes).max();
        kept.retain(|column| Some(column.goes) != last);
    }
    if lacks(&kept, GOOD_ID) {
        kept = columns(benches, false);
        kept.retain(|column| column.goes <= STATUS);
    }
    if lacks(&kept, LEAST_ID) {
        kept.retain(|column| column.goes < STATUS);
    }
    kept
}

/// What columns take beside the ids: `| ` before, ` | ` between, ` |` after.
fn taken(columns: &[Column]) -> usize {
    4 + columns.iter().map(|column| column.width() + 3).sum::<usize>()
}

fn columns(benches: &[BenchSummary], intervals: bool) -> Vec<Column> {
    let common = common_headline(benches);
    let per = common.and_then(labels::denominator);
    let unit = if per.is_some() { Unit::WithoutDenominator } else { Unit::Whole };
    let headline = |bench: &BenchSummary, net: &str| {
        bench.headline_metric.as_ref().and_then(|name| cell(bench, &format!("{net}{name}"), unit, intervals))
    };
    let column = |head: &str, goes: u8, cell: &dyn Fn(&BenchSummary) -> Option<String>| Column {
        head: head.to_owned(),
        cells: benches.iter().map(|bench| cell(bench).unwrap_or_else(|| NONE.to_owned())).collect(),
        goes,
        right: true,
    };
    let energy = per.as_ref().map_or_else(|| "energy".to_owned(), |per| format!("energy/{per}"));
    let status = Column {
        head: "status".to_owned(),
        cells: benches.iter().map(|bench| labels::standing(bench).0.to_owned()).collect(),
        goes: STATUS,
        right: false,
    };
    let mut columns = vec![
        column(&escape(&shorten_end(&energy, 24)), 0, &|bench| headline(bench, "")),
        column("net", 3, &|bench| headline(bench, "net_")),
        column("tokens/J", 6, &|bench| cell(bench, "output_tokens_per_joule", Unit::Nothing, intervals)),
        column("tokens/s", 2, &|bench| cell(bench, "output_tokens_per_s", Unit::Nothing, intervals)),
        column("power", 4, &|bench| cell(bench, "mean_power_w", Unit::Whole, intervals)),
        status,
    ];
    columns.retain(|column| !column.is_empty());
    columns
}

/// The headline metric that all benches with one share.
fn common_headline(benches: &[BenchSummary]) -> Option<&str> {
    let mut names = benches.iter().filter_map(|bench| bench.headline_metric.as_deref());
    let first = names.next()?;
    names.all(|name| name == first).then_some(first)
}

/// How much of a unit the head of its column leaves to the cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Whole,
    WithoutDenominator,
    Nothing,
}

/// `0.4123 J/token ±0.6 % (estimated)`.
fn cell(bench: &BenchSummary, name: &str, unit: Unit, interval: bool) -> Option<String> {
    let metric = bench.metrics.get(name)?;
    let figure = Figure::of(metric).ok()?;
    let bare = figure.unit.split('/').next().unwrap_or_default();
    let unit = match (unit, labels::denominator(name)) {
        (Unit::Whole, Some(per)) => Some(format!("{bare}/{per}")),
        (Unit::Whole, None) => Some(figure.unit.clone()),
        (Unit::WithoutDenominator, _) => Some(bare.to_owned()),
        (Unit::Nothing, _) => None,
    };
    let relative = figure.relative.filter(|_| interval);
    let origin = labels::metric_origin(bench, name, metric).map(str::to_owned);
    let parts = [Some(figure.value), unit, relative, origin];
    let text = parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
    Some(escape(&text))
}

/// An id as Markdown code in a table: nothing in it ends the cell or the code.
fn code(id: &str) -> String {
    format!("`{}`", clean(id).replace('|', "\\|").replace('`', "'"))
}

fn short_code(id: &str, room: usize, head: usize) -> String {
    let mut most = room.saturating_sub(2);
    loop {
        let short = code(&shorten(&clean(id), most, head));
        // Escapes take room of their own.
        if width(&short) <= room || most == 0 {
            return short;
        }
        most -= 1;
    }
}

/// Text as it stands in a Markdown cell: nothing in it ends the cell, or begins a tag or code.
fn escape(text: &str) -> String {
    clean(text).replace('|', "\\|").replace('<', "&lt;").replace('`', "'")
}

fn pad(text: &str, to: usize, right: bool) -> String {
    let fill = " ".repeat(to.saturating_sub(width(text)));
    if right { format!("{fill}{text}") } else { format!("{text}{fill}") }
}

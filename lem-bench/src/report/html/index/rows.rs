//! The tables of the index: benches with one kind of energy on one scale, grouped as their authors grouped them.
//!
//! Must not know the benches' own pages, save their names.

use std::collections::BTreeMap;

use super::super::compare;
use super::super::metric_table::{absent, number};
use super::super::report::{FileName, page_of};
use super::super::view::{Badge, Group, IndexRow, Kind};
use super::super::words::capital;
use super::scale::{Mark, Scale};
use crate::analysis::compare::Comparison;
use crate::analysis::{BenchSummary, Metric, Status};
use crate::model::Origin;
use crate::report::labels::{self, Rating};
use crate::report::number_format::prefixed;

/// What a comparison says, by bench.
type Verdicts<'a> = BTreeMap<&'a str, Badge>;

/// How a bench stands.
pub(in super::super) fn badge(bench: &BenchSummary) -> Badge {
    let (text, tone) = labels::status_label(bench);
    let tone = match tone {
        Rating::Good => "good",
        Rating::Careful => "careful",
        Rating::Bad => "bad",
    };
    Badge { text, tone }
}

/// One table for each kind of headline (what it is counted by, and whether it was measured), benches without one last.
pub(in super::super) fn kinds(benches: &[BenchSummary], compared: Option<&Comparison>, file: FileName) -> Vec<Kind> {
    let mut names: Vec<Option<(&str, Option<Origin>)>> = Vec::new();
    for bench in benches {
        let kind = kind_of(bench);
        if !names.contains(&kind) {
            names.push(kind);
        }
    }
    names.sort_by_key(Option::is_none);
    let verdicts: Verdicts<'_> = compared.map_or_else(BTreeMap::new, |compared| {
        compared.benches.iter().map(|bench| (bench.id.as_str(), compare::verdict(bench))).collect()
    });
    let alike = |kind| benches.iter().filter(|bench| kind_of(bench) == kind).collect::<Vec<_>>();
    names.into_iter().map(|kind| table(kind, &alike(kind), &verdicts, file)).collect()
}

fn kind_of(bench: &BenchSummary) -> Option<(&str, Option<Origin>)> {
    let name = bench.headline_metric.as_deref()?;
    Some((name, bench.source.as_ref().map(|source| source.origin)))
}

fn table(
    kind: Option<(&str, Option<Origin>)>,
    benches: &[&BenchSummary],
    verdicts: &Verdicts<'_>,
    file: FileName,
) -> Kind {
    let Some((name, origin)) = kind else {
        let groups = groups(benches, |bench| row(bench, None, verdicts, file));
        return Kind { heading: "No energy figure".to_owned(), groups, ..Kind::default() };
    };
    let marks = benches.iter().flat_map(|bench| marks(bench, name)).flatten();
    let scale = Scale::of(marks);
    let label = origin.and_then(labels::origin).map(|label| format!(" {label}")).unwrap_or_default();
    let unit = benches.iter().find_map(|bench| bench.headline()).map_or("", |metric| metric.unit.as_str());
    let most = benches.iter().filter_map(|bench| bench.headline()?.value).filter(|value| value.is_finite());
    let (factor, shown) = prefixed(most.fold(0.0, |most, value| most.max(value.abs())), unit);
    let note = scale.as_ref().map(|scale| {
        let log = if scale.is_log() { " The scale is logarithmic." } else { "" };
        format!("Left is better.{log}")
    });
    Kind {
        heading: format!("{}{label}", capital(&labels::title(name))),
        axis: scale.as_ref().map(|scale| scale.axis(factor, &format!("{shown}{label}"))).unwrap_or_default(),
        note: note.unwrap_or_default(),
        groups: groups(benches, |bench| row(bench, scale.as_ref().map(|scale| (name, scale)), verdicts, file)),
    }
}

fn groups(benches: &[&BenchSummary], row: impl Fn(&BenchSummary) -> IndexRow) -> Vec<Group> {
    let title = |bench: &BenchSummary| match &bench.bench.group {
        Some(group) => format!("{group} ({})", bench.bench.module),
        None => bench.bench.module.clone(),
    };
    let mut groups: Vec<Group> = Vec::new();
    for bench in benches {
        let title = title(bench);
        match groups.iter_mut().find(|group| group.title == title) {
            Some(group) => group.rows.push(row(bench)),
            None => groups.push(Group { title, rows: vec![row(bench)] }),
        }
    }
    groups
}

fn row(bench: &BenchSummary, scale: Option<(&str, &Scale)>, verdicts: &Verdicts<'_>, file: FileName) -> IndexRow {
    let named = |prefix: &str| number(bench, &format!("{prefix}{}", bench.headline_metric.as_deref()?));
    let speed = speed(bench);
    let drawing = scale.and_then(|(name, scale)| {
        let [gross, net] = marks(bench, name);
        Some(scale.row(gross?, net))
    });
    let key = |metric: Option<&Metric>| {
        let value = metric.and_then(|metric| metric.value).filter(|value| value.is_finite());
        value.map(|value| format!("{value:.6e}")).unwrap_or_default()
    };
    let net = bench.headline_metric.as_deref().and_then(|name| bench.metrics.get(&format!("net_{name}")));
    let metric = |name: Option<&str>| key(name.and_then(|name| bench.metrics.get(name)));
    IndexRow {
        href: page_of(bench, file),
        id: bench.bench.id.clone(),
        badge: badge(bench),
        verdict: verdicts.get(bench.bench.id.as_str()).cloned(),
        tags: bench.bench.tags.join(" "),
        drawing: drawing.unwrap_or_default(),
        energy: named("").unwrap_or_else(|| absent("no energy was measured")),
        net: named("net_").unwrap_or_else(|| absent("not known")),
        speed: speed.and_then(|name| number(bench, name)).unwrap_or_else(|| absent("not counted")),
        power: number(bench, "mean_power_w").unwrap_or_else(|| absent("not measured")),
        keys: [key(bench.headline()), key(net), metric(speed), metric(Some("mean_power_w"))],
    }
}

/// Gross and net on the scale; a value without a finite number has no mark.
fn marks(bench: &BenchSummary, name: &str) -> [Option<Mark>; 2] {
    let mark = |name: &str| {
        let metric = bench.metrics.get(name)?;
        let value = metric.value.filter(|value| value.is_finite())?;
        let ends = metric.interval.as_ref().map(|i| (i.low, i.high)).filter(|(l, h)| l.is_finite() && h.is_finite());
        let unsure = metric.interval.as_ref().is_none_or(|interval| interval.indicative);
        Some(Mark { value, ends, hollow: unsure || bench.status == Status::Invalid })
    };
    [mark(name), mark(&format!("net_{name}"))]
}

/// The speed that belongs to a bench's headline: of what it is counted by.
pub(super) fn speed(bench: &BenchSummary) -> Option<&str> {
    let unit = bench.headline_metric.as_deref().and_then(|name| name.strip_prefix("j_per_")).unwrap_or("output_token");
    let candidates = [format!("{unit}s_per_s"), format!("{unit}_per_s"), "requests_per_s".to_owned()];
    candidates.iter().find_map(|name| bench.metrics.get_key_value(name)).map(|(name, _)| name.as_str())
}

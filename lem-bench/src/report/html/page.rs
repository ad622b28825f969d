//! The page: everything there is to show, laid out by the templates.
//!
//! Must not know how any part of it is made.

use std::io::Write;

use tera::{Context, Tera};

use super::bench_view::found;
use super::error::ReportError;
use super::svg::escape;
use super::view::Page;
use super::{bench_view, overview, run_view};
use crate::analysis::{BenchSummary, Summary};
use crate::report::figures::percent;
use crate::report::gist::{counts, everywhere, so_many};

const TEMPLATES: [(&str, &str); 4] = [
    ("parts.html", include_str!("templates/parts.html")),
    ("overview.html", include_str!("templates/overview.html")),
    ("bench.html", include_str!("templates/bench.html")),
    ("page.html", include_str!("templates/page.html")),
];

/// The report as one page of HTML: everything is in it, nothing is loaded from elsewhere, nothing runs.
///
/// Every number is rounded as on the terminal; what was not measured carries `(estimated)` or `(simulated)` beside it.
///
/// # Errors
/// [`ReportError`] when a template or a plot could not be laid out: a fault of this library.
pub fn render(summary: &Summary) -> Result<String, ReportError> {
    let page = view(summary)?;
    let fault = |error: tera::Error| ReportError::Template { source: Box::new(error) };
    let mut tera = Tera::default();
    tera.set_escape_fn(|text: &str, to: &mut dyn Write| to.write_all(escape(text).as_bytes()));
    tera.add_raw_templates(TEMPLATES).map_err(fault)?;
    let mut context = Context::new();
    context.insert("page", &page);
    tera.render("page.html", &context).map_err(fault)
}

fn view(summary: &Summary) -> Result<Page, ReportError> {
    let everywhere = everywhere(&summary.benches);
    let bench = |(at, bench): (usize, &BenchSummary)| bench_view::view(at, bench, &summary.run.headline, &everywhere);
    let mut metrics = summary.benches.iter().flat_map(|bench| bench.metrics.values());
    let level = metrics.find_map(|metric| metric.interval.as_ref()).map(|interval| percent(interval.level));
    let rows = overview::rows(&summary.benches);
    Ok(Page {
        title: format!("{}: energy per token", summary.run.target),
        style: include_str!("templates/style.css"),
        run: run_view::view(&summary.run),
        count: count(&summary.benches),
        level: level.unwrap_or_default(),
        findings: found(summary.findings.iter()),
        everywhere: found(everywhere.iter().copied()),
        per: overview::common(&rows),
        overview: rows,
        plots: overview::plots(&summary.benches)?,
        benches: summary.benches.iter().enumerate().map(bench).collect::<Result<_, _>>()?,
    })
}

/// `6 benches: 3 valid, 1 warning, 1 invalid, 1 panicked`.
fn count(benches: &[BenchSummary]) -> String {
    if benches.is_empty() {
        return "No bench was measured".to_owned();
    }
    let each: Vec<String> = counts(benches).into_iter().map(|(word, _, n)| format!("{n} {word}")).collect();
    format!("{} {}", so_many(benches.len()), each.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    #[ignore = "writes pages to be looked at: set LEM_BENCH_PAGES to a folder"]
    fn write_pages() {
        let folder = std::path::PathBuf::from(std::env::var_os("LEM_BENCH_PAGES").unwrap());
        let pages =
            [("card", fixture::on_a_card()), ("estimate", fixture::on_an_estimate()), ("hostile", fixture::hostile())];
        for (name, summary) in pages {
            std::fs::write(folder.join(format!("{name}.html")), render(&summary).unwrap()).unwrap();
        }
    }
}

//! The pages as a browser gets them: made from made-up summaries and read back.

mod compared;
mod history;
mod hostile;
mod markup;
mod numbers;
mod scale;
mod structure;
mod words;

use std::collections::BTreeMap;
use std::path::Path;

use super::{PageFile, Report, comparison_page, history_page, slug};
use crate::analysis::Summary;
use crate::report::fixture;

/// The pages of a summary by their place.
fn folder(summary: &Summary) -> BTreeMap<String, String> {
    let files = Report::new(summary, slug).files().unwrap();
    files.into_iter().map(|file| (file.path, String::from_utf8(file.bytes).unwrap())).collect()
}

/// The page of the bench at this place.
fn bench_page(summary: &Summary, at: usize) -> String {
    folder(summary).remove(&super::report::page_of(&summary.benches[at], slug)).unwrap()
}

fn index(summary: &Summary) -> String {
    folder(summary).remove("index.html").unwrap()
}

fn all() -> [(&'static str, Summary); 4] {
    [
        ("card", fixture::on_a_card()),
        ("grid", fixture::on_a_grid()),
        ("estimate", fixture::on_an_estimate()),
        ("hostile", fixture::hostile()),
    ]
}

/// What the browser suite opens.
#[test]
#[ignore = "writes the pages that tests/browser opens: set LEM_BENCH_PAGES to a folder"]
fn write_pages() {
    let root = std::path::PathBuf::from(std::env::var_os("LEM_BENCH_PAGES").unwrap());
    for (name, summary) in all() {
        write(&root.join(name), Report::new(&summary, slug).files().unwrap());
    }
    let (grid, compared, trends) = (fixture::on_a_grid(), compared::comparison(), history::trends());
    let report = Report::new(&grid, slug).against(&compared).with_history(&trends);
    write(&root.join("compared"), report.files().unwrap());
    let compared = comparison_page(&compared, &fixture::hostile().run).unwrap();
    write(&root.join("alone"), vec![compared, history_page(&trends, 12).unwrap()]);
}

fn write(folder: &Path, files: Vec<PageFile>) {
    for file in files {
        let path = folder.join(file.path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, file.bytes).unwrap();
    }
}

//! Tests of complete pages: they are made from fixtures and parsed as a browser would.

mod content;
mod layout;
mod linked_pages;
mod markup;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::output::bench_page_path;
use super::{PageFile, Report, comparison_page, history_page};
use crate::analysis::Summary;
use crate::report::fixture;
use crate::store::slug;

/// The pages of a summary by path.
fn pages(summary: &Summary) -> BTreeMap<String, String> {
    let files = Report::new(summary, slug).files().unwrap();
    files.into_iter().map(|file| (file.path, String::from_utf8(file.bytes).unwrap())).collect()
}

/// The page of the bench at this index.
fn bench_page(summary: &Summary, index: usize) -> String {
    pages(summary).remove(&bench_page_path(&summary.benches[index].bench.id, slug)).unwrap()
}

fn index(summary: &Summary) -> String {
    pages(summary).remove("index.html").unwrap()
}

/// All fixtures by name.
fn fixtures() -> [(&'static str, Summary); 4] {
    [
        ("card", fixture::on_a_card()),
        ("grid", fixture::on_a_grid()),
        ("estimate", fixture::on_an_estimate()),
        ("hostile", fixture::hostile()),
    ]
}

/// Writes the pages that the browser suite opens.
#[test]
#[ignore = "writes the pages for tests/browser into the folder LEM_BENCH_PAGES"]
fn write_pages() {
    let root = PathBuf::from(std::env::var_os("LEM_BENCH_PAGES").unwrap());
    for (name, summary) in fixtures() {
        write(&root.join(name), Report::new(&summary, slug).files().unwrap());
    }
    let (grid, compared, trends) = (fixture::on_a_grid(), linked_pages::comparison(), linked_pages::trends());
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

//! Tests of complete pages: they are made from fixtures and parsed as a browser would.

mod content;
mod layout;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use super::output::bench_page_path;
use super::report::SavePage;
use super::{PageFile, Report, ReportError, comparison_page, history_page, slug};
use crate::analysis::Summary;
use crate::report::fixture;

/// All files of a report, in the order in which they are written.
fn files(report: Report<'_>) -> Vec<PageFile> {
    collect(|save| report.write(save))
}

/// What `write` saves.
fn collect(write: impl FnOnce(&SavePage<'_, ReportError>) -> Result<(), ReportError>) -> Vec<PageFile> {
    let files = Mutex::new(Vec::new());
    write(&|file| {
        files.lock().unwrap().push(file);
        Ok(())
    })
    .unwrap();
    files.into_inner().unwrap()
}

/// The pages of a summary by path.
fn pages(summary: &Summary) -> BTreeMap<String, String> {
    let files = files(Report::new(summary, slug));
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

/// A tag's name and its attributes.
type Tag = (String, BTreeMap<String, String>);

/// Returns the tags of a page with their attributes, and the text between them.
///
/// Panics if a tag is not closed in order, or an attribute has no quotes.
fn parse(page: &str) -> (Vec<Tag>, String) {
    const VOID: [&str; 4] = ["meta", "!DOCTYPE", "input", "link"];
    const FLAGS: [&str; 4] = ["hidden", "checked", "open", "selected"];
    let (mut tags, mut text, mut open) = (Vec::new(), String::new(), Vec::new());
    let mut rest = page;
    while let Some((before, after)) = rest.split_once('<') {
        text.push_str(before);
        text.push(' ');
        let (tag, after) = after.split_once('>').unwrap();
        rest = after;
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name), "…{before}</{name}>");
            continue;
        }
        let (name, attributes) = tag.split_once([' ', '\n']).unwrap_or((tag, ""));
        let mut parsed = BTreeMap::new();
        let mut left = attributes.trim().trim_end_matches('/').trim();
        while !left.is_empty() && name != "!DOCTYPE" {
            if let Some(after) = FLAGS.iter().find_map(|flag| left.strip_prefix(flag)).filter(|l| !l.starts_with('=')) {
                left = after.trim();
                continue;
            }
            let (key, value) = left.split_once("=\"").unwrap_or_else(|| panic!("{tag}"));
            let (value, after) = value.split_once('"').unwrap();
            assert!(parsed.insert(key.to_owned(), value.to_owned()).is_none(), "{key} twice in {tag}");
            left = after.trim();
        }
        if !tag.ends_with('/') && !VOID.contains(&name) {
            open.push(name.to_owned());
        }
        if matches!(name, "style" | "script") {
            rest = &rest[rest.find(&format!("</{name}>")).unwrap()..];
        }
        tags.push((name.to_owned(), parsed));
    }
    assert!(open.is_empty(), "{open:?}");
    (tags, text)
}

/// Writes the pages that the browser suite opens.
#[test]
#[ignore = "writes the pages for tests/browser into the folder LEM_BENCH_PAGES"]
fn write_pages() {
    let root = PathBuf::from(std::env::var_os("LEM_BENCH_PAGES").unwrap());
    for (name, summary) in fixtures() {
        write(&root.join(name), files(Report::new(&summary, slug)));
    }
    let (grid, compared, trends) = (fixture::on_a_grid(), content::comparison(), content::trends());
    let report = Report::new(&grid, slug).against(&compared).with_history(&trends);
    write(&root.join("compared"), files(report));
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

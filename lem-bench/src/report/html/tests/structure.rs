//! What the pages are made of, without what stands in it: a change that was not meant shows as a line.

use std::fmt::Write as _;

use super::super::{Report, slug};
use super::markup::parse;
use super::{compared, history};
use crate::report::fixture;

const SNAPSHOTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/report/html/tests/snapshots");
/// What stands for itself: text, marks of a drawing, cells.
const LEFT_OUT: &str = "!DOCTYPE a b body br code dd desc dt head html line meta option path polygon polyline rect circle ellipse \
                        span style td text title";
/// What tells one thing of a kind from another.
const TOLD: [&str; 6] = ["class", "id", "role", "scope", "type", "data-sort"];

/// The tags of a page with what tells them apart, one a line; alike neighbours are counted.
fn outline(page: &str) -> String {
    let (tags, _) = parse(page);
    let mut lines: Vec<(String, usize)> = Vec::new();
    for (name, attributes) in tags.iter().filter(|(name, _)| !LEFT_OUT.split_whitespace().any(|left| left == name)) {
        let mut line = name.clone();
        for key in TOLD {
            // Writing to a `String` does not fail.
            let _ = attributes.get(key).map(|value| write!(line, " {key}={value}"));
        }
        match lines.last_mut() {
            Some((last, n)) if *last == line => *n += 1,
            _ => lines.push((line, 1)),
        }
    }
    let line = |(line, n): (String, usize)| if n == 1 { format!("{line}\n") } else { format!("{line} × {n}\n") };
    lines.into_iter().map(line).collect()
}

/// The outlines of one page of each kind.
fn outlines() -> Vec<(&'static str, String)> {
    let (grid, compared, trends) = (fixture::on_a_grid(), compared::comparison(), history::trends());
    let files = Report::new(&grid, slug).against(&compared).with_history(&trends).files().unwrap();
    let of = |path: &str| {
        let file = files.iter().find(|file| file.path.starts_with(path)).unwrap();
        outline(std::str::from_utf8(&file.bytes).unwrap())
    };
    ["index", "benches/", "compare", "history"].map(|path| (path.trim_end_matches('/'), of(path))).into()
}

#[test]
#[ignore = "writes the snapshots anew: run it after a change that was meant, and read the diff"]
fn write_snapshots() {
    std::fs::create_dir_all(SNAPSHOTS).unwrap();
    for (name, outline) in outlines() {
        std::fs::write(format!("{SNAPSHOTS}/{name}.txt"), outline).unwrap();
    }
}

#[test]
fn the_pages_are_built_as_they_were_last() {
    for (name, now) in outlines() {
        let then = std::fs::read_to_string(format!("{SNAPSHOTS}/{name}.txt")).unwrap();
        let differ = now.lines().zip(then.lines()).find(|(now, then)| now != then);
        assert_eq!(differ, None, "{name}: now and then");
        assert_eq!(now.len(), then.len(), "{name}");
    }
}

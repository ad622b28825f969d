//! The structure of the pages as snapshots, and their size for large runs.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use super::{bench_page, content, files, index, pages, parse};
use crate::analysis::Summary;
use crate::model::TracePoint;
use crate::report::fixture;
use crate::report::html::{Report, slug};

/// Tags that the outline leaves out: text, parts of a drawing, cells.
const OMITTED_TAGS: &str = "!DOCTYPE a b body br code dd desc dt em g head html line meta option path polygon polyline rect circle ellipse \
                        small span style td text title";
/// Attributes that the outline shows.
const SHOWN_ATTRIBUTES: [&str; 6] = ["class", "id", "role", "scope", "type", "data-sort"];

/// The tags of a page with some of their attributes, one per line. Equal neighbours are counted.
fn outline(page: &str) -> String {
    let (tags, _) = parse(page);
    let mut lines: Vec<(String, usize)> = Vec::new();
    for (name, attributes) in tags.iter().filter(|(name, _)| !OMITTED_TAGS.split_whitespace().any(|tag| tag == name)) {
        let mut line = name.clone();
        for key in SHOWN_ATTRIBUTES {
            if let Some(value) = attributes.get(key) {
                write!(line, " {key}={value}").unwrap();
            }
        }
        match lines.last_mut() {
            Some((last, n)) if *last == line => *n += 1,
            _ => lines.push((line, 1)),
        }
    }
    let to_text = |(line, n): (String, usize)| if n == 1 { format!("{line}\n") } else { format!("{line} × {n}\n") };
    lines.into_iter().map(to_text).collect()
}

#[test]
fn outlines() {
    let (grid, compared, trends) = (fixture::on_a_grid(), content::comparison(), content::trends());
    let files = files(Report::new(&grid, slug).against(&compared).with_history(&trends));
    for name in ["index", "benches", "compare", "history"] {
        let file = files.iter().find(|file| file.path.starts_with(name)).unwrap();
        insta::assert_snapshot!(name, outline(std::str::from_utf8(&file.bytes).unwrap()));
    }
}

/// A thousand benches of ten cycles with their traces.
fn thousand_benches() -> Summary {
    let mut summary = fixture::on_a_card();
    let template = summary.benches.remove(0);
    summary.benches = (0..1000)
        .map(|n| {
            let mut bench = template.clone();
            let (function, batch) = (n / 20, n % 20);
            bench.bench.id = format!("decode_{function}/batch={batch}/dtype=bf16");
            bench.bench.name = format!("decode_{function}");
            bench.bench.params[0].1 = batch.to_string();
            bench
        })
        .collect();
    summary
}

#[test]
fn index_of_thousand_benches_is_small() {
    let page = index(&thousand_benches());
    assert!(page.len() < 2_000_000, "{} bytes", page.len());
    assert_eq!(page.matches("<tr role=\"row\" data-k=").count(), 1000);
    assert!(page.contains("Only the first 8 grids are drawn"));
}

/// CPU time of this thread in seconds; `None` if the system does not report it.
fn thread_cpu_time() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/thread-self/stat").ok()?;
    // The name may contain anything. After it, the 12th and 13th fields are user and system time in hundredths of a
    // second.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    Some((fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?) / 100.0)
}

/// Measures CPU time, so that other load does not matter. One thread makes all pages.
#[test]
#[ignore = "measures time: run it by itself"]
fn thousand_benches_take_less_than_three_seconds() {
    let summary = thousand_benches();
    let (begin, before) = (Instant::now(), thread_cpu_time());
    let pages = pages(&summary);
    let elapsed = begin.elapsed().as_secs_f64();
    let cpu = before.zip(thread_cpu_time()).map(|(before, after)| after - before);
    let bytes: usize = pages.values().map(String::len).sum();
    let index = pages["index.html"].len();
    println!("{} pages, {bytes} bytes, index {index} bytes, {elapsed:.2} s, CPU time {cpu:.2?} s", pages.len());
    assert!(cpu.unwrap_or(elapsed) < 3.0, "{cpu:?} of {elapsed}");
}

#[test]
fn long_trace_is_downsampled_and_keeps_peak() {
    let mut summary = fixture::on_a_card();
    summary.benches.truncate(1);
    let short = bench_page(&summary, 0);
    let cycle = &mut summary.benches[0].cycles[9];
    let from = cycle.spans[0].start;
    let stamp = |i: u64| from + Duration::from_millis(100 * i);
    cycle.spans[3].stop = stamp(36_000);
    let power = |i: u64| if i == 17_123 { 702.5 } else { 300.0 + (i % 7) as f64 };
    cycle.traces[0].power_w = (0..36_000).map(|i| TracePoint(stamp(i), power(i))).collect();
    let long = bench_page(&summary, 0);
    assert!(long.len() < short.len() + 20_000, "{} and with an hour more {}", short.len(), long.len());
    // The peak must be the highest point of the curve, where it was read: the plot's area begins at 70 and is 876 wide.
    let points = power_curve(&long);
    let highest = points.iter().copied().min_by(|a, b| a.1.total_cmp(&b.1)).unwrap();
    let seconds = 12.0 + 9.0 * 12.4 + 1712.3;
    let end = 12.0 + 9.0 * 12.4 + 3600.0;
    let expected = 70.0 + seconds / end * (960.0 - 14.0 - 70.0);
    assert!((highest.0 - expected).abs() < 2.0, "{highest:?}, expected at {expected}");
    assert!(points.iter().filter(|point| (point.1 - highest.1).abs() < 20.0).count() < 5, "one peak, not a plateau");
}

/// The points of the first domain's curve in the plot of power over time.
fn power_curve(page: &str) -> Vec<(f64, f64)> {
    let plot = page.split("class=\"plot course\"").nth(1).unwrap().split("</svg>").next().unwrap();
    let line = plot.split("<path d=\"").find(|path| path.contains("stroke=\"#0072B2\"")).unwrap();
    let data = line.split('"').next().unwrap();
    let (mut at, mut points) = ((0.0, 0.0), Vec::new());
    for command in data.split_inclusive(char::is_alphabetic).zip(data.split(char::is_alphabetic).skip(1)) {
        let letter = command.0.chars().last().unwrap();
        // A minus also separates numbers.
        let numbers = command.1.replace('-', " -");
        let numbers: Vec<f64> = numbers.split_whitespace().map(|number| number.parse().unwrap()).collect();
        let steps: Vec<(f64, f64)> = match letter {
            'h' => numbers.iter().map(|x| (*x, 0.0)).collect(),
            'v' => numbers.iter().map(|y| (0.0, *y)).collect(),
            _ => numbers.chunks(2).map(|pair| (pair[0], pair[1])).collect(),
        };
        if letter == 'M' {
            at = (0.0, 0.0);
        }
        for (x, y) in steps {
            at = (at.0 + x, at.1 + y);
            points.push(at);
        }
    }
    points
}

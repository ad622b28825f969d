//! A thousand benches, and an hour of readings.

use std::time::{Duration, Instant};

use super::{bench_page, folder, index};
use crate::analysis::Summary;
use crate::model::TracePoint;
use crate::report::fixture;

/// A thousand benches of ten cycles with their traces.
fn a_thousand() -> Summary {
    let mut summary = fixture::on_a_card();
    let like = summary.benches.remove(0);
    summary.benches = (0..1000)
        .map(|n| {
            let mut bench = like.clone();
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
fn the_index_of_a_thousand_benches_is_less_than_two_megabytes() {
    let page = index(&a_thousand());
    assert!(page.len() < 2_000_000, "{} bytes", page.len());
    assert_eq!(page.matches("<tr role=\"row\" data-k=").count(), 1000);
    assert!(page.contains("Only the first 8 grids are drawn"));
}

/// Seconds of processor time that this thread has had; `None` where the system does not tell.
fn on_cpu() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/thread-self/stat").ok()?;
    // After the name, which may hold anything, the 12th and 13th fields: user and system, in hundredths of a second.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    Some((fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?) / 100.0)
}

/// By processor time, so that it holds whatever else the machine does; pages are laid out on one thread.
#[test]
#[ignore = "measures time: run it by itself"]
fn a_thousand_benches_take_less_than_three_seconds() {
    let summary = a_thousand();
    let (begin, before) = (Instant::now(), on_cpu());
    let pages = folder(&summary);
    let (took, cpu) = (begin.elapsed().as_secs_f64(), before.zip(on_cpu()).map(|(before, after)| after - before));
    let bytes: usize = pages.values().map(String::len).sum();
    let index = pages["index.html"].len();
    println!("{} pages, {bytes} bytes, index {index} bytes, {took:.2} s, on the processor {cpu:.2?} s", pages.len());
    assert!(cpu.unwrap_or(took) < 3.0, "{cpu:?} of {took}");
}

#[test]
fn an_hour_at_ten_hertz_does_not_make_a_long_page_and_keeps_its_peak() {
    let mut summary = fixture::on_a_card();
    summary.benches.truncate(1);
    let short = bench_page(&summary, 0);
    let cycle = &mut summary.benches[0].cycles[9];
    let from = cycle.spans[0].start;
    let at = |i: u64| from + Duration::from_millis(100 * i);
    cycle.spans[3].stop = at(36_000);
    let power = |i: u64| if i == 17_123 { 702.5 } else { 300.0 + (i % 7) as f64 };
    cycle.traces[0].power_w = (0..36_000).map(|i| TracePoint(at(i), power(i))).collect();
    let long = bench_page(&summary, 0);
    assert!(long.len() < short.len() + 20_000, "{} and with an hour more {}", short.len(), long.len());
    // The peak is the highest point of the curve, and stands where it was read: 1836 s of 3724 s, on a plot whose area
    // begins at 70 and is 876 wide.
    let course = |page: &str| {
        let plot = page.split("class=\"plot course\"").nth(1).unwrap().split("</svg>").next().unwrap().to_owned();
        let of_a_domain = |line: &&str| line.contains("stroke=\"#0072B2\"");
        let lines =
            plot.split("<polyline").filter(of_a_domain).map(|line| line.split("points=\"").nth(1).unwrap().to_owned());
        let points = lines.flat_map(|line| {
            let points = line.split('"').next().unwrap().to_owned();
            let pair = |pair: &str| pair.split_once(',').map(|(x, y)| (x.parse().unwrap(), y.parse().unwrap()));
            points.split_whitespace().filter_map(pair).collect::<Vec<(f64, f64)>>()
        });
        points.collect::<Vec<_>>()
    };
    let points = course(&long);
    let highest = points.iter().copied().min_by(|a, b| a.1.total_cmp(&b.1)).unwrap();
    let seconds = 12.0 + 9.0 * 12.4 + 1712.3;
    let end = 12.0 + 9.0 * 12.4 + 3600.0;
    let expected = 70.0 + seconds / end * (960.0 - 14.0 - 70.0);
    assert!((highest.0 - expected).abs() < 2.0, "{highest:?}, expected at {expected}");
    assert!(points.iter().filter(|point| (point.1 - highest.1).abs() < 20.0).count() < 5, "one peak, not a plateau");
}

//! Each number on the pages is the summary's, with its label.

use super::super::plots::svg::escape;
use super::{all, folder, index};
use crate::report::number_format::Figure;
use crate::report::{fixture, labels};

#[test]
fn each_number_is_the_summarys_and_carries_its_label() {
    for (name, summary) in all() {
        let pages = folder(&summary);
        for bench in &summary.benches {
            let page = &pages[&super::super::report::page_of(bench, super::super::slug)];
            for (key, metric) in &bench.metrics {
                let Ok(figure) = Figure::of(metric) else { continue };
                let value = format!("<b>{}</b>", escape(&figure.short()));
                let origin = labels::metric_origin(bench, key, metric);
                let label = origin.map(|o| format!(" <span class=\"origin\">{o}</span>")).unwrap_or_default();
                assert!(page.contains(&format!("{value}{label}")), "{name}: {key}: {value}{label}");
                if let Some((low, high)) = &figure.interval {
                    assert!(page.contains(&format!(">{low} … {high}<")), "{name}: {key}: {low} … {high}");
                }
            }
        }
    }
}

#[test]
fn a_row_of_the_index_holds_its_benchs_numbers_and_is_sorted_by_them() {
    for (name, summary) in all() {
        let page = index(&summary);
        for bench in &summary.benches {
            let Some(metric) = bench.headline().filter(|metric| Figure::of(metric).is_ok()) else { continue };
            let href = super::super::report::page_of(bench, super::super::slug);
            let row = page.split("<tr ").skip(1).find(|row| row.contains(&format!("href=\"{href}\">"))).unwrap();
            let key = row.split("data-k=\"").nth(1).unwrap().split(' ').next().unwrap();
            let (shown, value) = (key.parse::<f64>().unwrap(), metric.value.unwrap());
            assert!(((shown - value) / value).abs() < 1e-6, "{name}: {key}");
            assert!(row.contains(&format!("<b>{}</b>", escape(&Figure::of(metric).unwrap().short()))), "{name}: {row}");
        }
    }
}

#[test]
fn what_is_no_number_is_a_dash_with_its_reason() {
    for page in folder(&fixture::hostile()).values() {
        let script = page.find("<script>").map_or("", |from| &page[from..]);
        let page = page.replace(script, "");
        let mut words = page.split(|c: char| !c.is_alphanumeric());
        assert!(!words.any(|word| matches!(word, "NaN" | "inf" | "nan")));
    }
    let hostile = super::bench_page(&fixture::hostile(), 0);
    assert!(hostile.contains("<b>–</b> <span class=\"reason\">not a finite number</span>"));
    let estimate = index(&fixture::on_an_estimate());
    assert!(estimate.contains("<b>–</b> <span class=\"reason\">an estimate has no idle</span>"));
}

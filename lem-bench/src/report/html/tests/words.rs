//! What the pages say, and what they say where there is nothing to draw.

use super::markup::parse;
use super::{bench_page, folder, index};
use crate::report::fixture;

#[test]
fn an_estimate_says_so_before_anything_else_and_how_it_was_made() {
    for page in folder(&fixture::on_an_estimate()).values() {
        let (_, text) = parse(page);
        let banner = text.find("Every joule on this page is an estimate").unwrap();
        let formula = text.find("CPU time of this process × 10 W per busy core").unwrap();
        let first_figure = text.find(" mJ").unwrap();
        assert!(banner < formula && formula < first_figure);
    }
    for page in folder(&fixture::on_a_card()).values() {
        assert!(!parse(page).1.contains("estimate"));
    }
}

#[test]
fn where_there_is_too_little_to_draw_it_says_so() {
    let mut summary = fixture::on_a_card();
    summary.benches.truncate(1);
    summary.benches[0].cycles.truncate(1);
    summary.benches[0].cycles[0].traces.clear();
    summary.benches[0].warm_up = None;
    summary.benches[0].distributions[0].counts = vec![0, 29];
    let page = bench_page(&summary, 0);
    assert!(page.contains("No plot: fewer than two readings of power were kept."));
    assert!(page.contains("No plot: it needs at least two cycles."));
    assert!(page.contains("No plot: 29 samples are too few; 30 are drawn."));
    assert!(page.contains("No plot: these results were kept without their distribution."));
    assert!(!page.contains("<svg"));
}

#[test]
fn a_front_of_too_few_or_of_an_estimate_is_not_drawn() {
    let page = index(&fixture::on_a_card());
    assert!(page.contains("no plot, because 2 of its 3 cases have both and may be used; a front needs 3"));
    assert!(!page.contains("pareto-1"));
    let page = index(&fixture::on_an_estimate());
    assert!(page.contains("No plots: this energy is an estimate made of CPU time"));
    let page = index(&fixture::on_a_grid());
    assert!(page.contains("id=\"pareto-1-t\"") && page.contains("id=\"axis-1-1-t\""));
}

#[test]
fn an_empty_run_has_a_page() {
    let mut summary = fixture::on_a_card();
    summary.benches.clear();
    assert!(index(&summary).contains("No bench was measured"));
}

//! The statistics agree with independent code (numpy, scipy, mpmath), case by case.

#[path = "../examples/support/mod.rs"]
mod support;

use std::path::Path;

#[test]
fn the_development_vectors_pass() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference/stats/vectors.json");
    let report = support::run(&path).unwrap();
    assert!(report.mismatches.is_empty(), "{}", report.mismatches.join("\n"));
    assert_eq!((report.passed, report.failed), (55, 0));
}

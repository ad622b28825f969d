//! The statistics agree with independent code (numpy, scipy, mpmath), case by case.

#[path = "../examples/support/mod.rs"]
mod support;

use std::path::Path;

/// Every case of the file passes, and there are as many as there should be.
fn pass(file: &str, cases: usize) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference/stats").join(file);
    let report = support::run(&path).expect("a file of vectors");
    assert!(report.mismatches.is_empty(), "{}", report.mismatches.join("\n"));
    assert_eq!((report.passed, report.failed), (cases, 0));
}

#[test]
fn the_development_vectors_pass() {
    pass("vectors.json", 55);
}

#[test]
fn edge_and_random_cases_pass() {
    // Two values, ties, constants, 1e±12, NaN and infinities, negative ratios, slices that do not fit, bad parameters.
    pass("edge-cases.json", 464);
}

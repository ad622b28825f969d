//! The statistics agree with independent implementations (numpy, scipy, mpmath), case by case.

#[path = "tools/vectors/runner/mod.rs"]
mod runner;

use std::path::Path;

/// Asserts that every case of the file passes, and that the file has `cases` cases.
fn check(file: &str, cases: usize) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference/stats").join(file);
    let report = runner::run(&path).expect("a file of vectors");
    assert!(report.mismatches.is_empty(), "{}", report.mismatches.join("\n"));
    assert_eq!((report.passed, report.failed), (cases, 0));
}

#[test]
fn development_vectors() {
    check("vectors.json", 55);
}

#[test]
fn edge_and_random_cases() {
    // Two values, ties, constants, 1e±12, NaN and infinities, negative ratios, slices of different lengths, bad parameters.
    check("edge-cases.json", 464);
}

//! A custom harness binary: the program adds benches itself and does not need `cargo bench`.
//!
//! `cargo run --release --example custom_harness -- --quick` measures. All options of `cargo bench` work, such as
//! `--list`, `--test` and `--help`.

use lem_bench::Harness;
use lem_bench::bench::Count;

/// Sums a vector.
fn sum(values: &[f64]) -> f64 {
    std::hint::black_box(values).iter().sum()
}

fn main() {
    let mut harness = Harness::new();
    // Benches can be added at run time: here, one per size.
    for megabytes in [1, 8] {
        harness = harness.bench(format!("sum/{megabytes}MB"), move |b| {
            let values = vec![1.0; megabytes * 1_000_000 / size_of::<f64>()];
            b.iter(|| {
                assert!(sum(&values) > 0.0);
                Count { unit: "megabyte", n: megabytes as u64 }
            });
        });
    }
    harness.main();
}

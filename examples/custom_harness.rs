//! A harness binary of your own: benches added by hand, in a program that measures however it is started.
//!
//! `cargo run --release --example custom_harness -- --quick` measures; `--list` and `--test` do what they do for
//! `cargo bench`, and so do all other options (`--help`).

use lem_bench::Harness;
use lem_bench::bench::Count;

/// Sums a vector: memory in, one number out.
fn sum(values: &[f64]) -> f64 {
    std::hint::black_box(values).iter().sum()
}

fn main() {
    let mut harness = Harness::new();
    // Benches can be made in a loop: here one for each size, found out at run time.
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

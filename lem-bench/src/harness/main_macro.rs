//! `main!`: the whole `main` of a bench target.

/// The `main` of a bench target: finds the functions under [`#[energy_bench]`](crate::energy_bench) and does with them
/// what the command line asks for.
///
/// In a bench target (`[[bench]]` with `harness = false`) that is:
///
/// ```no_run
/// use lem_bench::prelude::*;
///
/// #[energy_bench]
/// fn sum(b: &mut Bencher) {
///     b.iter(|| drop(std::hint::black_box((0..1000_u64).sum::<u64>())));
/// }
///
/// lem_bench::main!();
/// ```
///
/// `cargo bench` measures. Without cargo's `--bench` (`cargo test --benches`, `cargo nextest run --benches`) each bench
/// runs once and nothing is measured. A binary that should measure however it is started calls
/// [`Harness::main`](crate::Harness::main) itself.
///
/// What else [`Harness`](crate::Harness) can do is said in a closure:
///
/// ```no_run
/// # use lem_bench::meter::Estimate;
/// lem_bench::main!(|harness| harness.meter("mine", |_| Ok::<_, String>(Estimate::default())));
/// ```
#[macro_export]
macro_rules! main {
    () => {
        $crate::main!(|harness| harness);
    };
    ($with:expr) => {
        fn main() {
            let with: fn($crate::Harness) -> $crate::Harness = $with;
            let harness = $crate::Harness::of_bench_target($crate::TargetInfo::new(
                ::core::option_env!("CARGO_CRATE_NAME"),
                ::core::option_env!("CARGO_PKG_NAME"),
                ::core::option_env!("CARGO_MANIFEST_DIR"),
                ::core::option_env!("CARGO_TARGET_TMPDIR"),
            ));
            with(harness).main()
        }
    };
}

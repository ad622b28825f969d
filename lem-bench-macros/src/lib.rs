//! The attribute `#[energy_bench]`. Depend on `lem-bench`, which exports it.

mod attribute;
mod axes;
mod calls;
mod duration;
mod errors;
mod expand;
mod options;
mod signature;

use proc_macro::TokenStream;

/// Registers a function as an energy bench.
///
/// The function takes a `&mut Bencher` or a `Bencher`, and one parameter per axis, and returns `()` or `Result<(), E>` with
/// a displayable error. All code before `iter…` of the bencher is setup and is not measured.
///
/// ```
/// use lem_bench::prelude::*;
///
/// /// Greedy decoding.
/// #[energy_bench(grid(batch = [1, 4], dtype = ["f32", "bf16"]), cycles = 10)]
/// fn decode(b: &mut Bencher, batch: usize, dtype: &str) -> Result<(), lem_bench::Error> {
///     # let _ = (b, batch, dtype);
///     Ok(())
/// }
/// # let cases = lem_bench::__private::registry::collect().unwrap();
/// # assert!(cases.iter().any(|case| case.id.ends_with("decode/batch=4/dtype=bf16")));
/// ```
///
/// # Options
///
/// | option | meaning |
/// |---|---|
/// | `name = "…"` | name in ids; default: the name of the function |
/// | `group = "…"` | prefix of the name: `llama/decode` |
/// | `args = […]` | one case per value of the only parameter |
/// | `grid(a = […], b = […])` | one case per combination of values; the last axis varies fastest |
/// | `filter = path` | a function with the same parameters except the bencher, which returns whether to keep the case |
/// | `cycles = N` | number of cycles, at least 2 |
/// | `windows = N` | number of windows per cycle, at least 1 |
/// | `gap = "500ms"` | length of the gap before each cycle, in `us`, `ms`, `s`, `m` or `h`; a number without a unit is in seconds |
/// | `tags = ["…"]` | tags of the bench |
/// | `ignore`, `ignore = "why"` | run the bench only with `--ignored` or `--include-ignored` |
/// | `isolate` | run the bench in its own process, so that a crash affects no other bench |
/// | `processes = N` | run the bench in N parallel processes, at least 2, each with `RANK`, `LOCAL_RANK`, `WORLD_SIZE` and its own GPU if available |
/// | `crate = path` | path of `lem_bench`, if it is renamed or re-exported |
///
/// # Ids
///
/// The id of a case is `group/path::name/axis=value`. The path is that of the module below the root of the bench target:
/// two modules `prefill` and `fused` can both contain a function `decode`, with the ids `prefill::decode` and
/// `fused::decode`, and a function at the root is `decode`. The path of a bench in a library crate begins with the name of
/// the crate: `kernels::fused::decode`. An id depends on no other bench, so adding a bench renames none; moving a function to
/// another module does. Results are kept by package, bench target and id.
///
/// # Where a bench can be
///
/// - In any module of a bench target, also behind `#[cfg(feature = "…")]`. If all benches of a target need a feature, set
///   `required-features` of the `[[bench]]`: a target without benches is an error.
/// - In a library crate that a bench target depends on. The linker drops crates that the target does not name: add
///   `use kernels as _;` to the target. The library depends on `lem-bench` as a normal dependency, possibly optional.
/// - Not in an `impl`, and not as a generic function: write one function per type, which calls the generic one.
///
/// ```
/// use lem_bench::prelude::*;
///
/// fn sum<T: std::iter::Sum<T> + From<u8>>(b: &mut Bencher) {
///     b.iter(|| drop(black_box((0..100).map(T::from).sum::<T>())));
/// }
///
/// #[energy_bench]
/// fn sum_u64(b: &mut Bencher) {
///     sum::<u64>(b);
/// }
///
/// #[energy_bench]
/// fn sum_f64(b: &mut Bencher) {
///     sum::<f64>(b);
/// }
/// # use std::hint::black_box;
/// ```
///
/// # Axes
///
/// Values of `args` and `grid` are any `IntoIterator`: an array, a range, a constant, a call. Items have the type of
/// the parameter or are references to it. A parameter can take its value by reference: `&str`, `&[T]` or `&T`. The name
/// of the axis is that of the parameter, and ids follow the order of the parameters. The type implements `Axis` or
/// `Debug`; with `Debug` only, the label is the `Debug` text, and `--axis` does not accept values.
#[proc_macro_attribute]
pub fn energy_bench(options: TokenStream, item: TokenStream) -> TokenStream {
    attribute::energy_bench(options.into(), item.into()).into()
}

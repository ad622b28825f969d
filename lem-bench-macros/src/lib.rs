//! `#[energy_bench]`: parse, expand, tokens; nothing else.
//!
//! Depend on `lem-bench`, which exports the attribute; what it expands to goes through that crate and changes with it.

mod attribute;
mod axes;
mod errors;
mod expand;
mod options;
mod signature;

use proc_macro::TokenStream;

/// Measures the energy of a function, once for each case, when the bench binary runs.
///
/// The function takes a `&mut Bencher`, then one parameter for each axis, and returns `()` or `Result<(), E>` of an
/// error that can be shown. Everything outside the bencher's `iter…` is set-up and is never inside a measured window.
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
/// # let cases = lem_bench::registry::collect().unwrap();
/// # assert!(cases.iter().any(|case| case.id == "decode/batch=4/dtype=bf16"));
/// ```
///
/// # Options
///
/// | option | meaning |
/// |---|---|
/// | `name = "…"` | what the bench is called in ids; the function's name otherwise |
/// | `group = "…"` | stands in front of the name: `llama/decode` |
/// | `args = […]` | one case for each value of the only parameter |
/// | `grid(a = […], b = […])` | one case for each combination of values, the last parameter varying fastest |
/// | `filter = path` | a function of the same parameters, without the bencher, that returns whether to keep the case |
/// | `cycles = N` | number of cycles, at least 2 |
/// | `windows = N` | number of windows in a cycle, at least 1 |
/// | `gap = "500ms"` | rest between two cycles, in `us`, `ms`, `s` or `min`; a bare number is seconds |
/// | `tags = ["…"]` | words to group benches by |
/// | `ignore`, `ignore = "why"` | leave the bench out unless it is asked for by `--ignored` or `--include-ignored` |
/// | `isolate` | measure the bench in a process of its own, so that a crash in it costs nothing else |
/// | `processes = N` | measure the bench by N processes side by side, at least 2, each with `RANK`, `LOCAL_RANK`, `WORLD_SIZE` and, where there are GPUs, one of its own |
/// | `crate = path` | where `lem_bench` is, if it is renamed or re-exported |
///
/// # Axes
///
/// Values of `args` and `grid` are anything that can be iterated: an array, a range, a constant, a call. They take
/// their type from the parameter, and may be references to it. A parameter may take its value by reference: `&str`,
/// `&[T]`, or `&T`. The axis is named after the parameter, and the ids follow the order of the parameters. The type
/// is an `Axis`, or is `Debug` (its `Debug` text is then the label, and `--axis` refuses it).
#[proc_macro_attribute]
pub fn energy_bench(options: TokenStream, item: TokenStream) -> TokenStream {
    attribute::energy_bench(options.into(), item.into()).into()
}

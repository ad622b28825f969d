//! `cargo bench` for energy: how many joules does a token cost, how sure are we, and did it change?
//!
//! Write functions under [`#[energy_bench]`](energy_bench) in a bench target with `harness = false`, end the file with
//! [`lem_bench::main!()`](main), and run `cargo bench`. Each case is measured by a fixed protocol: idle power, warm-up
//! until the machine is steady, then repeated cycles of idle time and load. Energy is measured in windows within the load.
//! The result is the energy per unit of work, a ratio of sums over all windows, with a confidence interval over cycles and
//! with findings about problems of the measurement.
//!
//! ```
//! # struct Llama;
//! # struct Device;
//! # impl Device { fn synchronize(&self) -> Result<(), std::io::Error> { Ok(()) } }
//! # impl Llama {
//! #     fn open(_dir: &str, _dtype: &str) -> Result<Self, std::io::Error> { Ok(Self) }
//! #     fn device(&self) -> Device { Device }
//! #     fn generate(&self, _prompt: &str, n: usize, mut on_step: impl FnMut(usize)) -> Result<(), std::io::Error> {
//! #         (0..n).for_each(|step| on_step(step));
//! #         Ok(())
//! #     }
//! # }
//! # fn model_dir() -> &'static str { "model" }
//! # fn prompts(batch: usize) -> Vec<String> { vec!["Why is the sky blue?".repeat(batch)] }
//! use lem_bench::prelude::*;
//!
//! /// Greedy decoding. Code before `iter…` is setup and is not measured.
//! #[energy_bench(grid(batch = [1, 4], dtype = ["f32", "bf16"]), cycles = 10)]
//! fn decode(b: &mut Bencher, batch: usize, dtype: &str) -> Result<(), lem_bench::Error> {
//!     let model = b.shared(("llama", dtype), || Llama::open(model_dir(), dtype))?; // opened once per process
//!     b.synchronize(|| model.device().synchronize()) // called before every window edge
//!         .iter_requests(prompts(batch), |prompt, request| {
//!             request.input_tokens(prompt.len());
//!             model.generate(prompt, 64, |_step| request.tokens(batch)) // records `batch` output tokens now
//!         });
//!     Ok(())
//! }
//!
//! # mod target { // a bench file ends with:
//! lem_bench::main!();
//! # }
//! ```
//!
//! [`EnergyMeter`] measures a single piece of code without the protocol. [`Harness`] adds benches without the attribute, in
//! any binary. Implement [`meter::Meter`] for a custom meter.

#[doc(hidden)]
pub mod __private;
mod analysis;
pub mod bench;
mod clock;
mod fs;
mod harness;
pub mod meter;
mod model;
mod plan;
pub mod prelude;
mod protocol;
mod registry;
mod report;
mod runner;
mod sampler;
mod sim;
mod stats;
mod store;
pub mod summary;
pub mod units;
mod workers;
#[cfg(feature = "candle")]
pub mod workload;

pub use bench::{Axis, Bencher, Error};
pub use harness::Harness;
#[doc(hidden)]
pub use harness::TargetInfo;
pub use lem_bench_macros::energy_bench;
pub use sampler::{EnergyMeter, MeasureError, Measured};

// The samples of the README are doctests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

//! Llama models on candle: a small embedded one, made once, and any Hugging Face folder, opened by the same code.
//!
//! ```no_run
//! use lem_bench::workload::candle::{Model, OpenOptions, model_dir, prompts};
//!
//! # fn main() -> Result<(), lem_bench::workload::candle::Error> {
//! let model = Model::open(&model_dir()?, OpenOptions::default())?;
//! let batches = prompts(&model, 8, 64, 1, 42)?;
//! let mut output_tokens = 0;
//! let generated = model.generate(&batches[0], 32, |produced| output_tokens += produced)?;
//! assert_eq!(generated.output_tokens(), output_tokens);
//! # Ok(())
//! # }
//! ```
//!
//! What is measured is candle's own `llama::Llama`, with what that implies: its KV cache grows by copying (a real part
//! of the cost of a decode step), attention is computed in f32 whatever the dtype, and sequences are batched statically
//! (a finished one still takes its share of every step).
//!
//! Greedy ids are the same over repetitions and thread counts within one dtype and device. They may differ between
//! dtypes, devices and versions of candle.
//!
//! Must not know benches, meters, windows or the command line.

mod checkpoint;
mod config;
mod describe;
mod draw;
mod embedded;
mod error;
mod generate;
mod hash;
mod home;
mod install;
mod layout;
mod model;
mod options;
mod prompts;
mod tokenizer;

pub use embedded::embedded;
pub use error::Error;
pub use generate::{GenerateOptions, Generated, InFlight};
pub use home::{HOME_VARIABLE, MODEL_VARIABLE, model_dir};
pub use model::Model;
pub use options::{Device, DeviceChoice, Dtype, OpenOptions};
pub use prompts::prompts;

//! Llama models on candle: a small embedded one, which is generated once, and any Hugging Face folder.
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
//! The measured implementation is candle's `llama::Llama`. Its KV cache grows by copying, which is a part of the cost
//! of a decode step. It computes attention in f32 for every dtype. Batches are static: a finished sequence is still
//! computed in every step.
//!
//! With one dtype and device, greedy decoding returns the same ids in every repetition and with any number of threads.
//! The ids may differ between dtypes, devices and versions of candle.

mod checkpoint;
mod config;
mod embedded;
mod encoder;
mod error;
mod generate;
mod home;
mod install;
mod json;
mod layout;
mod model;
mod options;
mod tokenizer;

pub use embedded::embedded;
pub use error::Error;
pub use generate::{GenerateOptions, Generated, InFlight, prompts};
pub use home::{HOME_VARIABLE, MODEL_VARIABLE, model_dir};
pub use model::Model;
pub use options::{Device, DeviceChoice, Dtype, OpenOptions};

//! Energy per token of a Llama: prefill, decode, and decode with several batch sizes and dtypes.
//!
//! Measures the embedded model, or the Hugging Face folder in `LEM_BENCH_MODEL`. With the embedded model on two slow
//! cores, a request takes about 50 to 150 ms.

use lem_bench::prelude::*;
use lem_bench::workload::candle::{Model, OpenOptions, model_dir, prompts};

/// Number of different prompts per case. They are used in seeded order.
const REQUESTS: usize = 64;
const SEED: u64 = 42;

fn open(dtype: &str) -> Result<Model, lem_bench::Error> {
    let options = OpenOptions { dtype: dtype.parse()?, ..OpenOptions::default() };
    Ok(Model::open(&model_dir()?, options)?)
}

/// Prefill of a prompt of 256 tokens, up to the first output token.
#[energy_bench]
fn prefill(b: &mut Bencher) -> Result<(), lem_bench::Error> {
    let model = b.shared(("llama", "auto"), || open("auto"))?;
    model.state_facts(b);
    let prompts = prompts(&model, REQUESTS, 256, 1, SEED)?;
    b.synchronize(|| model.synchronize()).iter_requests(prompts, |prompt, request| {
        request.input_tokens(256);
        model.prefill(prompt).map(|first| request.tokens(first.next().len()))
    });
    Ok(())
}

/// Decoding of 32 tokens after a short prompt, one request at a time, with the dtype of the model.
#[energy_bench]
fn decode(b: &mut Bencher) -> Result<(), lem_bench::Error> {
    let model = b.shared(("llama", "auto"), || open("auto"))?;
    model.state_facts(b);
    let prompts = prompts(&model, REQUESTS, 16, 1, SEED)?;
    b.synchronize(|| model.synchronize()).iter_requests(prompts, |prompt, request| {
        request.input_tokens(16);
        model.generate(prompt, 32, |produced| request.tokens(produced)).map(drop)
    });
    Ok(())
}

/// Decoding of 24 tokens for each of `batch` sequences, which share the reads of the weights.
#[energy_bench(grid(batch = [1, 4], dtype = ["f32", "bf16"]))]
fn decode_grid(b: &mut Bencher, batch: usize, dtype: &str) -> Result<(), lem_bench::Error> {
    let model = b.shared(("llama", dtype), || open(dtype))?;
    model.state_facts(b);
    let prompts = prompts(&model, REQUESTS, 16, batch, SEED)?;
    b.synchronize(|| model.synchronize()).iter_requests(prompts, |prompt, request| {
        request.input_tokens(16 * batch);
        model.generate(prompt, 24, |produced| request.tokens(produced)).map(drop)
    });
    Ok(())
}

lem_bench::main!();

//! Speed on this machine: figures for sizing the benches, not a test. Run by name:
//! `cargo test --release -p lem-bench --features candle --test candle -- --ignored --nocapture speed`.

use std::time::{Duration, Instant};

use lem_bench::workload::candle::{Dtype, Model, embedded, prompts};

use crate::support::{embedded_dir, on_cpu};

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64()
}

#[test]
#[ignore = "takes seconds and asserts nothing"]
fn speed_of_each_step() {
    let home = tempfile::tempdir().unwrap();
    let started = Instant::now();
    embedded(home.path()).unwrap();
    println!("making     {:?}", started.elapsed());
    let started = Instant::now();
    embedded(home.path()).unwrap();
    println!("checking   {:?}", started.elapsed());
    let started = Instant::now();
    let model = Model::open(&embedded_dir(), on_cpu(Dtype::F32)).unwrap();
    println!("opening    {:?}", started.elapsed());
    let started = Instant::now();
    prompts(&model, 10, 64, 4, 1).unwrap();
    println!("prompts    {:?}", started.elapsed());
    // The benches' requests.
    for (name, length, batch, tokens) in
        [("prefill", 256, 1, 1), ("decode", 16, 1, 32), ("decode_grid", 16, 1, 24), ("decode_grid", 16, 4, 24)]
    {
        let requests = prompts(&model, 15, length, batch, 1).unwrap();
        let times = requests.iter().map(|prompt| {
            let started = Instant::now();
            model.generate(prompt, tokens, |_| ()).unwrap();
            started.elapsed()
        });
        println!("{name} of {length} x {batch}, {tokens} new: {:.1} ms", median(times.collect()) * 1e3);
    }
    let models: Vec<_> =
        [Dtype::F32, Dtype::Bf16, Dtype::F16].map(|dtype| Model::open(&embedded_dir(), on_cpu(dtype)).unwrap()).into();
    let cases: Vec<_> = models.iter().flat_map(|model| [1, 4].map(|batch| (model, batch))).collect();
    let mut decode = vec![Vec::new(); cases.len()];
    let mut prefill = vec![Vec::new(); cases.len()];
    // Interleaved, so that drift affects all cases equally.
    for round in 0..9 {
        for (case, (model, batch)) in cases.iter().enumerate() {
            let prompt = &prompts(model, 1, 64, *batch, round).unwrap()[0];
            let started = Instant::now();
            let mut stamps = Vec::with_capacity(33);
            model.generate(prompt, 33, |_| stamps.push(started.elapsed())).unwrap();
            prefill[case].push(stamps[0]);
            decode[case].push(stamps[32].saturating_sub(stamps[0]));
        }
    }
    for ((model, batch), (decode, prefill)) in cases.iter().zip(decode.into_iter().zip(prefill)) {
        let (decode, prefill) = (median(decode), median(prefill));
        println!(
            "{:>4} batch {batch}: prefill of 64 {:6.1} ms ({:6.0} tokens/s), decode step {:5.2} ms ({:6.0} tokens/s)",
            model.dtype().to_string(),
            prefill * 1e3,
            64.0 * *batch as f64 / prefill,
            decode / 32.0 * 1e3,
            32.0 * *batch as f64 / decode,
        );
    }
}

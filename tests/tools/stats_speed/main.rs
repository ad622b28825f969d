//! Times the bootstraps. Prints one line of JSON per case, for `compare.py`, which compares them with numpy and numba.
//!
//! `cargo run --release --example stats_speed [MILLIONS OF SAMPLES]`

use lem_bench::__private::stats::{PooledSamples, RatioInput, Resampling, bootstrap_ratio, ratio_ci};
use rand::rngs::Xoshiro256PlusPlus;
use rand::{Rng, SeedableRng};
use std::hint::black_box;
use std::io::{self, Write};
use std::time::Instant;

const CYCLES: usize = 10;
const QUANTILES: [f64; 3] = [0.5, 0.95, 0.99];

fn main() -> io::Result<()> {
    let millions: usize = std::env::args().nth(1).and_then(|a| a.parse().ok()).unwrap_or(10);
    let mut out = io::stdout().lock();
    let energy: Vec<f64> = (0..CYCLES).map(|i| 70_000.0 + 500.0 * ((i * 7) % 10) as f64).collect();
    let tokens: Vec<f64> = (0..CYCLES).map(|i| 20_000.0 + 130.0 * ((i * 3) % 10) as f64).collect();
    let time: Vec<f64> = tokens.iter().map(|n| n / 82.0).collect();
    let input = RatioInput::new(&energy, &time, &tokens);
    for threads in [1, 2] {
        let resampling = Resampling { threads: Some(threads), ..Resampling::default() };
        let timing = best(300, || bootstrap_ratio(&input, &resampling));
        timing.write(&mut out, "ratio bootstrap", threads)?;
    }
    best(1_000, || ratio_ci(&input)).write(&mut out, "ratio_ci", 1)?;

    let cycles = intervals(millions * 1_000_000 / CYCLES);
    let cycles: Vec<&[u32]> = cycles.iter().map(Vec::as_slice).collect();
    for threads in [1, 2] {
        let resampling = Resampling { threads: Some(threads), ..Resampling::default() };
        best(3, || PooledSamples::new(&cycles, Some(threads))).write(&mut out, "pooled quantiles: prepare", threads)?;
        let Ok(pool) = PooledSamples::new(&cycles, Some(threads)) else { continue };
        let timing = best(3, || pool.bootstrap(&QUANTILES, 0.95, &resampling));
        timing.write(&mut out, "pooled quantiles: 10000 resamples", threads)?;
    }
    writeln!(out, r#"{{"case":"peak memory","MiB":{}}}"#, peak_mib().unwrap_or(f64::NAN))
}

/// Best times of a case, in seconds.
#[derive(Debug, Clone, Copy)]
struct Timing {
    wall: f64,
    /// CPU time of the calling thread only; on a busy machine the wall-clock time includes other processes.
    cpu: f64,
}

impl Timing {
    fn write(self, out: &mut impl Write, case: &str, threads: usize) -> io::Result<()> {
        let Self { wall, cpu } = self;
        writeln!(out, r#"{{"case":"{case}","threads":{threads},"wall":{wall},"cpu":{cpu}}}"#)
    }
}

/// Returns the shortest times of several runs.
fn best<T>(runs: usize, mut f: impl FnMut() -> T) -> Timing {
    (0..runs).fold(Timing { wall: f64::INFINITY, cpu: f64::INFINITY }, |best, _| {
        let (start, cpu) = (Instant::now(), thread_cpu_s());
        black_box(f());
        Timing { wall: best.wall.min(start.elapsed().as_secs_f64()), cpu: best.cpu.min(thread_cpu_s() - cpu) }
    })
}

/// Returns the CPU time of this thread in seconds; NaN where it is not available.
fn thread_cpu_s() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split_whitespace().next().and_then(|ns| ns.parse::<f64>().ok()).unwrap_or(f64::NAN) * 1e-9
}

/// Returns token intervals in nanoseconds, right-skewed around 12 ms, with small differences between cycles.
fn intervals(per_cycle: usize) -> Vec<Vec<u32>> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    let mut unit = move || (rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
    let mut cycle = |c: usize| {
        let level = 12e6 * (1.0 + 0.01 * ((c * 3) % 10) as f64 / 10.0);
        (0..per_cycle).map(|_| (level * (0.9 - 0.1 * (1.0 - unit()).ln() + 0.02 * unit())) as u32).collect()
    };
    (0..CYCLES).map(&mut cycle).collect()
}

fn peak_mib() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|l| l.starts_with("VmHWM"))?;
    line.split_whitespace().nth(1)?.parse::<f64>().ok().map(|kb| kb / 1024.0)
}

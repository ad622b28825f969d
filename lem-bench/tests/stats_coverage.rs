//! Intervals have their nominal coverage: the share of simulated runs whose interval contains the true value.

use lem_bench::__private::stats::{
    Idle, PooledSamples, RatioInput, Resampling, bootstrap_ratio, mean_ci, norm_ppf, ratio_ci,
};
use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};

/// Net energy per token of the simulated machine, J.
const THETA: f64 = 2.5;

/// Idle power, 60 % of the total power, W: 82 tokens per second at 2.5 J add 205 W to it.
const IDLE_W: f64 = 307.0;

/// A source of normal noise.
struct Noise(Xoshiro256PlusPlus);

impl Noise {
    fn new(seed: u64) -> Self {
        Self(Xoshiro256PlusPlus::seed_from_u64(seed))
    }

    fn z(&mut self) -> f64 {
        norm_ppf(self.0.random::<f64>().max(1e-12))
    }
}

/// Cycle sums with 1 % between cycles, and eight idle blocks with 1 % between them.
struct Run {
    energy: Vec<f64>,
    time: Vec<f64>,
    tokens: Vec<f64>,
    blocks: Vec<f64>,
}

impl Run {
    fn new(noise: &mut Noise, cycles: usize, idle_w: f64) -> Self {
        let tokens: Vec<f64> = (0..cycles).map(|_| 20_000.0 * (1.0 + 0.03 * noise.z())).collect();
        let time: Vec<f64> = tokens.iter().map(|n| n / 82.0 * (1.0 + 0.005 * noise.z())).collect();
        let energy = tokens.iter().zip(&time).map(|(n, t)| THETA * n * (1.0 + 0.01 * noise.z()) + idle_w * t);
        let energy = energy.collect();
        Self { energy, time, tokens, blocks: (0..8).map(|_| idle_w * (1.0 + 0.01 * noise.z())).collect() }
    }

    fn input(&self, net: bool) -> RatioInput<'_> {
        let idle = if net { Idle::Blocks(&self.blocks) } else { Idle::None };
        RatioInput { idle, ..RatioInput::new(&self.energy, &self.time, &self.tokens) }
    }
}

/// Returns the share of `runs` in which the interval contains `truth`.
fn covered(runs: u32, truth: f64, mut interval: impl FnMut() -> (f64, f64)) -> f64 {
    let hits: u32 = (0..runs).map(|_| interval()).map(|(low, high)| u32::from(low <= truth && truth <= high)).sum();
    f64::from(hits) / f64::from(runs)
}

fn quick() -> Resampling {
    Resampling { resamples: 999, seed: 1, threads: Some(1) }
}

#[test]
fn ratio_ci_gross_and_net() {
    for (cycles, idle_w) in [(5, 0.0), (8, 0.0), (12, 0.0), (5, IDLE_W), (8, IDLE_W), (12, IDLE_W)] {
        let mut noise = Noise::new(cycles as u64);
        let share = covered(2_000, THETA, || {
            let ci = ratio_ci(&Run::new(&mut noise, cycles, idle_w).input(idle_w > 0.0)).unwrap();
            (ci.low, ci.high)
        });
        println!("t, {cycles} cycles, idle {idle_w} W: {share}");
        // Binomial sd 0.5 %.
        assert!((0.932..0.972).contains(&share), "{cycles} cycles, idle {idle_w} W: {share}");
    }
}

#[test]
fn bootstrap_t_gross_and_net() {
    for (cycles, idle_w) in [(5, 0.0), (8, 0.0), (12, 0.0), (5, IDLE_W), (8, IDLE_W), (12, IDLE_W)] {
        let mut noise = Noise::new(100 + cycles as u64);
        let share = covered(600, THETA, || {
            let run = Run::new(&mut noise, cycles, idle_w);
            let ci = bootstrap_ratio(&run.input(idle_w > 0.0), &quick()).unwrap().headline();
            (ci.low, ci.high)
        });
        println!("bootstrap-t, {cycles} cycles, idle {idle_w} W: {share}");
        // Binomial sd 0.9 %.
        assert!((0.915..0.985).contains(&share), "{cycles} cycles, idle {idle_w} W: {share}");
    }
}

#[test]
fn mean_by_t_and_bootstrap() {
    let mut noise = Noise::new(5);
    let runs: Vec<Vec<f64>> = (0..600).map(|_| (0..8).map(|_| 300.0 + 4.0 * noise.z()).collect()).collect();
    let mut run = runs.iter();
    let by_t = covered(600, 300.0, || {
        let ci = mean_ci(run.next().unwrap(), 0.95).unwrap();
        (ci.low, ci.high)
    });
    let mut run = runs.iter();
    let by_bootstrap = covered(600, 300.0, || {
        let x = run.next().unwrap();
        let ones = vec![1.0; x.len()];
        let ci = bootstrap_ratio(&RatioInput::new(x, &ones, &ones), &quick()).unwrap().headline();
        (ci.low, ci.high)
    });
    println!("mean: t {by_t}, bootstrap-t {by_bootstrap}");
    assert!((0.92..0.98).contains(&by_t), "{by_t}");
    assert!((0.915..0.985).contains(&by_bootstrap), "{by_bootstrap}");
}

#[test]
fn pooled_quantiles() {
    // 30 % spread between requests and 2 % between cycles; the pooled samples are lognormal with both.
    let spread = (0.3_f64.powi(2) + 0.02_f64.powi(2)).sqrt();
    let designs =
        [(3, 17, 0.5), (5, 40, 0.5), (3, 67, 0.95), (5, 40, 0.95), (12, 200, 0.95), (3, 334, 0.99), (10, 100, 0.99)];
    for (cycles, per_cycle, q) in designs {
        let truth = (spread * norm_ppf(q)).exp();
        let mut noise = Noise::new(7 + cycles as u64);
        let share = covered(1_000, truth, || {
            let mut cycle = || {
                let level = 0.02 * noise.z();
                (0..per_cycle).map(|_| (level + 0.3 * noise.z()).exp()).collect()
            };
            let samples: Vec<Vec<f64>> = (0..cycles).map(|_| cycle()).collect();
            let slices: Vec<&[f64]> = samples.iter().map(Vec::as_slice).collect();
            let ci = PooledSamples::new(&slices, Some(1)).unwrap().interval(q, 0.95).unwrap();
            (ci.low, ci.high)
        });
        println!("quantile {q}, {cycles} cycles of {per_cycle}: {share}");
        // Binomial sd 0.8 %.
        assert!((0.905..0.98).contains(&share), "{cycles} cycles of {per_cycle}, q {q}: {share}");
    }
}

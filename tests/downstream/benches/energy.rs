use lem_bench::prelude::*;

#[energy_bench(args = [1000, 2000])]
fn sum(b: &mut Bencher, n: u64) { b.iter(|| { std::hint::black_box(downstream::sum(n)); }); }

lem_bench::main!();

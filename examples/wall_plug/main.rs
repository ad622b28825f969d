//! A custom meter: a smart plug that reports power and energy as JSON over HTTP, such as a Shelly.
//!
//! ```text
//! cargo run --release --example wall_plug -- --meter plug:192.168.1.7 --quick
//! cargo run --release --example wall_plug -- --meter plug:fake --quick    # a simulated plug
//! ```
//! In a bench target, use `lem_bench::main!(|harness| harness.meter("plug", plug::Plug::open));`. With
//! `meter = "plug:192.168.1.7"` in `lem-bench.toml`, `cargo bench` uses the plug.
//!
//! A plug measures the whole machine, including its power supply and all other programs. It updates about once per
//! second, so windows are long (20 s with `--quick`).

mod fake;
mod http;
mod plug;

use lem_bench::Harness;
use lem_bench::bench::Count;

fn main() {
    Harness::new()
        .meter("plug", plug::Plug::open)
        .bench("sort", |b| {
            let rows: Vec<u64> = (0..20_000).map(|n: u64| n.wrapping_mul(0x9E37_79B9_7F4A_7C15)).collect();
            b.iter(|| {
                let mut rows = rows.clone();
                rows.sort_unstable();
                std::hint::black_box(&rows);
                Count { unit: "rows", n: rows.len() as u64 }
            });
        })
        .main();
}

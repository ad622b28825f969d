//! A meter of one's own: a plug at the wall that tells its power in JSON over HTTP, as a Shelly does.
//!
//! ```text
//! cargo run --release --example wall_plug -- --meter plug:192.168.1.7 --quick
//! cargo run --release --example wall_plug -- --meter plug:fake --quick    # no plug at hand: one that is made up
//! ```
//! In a bench target the same is `lem_bench::main!(|harness| harness.meter("plug", plug::Plug::open));`, and
//! `meter = "plug:192.168.1.7"` in `lem-bench.toml` makes it the meter of `cargo bench`.
//!
//! A plug sees the whole machine, its power supply included, and tells it about once a second: windows are as long as
//! that asks for (20 s with `--quick`), and everything else that the machine does is in them too.

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

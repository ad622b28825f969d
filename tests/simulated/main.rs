//! Tests the whole harness and its comparisons on machines whose true energy is known, with the code of
//! `cargo run --release --example simulate`.

#[path = "../../examples/simulate/compare.rs"]
mod compare;
mod compared;
mod concurrent;
mod custom_metrics;
#[path = "../../examples/simulate/measure.rs"]
mod measure;
#[path = "../../examples/simulate/parallel.rs"]
mod parallel;
mod pulses;
#[path = "../../examples/simulate/report.rs"]
mod report;
mod single_runs;

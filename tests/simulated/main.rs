//! The whole harness and its comparisons against machines whose true energy is known, by the code that
//! `cargo run --release --example simulate` runs.

mod alone;
#[path = "../../examples/simulate/compare.rs"]
mod compare;
mod compared;
#[path = "../../examples/simulate/measure.rs"]
mod measure;
#[path = "../../examples/simulate/report.rs"]
mod report;
#[path = "../../examples/simulate/side_by_side.rs"]
mod side_by_side;

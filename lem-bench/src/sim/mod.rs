//! A simulated machine whose true energy is known: power, heat, requests, sensors and their faults, in virtual time.
//!
//! A [`Machine`] is built from a [`Scenario`]. It provides a meter, a virtual clock and a workload, which the rest of the
//! library uses like real ones. [`Machine::truth`] returns what a perfect meter would have measured, and [`truth`] the
//! long-run cost of a token.
//!
//! ```
//! use lem_bench::__private::sim::{Machine, Scenario, Seeds, Shape};
//! use lem_bench::__private::clock::Clock;
//!
//! let scenario = Scenario::from_json(r#"{"device": {"decode_w": 350}, "workload": {"output_tokens": 100}}"#)?;
//! let machine = Machine::new(&scenario, Seeds { run: 0, bench: 0 })?;
//! let mut workload = machine.workload();
//! workload.load_model();
//! let start = machine.clock().now();
//! let request = workload.next_request(Shape::Drawn);
//! workload.run(request, &mut |_step| {});
//! let energy = machine.truth(start, machine.clock().now());
//! assert!(energy.get() > 350.0 * 100.0 * 8e-3);
//! # Ok::<(), lem_bench::__private::sim::ScenarioError>(())
//! ```

mod coupled;
mod device;
mod heat;
mod history;
mod long_run;
mod machine;
mod meter;
mod noise;
mod relaxation;
mod scenario;
mod sensor;
mod state;
#[cfg(test)]
mod tests;
mod thermal;
mod truth;
mod workload;

pub use machine::Machine;
pub use scenario::{Scenario, ScenarioError};
#[cfg(test)]
pub use scenario::{Tokens, WarmupSpec};
pub use state::Seeds;
pub use truth::{Truth, truth};
pub use workload::{Shape, Step, Workload};

//! The API of bench bodies: the bencher, requests, units of work, and the driver that runs a body.

mod bencher;
mod driver;
mod error;
mod fixtures;
mod request;
mod values;
mod work;

pub use bencher::Inputs;
pub use bencher::{Bencher, ConfiguredBencher};
pub use driver::{Driver, InputChoice, Iteration, Step};
pub use error::{BodyResult, Error};
pub use fixtures::Fixtures;

pub use request::{Mark, PhaseGuard, PhaseMark, Request, Sequence};
pub use values::{Axis, AxisValue, CaseValues};
pub use work::{Count, IntoWork, Tally, Tokens, Work};

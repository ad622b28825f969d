//! The API of bench bodies: the bencher, requests, units of work, and the driver that runs a body.

mod bencher;
pub(crate) mod driver;
mod error;
mod request;
pub(crate) mod values;
mod work;

pub use bencher::{Bencher, ConfiguredBencher, Inputs};
pub(crate) use driver::{Driver, Fixtures, InputChoice, Iteration, Step};
pub use error::{BodyResult, Error};
pub(crate) use request::{Mark, PhaseMark};
pub use request::{PhaseGuard, Request, Sequence};
pub use values::Axis;
pub(crate) use values::{AxisValue, CaseValues};
pub use work::{Count, IntoWork, Tally, Tokens, Work};

//! What user code touches: the bencher, requests, units of work, and the driver through which a body asks what is next.
//!
//! Must not know files, the command line, meters or protocols.

mod axis;
mod bencher;
mod body_result;
mod case;
mod driver;
mod error;
mod fixtures;
mod inputs;
mod names;
mod request;
mod work;

pub use axis::Axis;
pub use bencher::{Bencher, ConfiguredBencher};
pub use body_result::BodyResult;
pub use case::{AxisValue, CaseValues};
pub use driver::{Driver, InputChoice, Iteration, Step};
pub use error::Error;
pub use fixtures::Fixtures;
pub use inputs::Inputs;
pub use request::{Mark, PhaseGuard, PhaseMark, Request, Sequence};
pub use work::{Count, IntoWork, Tally, Tokens, Work};

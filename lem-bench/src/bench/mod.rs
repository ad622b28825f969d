//! What user code touches: the bencher, requests, units of work, and the driver through which a body asks what is next.
//!
//! Must not know files, the command line, meters or protocols.

mod bencher;
mod driver;
mod fixtures;
mod inputs;
mod request;
mod work;

pub use bencher::{Bencher, Prepared};
pub use driver::{Choice, Driver, Iteration, Step};
pub use fixtures::Fixtures;
pub use inputs::Inputs;
pub use request::{Mark, PhaseGuard, PhaseMark, Request, Sequence};
pub use work::{Count, Outcome, Tally, Tokens, Work};

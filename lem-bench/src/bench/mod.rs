//! The API of bench bodies: the bencher, requests, units of work, and the driver that runs a body.

#[cfg(feature = "async")]
mod asynchronous;
mod bencher;
mod blocking;
mod builders;
mod concurrent;
pub(crate) mod driver;
mod edges;
mod error;
#[cfg(feature = "async")]
mod executor;
mod facts;
mod inputs;
mod load;
mod marks;
mod metrics;
mod request;
mod results;
mod sequential;
#[cfg(unix)]
mod service;
mod settings;
mod stock;
mod target;
mod threads;
pub(crate) mod values;
mod work;

pub use bencher::{Bencher, BencherByValue};
pub use builders::ConfiguredBencher;
pub use driver::Shareable;
pub(crate) use driver::{Driver, EdgeCalls, Fixtures, GaugeReading, InputChoice, Iteration, Run, Step};
pub use error::{BodyResult, Error};
#[cfg(feature = "async")]
pub use executor::AsyncExecutor;
pub use inputs::Inputs;
pub use load::Arrivals;
pub(crate) use marks::Mark;
pub(crate) use metrics::MetricMark;
pub use metrics::MetricValue;
pub(crate) use request::PhaseMark;
pub use request::{PhaseGuard, Request, Sequence, TokenCount};
#[cfg(unix)]
pub use service::{Service, ServiceBuilder};
#[cfg(feature = "async")]
pub use settings::Async;
pub use settings::{
    Execution, InputsFrom, MakeState, NoInputs, NoState, OneState, Sequential, StatePerRequest, StateSource, Threads,
};
#[doc(hidden)]
pub use target::Usage;
pub(crate) use threads::BODY_STACK_SIZE;
pub use values::Axis;
pub(crate) use values::{AxisValue, CaseValues};
pub use work::{Count, IntoWork, Tally, Tokens, Work};

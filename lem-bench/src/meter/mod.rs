//! Meters: readers of energy counters and gauges, one file per source.
//!
//! A meter says what it can read and reads it when asked. It must not know benches, windows, clocks or schedules: the
//! sampler decides when to read, and stamps what it got.

mod channel;

pub use channel::{Channel, Meter, Quantity, ReadError, Value};

//! Support for the expansion of `#[energy_bench]`. Not public API: it changes together with the macro.

mod arguments;
mod codec;

pub use arguments::{BenchReturn, ByRef, IntoArg, by_ref, by_value, finish};
pub use codec::{Codec, IntoCodec, Kind, Unlabelled, ViaAxis, ViaDebug, ViaNothing, axis};

pub use crate::bench::{Bencher, CaseValues};
pub use crate::registry::{AxisSpec, Entry};
pub use core::module_path;
pub use core::primitive::bool;
pub use inventory::submit;
pub use std::vec;
pub use std::vec::Vec;

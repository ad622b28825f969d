//! What `#[energy_bench]` expands to goes through here, so that the expansion needs no other name in scope.
//!
//! Not public API: it changes with the macro, whose version is always the library's.

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

//! Not public API: support for the expansion of `#[energy_bench]`, which changes together with the macro, and internals for
//! the tests of this repository.

mod arguments;
mod internals;

pub use core::primitive::bool;
pub use core::{module_path, option_env};
pub use inventory::submit;
pub use std::vec;
pub use std::vec::Vec;

pub use crate::bench::values::CaseValues;
pub use crate::bench::{Bencher, BencherByValue};
pub use crate::harness::is_crate_root;
pub use crate::registry::{AxisSpec, Entry};
pub use arguments::{
    BenchReturn, ByRef, Codec, IntoArg, IntoCodec, Kind, Unlabelled, ViaAxis, ViaDebug, ViaNothing, axis, by_ref,
    by_value, finish,
};
pub use internals::*;

//! Comparing results: where the sides come from, what is known beside them, and what is said and kept of it.

mod base;
mod course;
mod duel;
mod known;
mod said;

pub(super) use base::{baseline, saved_or_baseline};
pub(super) use course::{Prepared, conclude};
pub(super) use duel::{DuelBuild, DuelResult};
pub(super) use known::{Known, options};
pub(super) use said::{exit, tell};

//! `cargo lem doctor`: what can measure energy on this machine, what can't and why, and what a bench would take.

mod diagnosis;
mod examine;
mod rest;
mod text;

pub(super) use examine::doctor;

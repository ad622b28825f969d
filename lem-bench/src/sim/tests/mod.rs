//! The simulated machine as a whole, seen as its users see it.

mod cost;
mod energy;
mod faults;
mod keys;
mod randomness;
mod rig;
mod throttling;
mod truths;

//! Hostile input for everything that reads a file or another process: no panic, and memory within a bound.
//!
//! Every test run feeds a few inputs, `.ci/fuzz` a million.

mod feed;
mod readers;

//! Statistics: pure functions on slices (intervals, tests, quantiles, warm-up detection, multiple comparisons).
//!
//! Must not know benchmarks, energy, files or clocks.

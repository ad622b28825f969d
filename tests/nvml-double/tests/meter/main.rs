//! Tests lem-bench's NVML meter with the double.

#[cfg(test)]
mod gpus;
#[cfg(test)]
mod readings;
mod recorded;
#[cfg(test)]
mod support;

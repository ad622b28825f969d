//! Our real NVML code path against the double.

#[cfg(test)]
mod gpus;
#[cfg(test)]
mod readings;
mod recorded;
#[cfg(test)]
mod support;

//! Our real NVML code path against the double.

#[cfg(test)]
mod gpus;
#[cfg(test)]
mod readings;
#[cfg(test)]
mod support;

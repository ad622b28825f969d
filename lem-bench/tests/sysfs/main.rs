//! The meters that read sysfs, on trees of our own that change, wrap, vanish and lie.
#![cfg(target_os = "linux")]

#[cfg(test)]
mod alloc;
#[cfg(test)]
mod hwmon;
#[cfg(all(test, feature = "rapl"))]
mod perf;
#[cfg(all(test, feature = "rapl"))]
mod rapl;
#[cfg(test)]
mod tree;

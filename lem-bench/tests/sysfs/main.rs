//! Tests the meters that read sysfs on fake trees whose files change, wrap, disappear and contain invalid text.
#![cfg(target_os = "linux")]

#[cfg(test)]
mod alloc;
#[cfg(test)]
mod hwmon;
#[cfg(test)]
mod hwmon_faults;
#[cfg(all(test, feature = "rapl"))]
mod perf;
#[cfg(all(test, feature = "rapl"))]
mod rapl;
#[cfg(test)]
mod tree;

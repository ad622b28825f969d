//! Names of the facts in a run's environment. They are stored in journals and must not change.

use super::{DomainId, Fact};

/// The host's name.
pub const HOST: &str = "host";
/// The operating system and its version.
pub const OS: &str = "os";
/// The kernel's release.
pub const KERNEL: &str = "kernel";
/// The processor architecture; as a device fact, the GPU's.
pub const ARCHITECTURE: &str = "architecture";
/// The processor's model name.
pub const CPU_MODEL: &str = "cpu model";
/// The number of CPUs that the process may use.
pub const CPUS_FOR_PROCESS: &str = "cpus for this process";
/// The CPUs that are online.
pub const CPUS_ONLINE: &str = "cpus online";
/// The CPU quota of the process' control group.
pub const CPU_QUOTA: &str = "cpu quota";
/// The processor's frequency governors.
pub const CPU_GOVERNOR: &str = "cpu governor";
/// The size of main memory.
pub const MEMORY: &str = "memory";
/// The hypervisor, where there is one.
pub const VIRTUALISATION: &str = "virtualisation";
/// The container runtime, where there is one.
pub const CONTAINER: &str = "container";
/// The state of mains adapters and batteries.
pub const POWER_SUPPLY: &str = "power supply";
/// The load average at the start.
pub const LOAD_AVERAGE: &str = "load average";
/// The package of the bench target.
pub const PACKAGE: &str = "package";
/// The bench target's name.
pub const BENCH_TARGET: &str = "bench target";
/// The compiler that built the binary.
pub const RUSTC: &str = "rustc";
/// The target triple of the binary.
pub const TARGET_TRIPLE: &str = "target triple";
/// The optimisation level of the binary.
pub const BUILD: &str = "build";
/// Length and checksum of the binary.
pub const EXECUTABLE: &str = "executable";
/// The commit that was checked out.
pub const GIT_COMMIT: &str = "git commit";
/// The branch that was checked out.
pub const GIT_BRANCH: &str = "git branch";
/// The command line of the process.
pub const ARGUMENTS: &str = "arguments";
/// The version of the GPU driver.
pub const DRIVER: &str = "driver";

/// What the names of facts that the user states begin with (`--context model=…`).
pub const CONTEXT_PREFIX: &str = "context ";

/// A device's name.
pub const DEVICE_NAME: &str = "name";
/// A device's unique id.
pub const DEVICE_UUID: &str = "uuid";
/// A device's enforced power limit, in W.
pub const DEVICE_POWER_LIMIT: &str = "power limit W";
/// A device's default power limit, in W.
pub const DEVICE_DEFAULT_POWER_LIMIT: &str = "default power limit W";
/// Whether a device's error correction is enabled.
pub const DEVICE_ECC: &str = "ecc";
/// Whether a device is divided into MIG instances.
pub const DEVICE_MIG: &str = "mig";
/// The MIG instances that the process was given.
pub const DEVICE_MIG_INSTANCES: &str = "mig instances";
/// A device's highest SM clock, in MHz.
pub const DEVICE_MAX_SM_CLOCK: &str = "max sm clock MHz";
/// A device's highest memory clock, in MHz.
pub const DEVICE_MAX_MEMORY_CLOCK: &str = "max memory clock MHz";
/// The number of processes that use a device.
pub const DEVICE_COMPUTE_PROCESSES: &str = "compute processes";
/// The energy counter that is read of a device.
pub const DEVICE_ENERGY_COUNTER: &str = "energy counter";
/// The power sensor that is read of a device.
pub const DEVICE_POWER_SENSOR: &str = "power sensor";
/// What a device's energy covers where it is more than the process uses.
pub const DEVICE_ENERGY_COVERS: &str = "energy covers";

/// Returns the full name of a device fact: `gpu:0 uuid`.
pub fn of_device(device: &DomainId, name: &str) -> String {
    format!("{device} {name}")
}

/// Splits the name of a device fact: `gpu:0` and `uuid` of `gpu:0 uuid`. `None` for facts that are not about a device.
pub fn split_device(name: &str) -> Option<(&str, &str)> {
    name.split_once(' ').filter(|(device, _)| device.contains(':'))
}

/// Returns the value of the fact of this name.
pub fn find<'a>(facts: &'a [Fact], name: &str) -> Option<&'a str> {
    facts.iter().find(|fact| fact.name == name).map(|fact| fact.value.as_str())
}

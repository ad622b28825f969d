//! Memory in which benches stay set up: what is free of it now, and how much there is.
//!
//! Must not know benches, nor how much should stay free.

use std::path::Path;

/// A memory, in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Memory {
    /// Whose: `host`, or a device's domain such as `gpu:0`.
    pub name: String,
    /// What a process could still take of it.
    pub free: u64,
    /// All of it.
    pub total: u64,
}

/// The host's memory, or what a control group leaves of it; `None` where the platform does not tell.
pub(super) fn host() -> Option<Memory> {
    let whole = of_meminfo(&std::fs::read_to_string("/proc/meminfo").ok()?)?;
    let group = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let own = group.lines().find_map(|line| line.strip_prefix("0::/")).unwrap_or_default();
    let root = Path::new("/sys/fs/cgroup");
    // A group has what its parents leave it. Inside a container the path may be the host's, and then only the root is
    // there.
    let groups = Path::new(own).ancestors().filter_map(|path| of_group(&root.join(path)));
    groups.chain([whole]).min_by_key(|memory| memory.free)
}

fn of_meminfo(text: &str) -> Option<Memory> {
    let field = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        line.trim().strip_suffix(" kB")?.parse::<u64>().ok()?.checked_mul(1024)
    };
    Some(Memory { name: "host".to_owned(), free: field("MemAvailable")?, total: field("MemTotal")? })
}

/// What a control group (version 2) has; `None` where it has no limit.
fn of_group(folder: &Path) -> Option<Memory> {
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).ok();
    let total: u64 = read("memory.max")?.trim().parse().ok()?;
    let used: u64 = read("memory.current")?.trim().parse().ok()?;
    // The cache of files counts as used, and is given up when somebody needs the memory.
    let stat = read("memory.stat").unwrap_or_default();
    let cached = |name: &str| stat.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<u64>().ok());
    let cache = cached("inactive_file ").unwrap_or_default() + cached("active_file ").unwrap_or_default();
    Some(Memory { name: "host".to_owned(), free: total.saturating_sub(used.saturating_sub(cache)), total })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_says_is_read() {
        let text = "MemTotal:       16384 kB\nMemFree:         1024 kB\nMemAvailable:    8192 kB\n";
        assert_eq!(of_meminfo(text), Some(Memory { name: "host".to_owned(), free: 8 << 20, total: 16 << 20 }));
        assert_eq!(of_meminfo("MemTotal: 16384 kB\n"), None, "an old kernel does not tell what is available");
    }

    #[test]
    fn a_group_s_cache_is_as_good_as_free() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("memory.max", "max\n");
        write("memory.current", "700\n");
        assert_eq!(of_group(folder.path()), None, "no limit");
        write("memory.max", "1000\n");
        write("memory.stat", "anon 300\nactive_file 100\ninactive_file 300\n");
        assert_eq!(of_group(folder.path()), Some(Memory { name: "host".to_owned(), free: 700, total: 1000 }));
    }
}

//! The CPU quota of this process' control group, and how often it stopped the group.
//!
//! Source: `Documentation/admin-guide/cgroup-v2.rst` and `Documentation/scheduler/sched-bwc.rst` of the Linux kernel.

use std::path::{Path, PathBuf};

/// A CPU quota of a control group: the CPU time that all its processes together get in each period. When it is used up, they
/// are stopped until the next period.
#[derive(Debug, Clone, PartialEq)]
pub struct CpuQuota {
    /// The CPU time per time: 2.5 are two and a half CPUs.
    pub cpus: f64,
    stat: PathBuf,
}

/// Periods since the control group was created in which it used CPU time, and those in which it was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuotaPeriods {
    /// All periods.
    pub all: u64,
    /// Periods in which the quota was used up.
    pub throttled: u64,
}

impl CpuQuota {
    /// Returns the tightest quota of this process under `sys` (`/sys`); `None` without one.
    pub fn of_this_process(sys: &Path) -> Option<Self> {
        Self::find(&std::fs::read_to_string("/proc/self/cgroup").ok()?, &sys.join("fs/cgroup"))
    }

    /// Returns the tightest quota of the groups in `/proc/PID/cgroup` and of the groups around them.
    fn find(cgroups: &str, root: &Path) -> Option<Self> {
        let quotas =
            cgroups.lines().flat_map(|line| group_folders(line, root)).filter_map(|folder| Self::read(&folder));
        quotas.min_by(|a, b| a.cpus.total_cmp(&b.cpus))
    }

    fn read(folder: &Path) -> Option<Self> {
        let text = |file: &str| std::fs::read_to_string(folder.join(file)).ok();
        // Version 2 has one file, version 1 two.
        let limit = text("cpu.max")
            .or_else(|| Some(format!("{} {}", text("cpu.cfs_quota_us")?.trim(), text("cpu.cfs_period_us")?.trim())))?;
        let (quota, period) = limit.trim().split_once(' ')?;
        // Without a quota this is `max` or -1.
        let quota: u64 = quota.parse().ok()?;
        let period: u64 = period.parse().ok().filter(|period| *period > 0)?;
        Some(Self { cpus: quota as f64 / period as f64, stat: folder.join("cpu.stat") })
    }

    /// Returns the periods so far; `None` where they are not available.
    pub fn periods(&self) -> Option<QuotaPeriods> {
        let stat = std::fs::read_to_string(&self.stat).ok()?;
        let value = |key: &str| stat.lines().find_map(|line| line.strip_prefix(key)?.trim().parse().ok());
        Some(QuotaPeriods { all: value("nr_periods ")?, throttled: value("nr_throttled ")? })
    }
}

/// Returns the folders of the group that a line of `/proc/PID/cgroup` names, and of the groups around it.
fn group_folders(line: &str, root: &Path) -> Vec<PathBuf> {
    let mut fields = line.splitn(3, ':').skip(1);
    let (Some(controllers), Some(path)) = (fields.next(), fields.next()) else { return Vec::new() };
    let mounts = if controllers.is_empty() {
        vec![root.to_owned(), root.join("unified")]
    } else if controllers.split(',').any(|controller| controller == "cpu") {
        vec![root.join("cpu"), root.join(controllers)]
    } else {
        Vec::new()
    };
    // In a container, the path may be that on the host, while the mount begins at the container's own group.
    let path = Path::new(path.trim_start_matches('/'));
    let is_inside = path.components().all(|part| matches!(part, std::path::Component::Normal(_)));
    let groups: Vec<&Path> = if is_inside { path.ancestors().collect() } else { vec![Path::new("")] };
    mounts.iter().flat_map(|mount| groups.iter().map(|group| mount.join(group))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(root: &Path, file: &str, text: &str) {
        let path = root.join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    #[test]
    fn finds_tightest_quota_of_version_2() {
        let root = tempfile::tempdir().unwrap();
        write(root.path(), "kubepods/cpu.max", "150000 100000\n");
        write(root.path(), "kubepods/cpu.stat", "usage_usec 5\nnr_periods 300\nnr_throttled 120\nthrottled_usec 9\n");
        write(root.path(), "kubepods/pod1/cpu.max", "max 100000\n");
        let quota = CpuQuota::find("0::/kubepods/pod1\n", root.path()).unwrap();
        assert_eq!(quota.cpus, 1.5);
        assert_eq!(quota.periods(), Some(QuotaPeriods { all: 300, throttled: 120 }));
        write(root.path(), "kubepods/pod1/cpu.max", "50000 100000\n");
        let quota = CpuQuota::find("0::/kubepods/pod1\n", root.path()).unwrap();
        assert_eq!((quota.cpus, quota.periods()), (0.5, None));
    }

    #[test]
    fn finds_quota_of_version_1() {
        for mount in ["cpu", "cpu,cpuacct"] {
            let root = tempfile::tempdir().unwrap();
            write(root.path(), &format!("{mount}/cpu.cfs_quota_us"), "-1\n");
            write(root.path(), &format!("{mount}/cpu.cfs_period_us"), "100000\n");
            let cgroups = "5:memory:/a\n4:cpu,cpuacct:/docker/0123\n0::/\n";
            assert_eq!(CpuQuota::find(cgroups, root.path()), None);
            write(root.path(), &format!("{mount}/cpu.cfs_quota_us"), "200000\n");
            // The path on the host, which does not exist in the container.
            assert_eq!(CpuQuota::find(cgroups, root.path()).unwrap().cpus, 2.0);
        }
    }

    #[test]
    fn ignores_invalid_files_and_groups() {
        let root = tempfile::tempdir().unwrap();
        write(root.path(), "cpu.max", "100000 0\n");
        for cgroups in ["", "0::", "x", "0::/../..", "0::/a/b\n"] {
            assert_eq!(CpuQuota::find(cgroups, root.path()), None, "{cgroups:?}");
        }
        write(root.path(), "cpu.max", "100000\n");
        assert_eq!(CpuQuota::find("0::/", root.path()), None);
    }
}

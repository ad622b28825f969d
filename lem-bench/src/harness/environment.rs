//! Facts about the machine, the build and the process that are saved with every result. Unknown facts are left out, and
//! no process is started to find one.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::invocation::{Invocation, TargetInfo};
use crate::clock::CpuQuota;
use crate::model::{Fact, fact_names};

/// Variables that change how fast or where code runs.
const VARIABLES: [&str; 12] = [
    "RAYON_NUM_THREADS",
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "TOKENIZERS_PARALLELISM",
    "CUDA_VISIBLE_DEVICES",
    "CUDA_DEVICE_ORDER",
    "CUDA_LAUNCH_BLOCKING",
    "NVIDIA_TF32_OVERRIDE",
    "HIP_VISIBLE_DEVICES",
    "RUSTFLAGS",
    "MALLOC_ARENA_MAX",
];

/// Returns how this binary was built.
pub(super) fn build_facts(target: &TargetInfo) -> Vec<Fact> {
    let assertions = if cfg!(debug_assertions) { "debug assertions on" } else { "debug assertions off" };
    let build = match option_env!("LEM_BENCH_BUILD_OPT_LEVEL") {
        Some(level) => format!("opt-level {level}, {assertions}"),
        None => assertions.to_owned(),
    };
    known([
        (fact_names::PACKAGE, target.package.map(str::to_owned)),
        (fact_names::BENCH_TARGET, target.target.map(str::to_owned)),
        (fact_names::RUSTC, option_env!("LEM_BENCH_BUILD_RUSTC").map(str::to_owned)),
        (fact_names::TARGET_TRIPLE, option_env!("LEM_BENCH_BUILD_TARGET").map(str::to_owned)),
        (fact_names::BUILD, Some(build)),
        (fact_names::EXECUTABLE, executable()),
    ])
}

/// Returns what is known about the machine, the build and this process, and the facts of `--context`.
pub(super) fn facts(invocation: &Invocation) -> Vec<Fact> {
    let mut facts = known(machine_facts(&invocation.config().open.sysfs_root));
    facts.extend(build_facts(&invocation.target));
    facts.extend(known(commit_facts(&invocation.paths.cwd)));
    facts.extend(known([(fact_names::ARGUMENTS, Some(arguments()))]));
    facts.extend(environment_variables().into_iter().map(|(name, value)| Fact { name, value }));
    let context = invocation.config().context.iter();
    facts.extend(
        context.map(|(key, value)| Fact { name: format!("{}{key}", fact_names::CONTEXT_PREFIX), value: value.clone() }),
    );
    facts
}

/// Keeps the facts that have a value.
fn known<const N: usize>(facts: [(&'static str, Option<String>); N]) -> Vec<Fact> {
    let fact = |(name, value): (&'static str, Option<String>)| {
        let value = value?.trim().to_owned();
        (!value.is_empty()).then(|| Fact { name: name.to_owned(), value })
    };
    facts.into_iter().filter_map(fact).collect()
}

/// Reads facts about the machine from `/proc` and from sysfs at `sys`.
fn machine_facts(sys: &Path) -> [(&'static str, Option<String>); 14] {
    let cpuinfo = read("/proc/cpuinfo").unwrap_or_default();
    let cores = std::thread::available_parallelism().ok().map(|n| n.to_string());
    [
        (fact_names::HOST, read("/proc/sys/kernel/hostname")),
        (fact_names::OS, os()),
        (fact_names::KERNEL, read("/proc/sys/kernel/osrelease")),
        (fact_names::ARCHITECTURE, Some(std::env::consts::ARCH.to_owned())),
        (fact_names::CPU_MODEL, field(&cpuinfo, "model name")),
        (fact_names::CPUS_FOR_PROCESS, cores),
        (fact_names::CPUS_ONLINE, read(sys.join("devices/system/cpu/online"))),
        (fact_names::CPU_QUOTA, quota(sys)),
        (fact_names::CPU_GOVERNOR, governors(sys)),
        (fact_names::MEMORY, memory()),
        (fact_names::VIRTUALISATION, virtualisation(&cpuinfo, sys)),
        (fact_names::CONTAINER, container()),
        (fact_names::POWER_SUPPLY, power_supply(sys)),
        (fact_names::LOAD_AVERAGE, read("/proc/loadavg").and_then(|text| load_averages(&text))),
    ]
}

fn read(path: impl AsRef<Path>) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    Some(text.trim().trim_end_matches('\0').to_owned())
}

fn os() -> Option<String> {
    let pretty_name = read("/etc/os-release").and_then(|text| {
        let line = text.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
        Some(line.trim_matches('"').to_owned())
    });
    pretty_name.or_else(|| Some(std::env::consts::OS.to_owned()))
}

/// Returns the first value of a key in `/proc/cpuinfo` or `/proc/meminfo`.
fn field(text: &str, key: &str) -> Option<String> {
    text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        (name.trim() == key).then(|| value.trim().to_owned())
    })
}

fn memory() -> Option<String> {
    let kib: u64 = field(&read("/proc/meminfo")?, "MemTotal")?.split_whitespace().next()?.parse().ok()?;
    Some(format!("{:.1} GiB", kib as f64 / f64::from(1 << 20)))
}

fn quota(sys: &Path) -> Option<String> {
    let cpus = (CpuQuota::of_this_process(sys)?.cpus * 1e3).round() / 1e3;
    Some(format!("{cpus} CPUs (cgroup)"))
}

/// Lists the scaling governors in use.
fn governors(sys: &Path) -> Option<String> {
    let mut found = BTreeSet::new();
    for cpu in std::fs::read_dir(sys.join("devices/system/cpu")).ok()? {
        found.extend(read(cpu.ok()?.path().join("cpufreq/scaling_governor")));
    }
    (!found.is_empty()).then(|| found.into_iter().collect::<Vec<_>>().join(", "))
}

fn virtualisation(cpuinfo: &str, sys: &Path) -> Option<String> {
    let has_hypervisor =
        field(cpuinfo, "flags").is_some_and(|flags| flags.split_whitespace().any(|flag| flag == "hypervisor"));
    let kind = read(sys.join("hypervisor/type"));
    let product = || {
        let name = |file: &str| read(sys.join("class/dmi/id").join(file));
        let names: Vec<String> = [name("sys_vendor"), name("product_name")].into_iter().flatten().collect();
        (!names.is_empty()).then(|| names.join(" "))
    };
    match (has_hypervisor, kind) {
        (_, Some(kind)) => Some(kind),
        (true, None) => Some(product().unwrap_or_else(|| "a virtual machine".to_owned())),
        (false, None) => None,
    }
}

fn container() -> Option<String> {
    if let Some(kind) = std::env::var("container").ok().filter(|kind| !kind.is_empty()) {
        return Some(kind);
    }
    if std::env::var_os("KUBERNETES_SERVICE_HOST").is_some() {
        return Some("kubernetes".to_owned());
    }
    let files = [("/.dockerenv", "docker"), ("/run/.containerenv", "podman")];
    files.into_iter().find(|(file, _)| Path::new(file).exists()).map(|(_, kind)| kind.to_owned())
}

/// Describes mains and batteries.
fn power_supply(sys: &Path) -> Option<String> {
    let mut supplies = Vec::new();
    for supply in std::fs::read_dir(sys.join("class/power_supply")).ok()? {
        let folder = supply.ok()?.path();
        let name = folder.file_name()?.to_string_lossy().into_owned();
        match read(folder.join("type")).as_deref() {
            Some("Mains") => {
                let is_on = read(folder.join("online")).as_deref() == Some("1");
                supplies.push(format!("{name} {}", if is_on { "plugged in" } else { "unplugged" }));
            }
            Some("Battery") => supplies.extend(read(folder.join("status")).map(|status| format!("{name} {status}"))),
            _ => {}
        }
    }
    supplies.sort();
    (!supplies.is_empty()).then(|| supplies.join(", ").to_lowercase())
}

/// Returns the three averages of `/proc/loadavg`.
fn load_averages(text: &str) -> Option<String> {
    let averages: Vec<&str> = text.split_whitespace().take(3).collect();
    (averages.len() == 3).then(|| averages.join(" "))
}

/// Returns length and checksum of the running file. They tell two builds apart when nothing else does.
fn executable() -> Option<String> {
    use std::io::Read;

    let mut file = std::fs::File::open(std::env::current_exe().ok()?).ok()?;
    let (mut hasher, mut length) = (crc32fast::Hasher::new(), 0);
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer).ok()? {
            0 => return Some(format!("{length} bytes, crc32 {:08x}", hasher.finalize())),
            n => {
                hasher.update(&buffer[..n]);
                length += n;
            }
        }
    }
}

/// Returns the arguments of this process, quoted for a shell.
fn arguments() -> String {
    std::env::args().skip(1).map(|argument| quoted(&argument)).collect::<Vec<_>>().join(" ")
}

/// Returns the variables that change what a bench does, sorted by name.
fn environment_variables() -> Vec<(String, String)> {
    let mut variables: Vec<(String, String)> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.to_string_lossy().into_owned())))
        .filter(|(name, _)| VARIABLES.contains(&name.as_str()) || name.starts_with("CANDLE_"))
        .collect();
    variables.sort();
    variables
}

/// Quotes an argument for a shell, if necessary.
fn quoted(argument: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_=/.,:+%@".contains(c);
    if !argument.is_empty() && argument.chars().all(is_plain) {
        argument.to_owned()
    } else {
        format!("'{}'", argument.replace('\'', r"'\''"))
    }
}

/// Returns commit and branch of the repository that contains `folder`.
fn commit_facts(folder: &Path) -> [(&'static str, Option<String>); 2] {
    let head = folder.ancestors().find_map(repository).and_then(|git| head(&git)).unwrap_or_default();
    [(fact_names::GIT_COMMIT, head.commit), (fact_names::GIT_BRANCH, head.branch)]
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Head {
    commit: Option<String>,
    branch: Option<String>,
}

/// Returns the folder that contains `HEAD`, if `folder` is the root of a repository or a work tree.
fn repository(folder: &Path) -> Option<PathBuf> {
    let git = folder.join(".git");
    if git.is_dir() {
        return Some(git);
    }
    let link = std::fs::read_to_string(git).ok()?;
    Some(folder.join(link.trim().strip_prefix("gitdir:")?.trim()))
}

fn head(git: &Path) -> Option<Head> {
    let text = std::fs::read_to_string(git.join("HEAD")).ok()?;
    let Some(name) = text.trim().strip_prefix("ref:").map(str::trim) else {
        return Some(Head { commit: commit_hash(&text), branch: None });
    };
    // A work tree has its own `HEAD` and shares the rest.
    let common = std::fs::read_to_string(git.join("commondir")).ok().map(|common| git.join(common.trim()));
    let folders = [Some(git.to_path_buf()), common];
    let commit = folders.iter().flatten().find_map(|folder| reference(folder, name));
    Some(Head { commit, branch: name.strip_prefix("refs/heads/").map(str::to_owned) })
}

fn reference(git: &Path, name: &str) -> Option<String> {
    // The name comes from a file: it must not point outside the repository.
    if !name.starts_with("refs/") || name.split('/').any(|piece| piece == "..") {
        return None;
    }
    let loose = std::fs::read_to_string(git.join(name)).ok().and_then(|text| commit_hash(&text));
    loose.or_else(|| {
        let packed = std::fs::read_to_string(git.join("packed-refs")).ok()?;
        packed.lines().find_map(|line| line.strip_suffix(name)?.strip_suffix(' ').and_then(commit_hash))
    })
}

/// Returns the trimmed text, if it is a hash.
fn commit_hash(text: &str) -> Option<String> {
    let text = text.trim();
    (text.len() >= 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_and_empty_facts_are_left_out() {
        let facts = known([("a", Some(" x\n".to_owned())), ("b", None), ("c", Some(" ".to_owned()))]);
        assert_eq!(facts, [Fact { name: "a".to_owned(), value: "x".to_owned() }]);
    }

    #[test]
    fn reads_facts_from_sysfs() {
        let folder = tempfile::tempdir().unwrap();
        let sys = folder.path();
        for (file, text) in [
            ("devices/system/cpu/cpu0/cpufreq/scaling_governor", "powersave\n"),
            ("devices/system/cpu/cpu1/cpufreq/scaling_governor", "performance\n"),
            ("class/power_supply/AC/type", "Mains\n"),
            ("class/power_supply/AC/online", "0\n"),
            ("class/power_supply/BAT0/type", "Battery\n"),
            ("class/power_supply/BAT0/status", "Discharging\n"),
            ("class/dmi/id/sys_vendor", "QEMU\n"),
            ("fs/cgroup/cpu.max", "33333 100000\n"),
        ] {
            std::fs::create_dir_all(sys.join(file).parent().unwrap()).unwrap();
            std::fs::write(sys.join(file), text).unwrap();
        }
        assert_eq!(governors(sys).unwrap(), "performance, powersave");
        assert_eq!(power_supply(sys).unwrap(), "ac unplugged, bat0 discharging");
        #[cfg(target_os = "linux")]
        assert_eq!(quota(sys).unwrap(), "0.333 CPUs (cgroup)");
        assert_eq!(virtualisation("flags\t\t: fpu hypervisor lm\n", sys).unwrap(), "QEMU");
        assert_eq!(virtualisation("flags\t\t: fpu lm\n", sys), None);
        assert!(
            machine_facts(Path::new("/nonexistent"))
                .iter()
                .any(|(name, value)| *name == "architecture" && value.is_some())
        );
        assert_eq!(load_averages("0.10 0.20 0.30 1/2 3").unwrap(), "0.10 0.20 0.30");
    }

    #[test]
    fn arguments_are_quoted_for_a_shell() {
        assert_eq!(quoted("--cycles=3"), "--cycles=3");
        assert_eq!(quoted("two words"), "'two words'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }

    #[test]
    fn reads_loose_packed_and_detached_heads_and_work_trees() {
        let top = tempfile::tempdir().unwrap();
        let write = |file: &str, text: &str| {
            let path = top.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        let (first, second) = ("1".repeat(40), "2".repeat(40));
        let read = |folder: &str| {
            let facts = commit_facts(&top.path().join(folder));
            facts.into_iter().filter_map(|(_, value)| value).collect::<Vec<_>>().join(" ")
        };
        write("a/.git/HEAD", "ref: refs/heads/main\n");
        write("a/.git/packed-refs", &format!("# pack-refs with: peeled\n{first} refs/heads/main\n"));
        write("a/src/lib.rs", "");
        assert_eq!(read("a/src"), format!("{first} main"));
        write("a/.git/refs/heads/main", &format!("{second}\n"));
        assert_eq!(read("a"), format!("{second} main"));
        write("a/.git/worktrees/b/HEAD", "ref: refs/heads/topic/x\n");
        write("a/.git/worktrees/b/commondir", "../..\n");
        write("a/.git/refs/heads/topic/x", &format!("{first}\n"));
        write("b/.git", &format!("gitdir: {}\n", top.path().join("a/.git/worktrees/b").display()));
        assert_eq!(read("b"), format!("{first} topic/x"));
        write("c/.git/HEAD", &format!("{second}\n"));
        assert_eq!(read("c"), second);
        write("d/.git/HEAD", "ref: ../../secret\n");
        assert_eq!(read("d"), "");
    }
}

//! Problems of long runs: full disks, read-only folders, and jumps of the wall clock.
#![cfg(target_os = "linux")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use lem_bench::__private::store::read_run;
use serde_json::Value;

use crate::support::{fixture, paths_below, run};

fn simulated(home: &Path, args: &[&str]) -> Command {
    let scenario = concat!("sim:", env!("CARGO_MANIFEST_DIR"), "/tests/scenarios/without_heat.json");
    let mut command = fixture(&["--bench", "--meter", scenario, "--quick", "--nresamples", "100"]);
    command.args(args).env("LEM_BENCH_HOME", home);
    command
}

fn only_run(home: &Path) -> PathBuf {
    let mut runs: Vec<_> = std::fs::read_dir(home.join("runs")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(runs.len(), 1, "{runs:?}");
    runs.remove(0)
}

fn summary(run: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(run.join("summary.json")).unwrap()).unwrap()
}

/// A tmpfs that is unmounted on drop.
struct Disk(tempfile::TempDir);

impl Disk {
    /// Mounts a tmpfs. Prints a line and returns `None` if this user may not mount.
    #[expect(clippy::print_stdout, reason = "reports the skipped test")]
    fn mount(options: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(folder.path()).output();
        if mounted.is_ok_and(|output| output.status.success()) {
            return Some(Self(folder));
        }
        println!("skipped: this user may not mount a tmpfs");
        None
    }

    fn remount(&self, options: &str) {
        let mut mount = Command::new("mount");
        mount.args(["-o", &format!("remount,{options}")]).arg(self.0.path());
        assert!(mount.status().unwrap().success(), "{options}");
    }

    fn home(&self) -> PathBuf {
        self.0.path().join("home")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

/// Returns id, number of cycles and outcome of each bench.
fn counts(summary: &Value) -> Vec<(String, usize, String)> {
    let benches = summary["benches"].as_array().unwrap().iter();
    let count = |bench: &Value| {
        let outcome = bench["ended"]["outcome"].as_str().unwrap_or("none").to_owned();
        (bench["id"].as_str().unwrap().to_owned(), bench["cycles"].as_array().unwrap().len(), outcome)
    };
    benches.map(count).collect()
}

#[test]
fn resumes_after_full_disk() {
    let elsewhere = tempfile::tempdir().unwrap();
    let args = ["good", "--cycles", "12"];
    run(&mut simulated(elsewhere.path(), &args)).exits_with(0);
    let uninterrupted = only_run(elsewhere.path());
    let journal: u64 = ["journal-0.jsonl", "samples-0.bin"]
        .iter()
        .map(|name| std::fs::metadata(uninterrupted.join(name)).unwrap().len())
        .sum();
    // Space for about half of the run, in whole pages.
    let Some(disk) = Disk::mount(&format!("size={}k", journal / 2048 / 4 * 4)) else { return };
    let output = run(&mut simulated(&disk.home(), &args)).exits_with(1);
    let output = output.stderr_has(&["No space left on device", " measured before ", "free space there"]);
    let journals = read_run(&only_run(&disk.home())).unwrap();
    let kept = journals[0].records.clone();
    assert!(journals[0].damage.is_empty() && !journals[0].complete && kept.len() > 3, "{}", output.err);
    // The disk is still full: resuming must fail before measuring.
    let filler = disk.0.path().join("filler");
    let _ = std::fs::write(&filler, vec![0; journal as usize]);
    run(&mut simulated(&disk.home(), &[&args[..], &["--resume"]].concat()))
        .exits_with(1)
        .stderr_has(&["No space left"]);
    std::fs::remove_file(&filler).unwrap();
    disk.remount("size=64m");
    run(&mut simulated(&disk.home(), &[&args[..], &["--resume"]].concat())).exits_with(0).stderr_has(&["resuming run"]);
    let folder = only_run(&disk.home());
    let journals = read_run(&folder).unwrap();
    assert!(journals[0].damage.is_empty() && journals[0].complete);
    assert_eq!(journals[0].records[..kept.len()], kept);
    assert_eq!(counts(&summary(&folder)), counts(&summary(&uninterrupted)));
}

#[test]
fn detects_read_only_folder() {
    let Some(disk) = Disk::mount("size=1m") else { return };
    run(&mut simulated(&disk.home(), &["good/decode"])).exits_with(0);
    let before = paths_below(&disk.home());
    disk.remount("ro");
    for more in [&[][..], &["--resume"]] {
        let output = run(&mut simulated(&disk.home(), &[&["good"][..], more].concat())).exits_with(1);
        let output = output.stderr_has(&["Read-only file system", disk.home().to_str().unwrap(), "LEM_BENCH_HOME"]);
        assert_eq!(output.out, "", "the run has measured");
        assert!(!output.err.contains("good/decode:"), "{}", output.err);
    }
    assert_eq!(paths_below(&disk.home()), before);
}

/// A library for `LD_PRELOAD`: adds `JUMP_BY` seconds to the wall clock once `JUMP_FILE` exists.
const JUMP: &str = r#"
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *at) {
    int result = syscall(SYS_clock_gettime, clock, at);
    const char *file = getenv("JUMP_FILE"), *by = getenv("JUMP_BY");
    if (result == 0 && clock == CLOCK_REALTIME && file && by && access(file, F_OK) == 0) at->tv_sec += atol(by);
    return result;
}
"#;

#[test]
fn wall_clock_jump_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let (source, library) = (folder.path().join("jump.c"), folder.path().join("jump.so"));
    std::fs::write(&source, JUMP).unwrap();
    let built = Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(&source).output();
    if !built.is_ok_and(|output| output.status.success()) {
        println!("skipped: cc cannot build a shared library");
        return;
    }
    for by in ["3600", "-3600"] {
        let home = folder.path().join(format!("home{by}"));
        let file = folder.path().join(format!("now{by}"));
        let mut command = fixture(&["--bench", "--meter", "estimate", "--cycles", "60", "--min-window", "80ms"]);
        command.args(["--warm-up-time", "60ms", "--gap", "5ms", "--nresamples", "100", "good/decode"]);
        command.env("LEM_BENCH_HOME", &home).env("LEM_BENCH_LOCK_FILE", folder.path().join("lock"));
        command.env("LD_PRELOAD", &library).env("JUMP_FILE", &file).env("JUMP_BY", by);
        let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let cycles = || {
            let journal = std::fs::read(only_run(&home).join("journal-0.jsonl")).unwrap_or_default();
            String::from_utf8_lossy(&journal).lines().filter(|line| line.contains(r#""record":"cycle""#)).count()
        };
        let started = |home: &Path| std::fs::read_dir(home.join("runs")).is_ok_and(|runs| runs.count() == 1);
        let waited = (0..2400).any(|_| {
            std::thread::sleep(Duration::from_millis(25));
            started(&home) && cycles() >= 2
        });
        assert!(waited, "no two cycles within a minute");
        std::fs::write(&file, "").unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        let summary = summary(&only_run(&home));
        let bench = &summary["benches"][0];
        assert_eq!(bench["cycles"].as_array().unwrap().len(), 60);
        let findings = bench["findings"].as_array().unwrap();
        let jumped: Vec<&Value> = findings.iter().filter(|finding| finding["check"] == "wall_clock").collect();
        assert_eq!(jumped.len(), 1, "{findings:?}");
        // NTP may also adjust the clock a little between two cycles.
        let evidence = jumped[0]["evidence"].as_str().unwrap();
        let step: f64 = evidence.strip_prefix("a jump of ").unwrap().split(' ').next().unwrap().parse().unwrap();
        assert!((step - by.parse::<f64>().unwrap()).abs() < 1.0, "{evidence}");
        // Windows are timed by a monotonic clock, so that their length is unaffected.
        for cycle in bench["cycles"].as_array().unwrap() {
            let seconds = cycle["seconds"].as_f64().unwrap();
            assert!((0.07..60.0).contains(&seconds), "{cycle}");
        }
    }
}

//! CPU and board counters in a fake sysfs that wrap, disappear or become unreadable during a run.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::run::{Output, command, cycles, exits_with, finding, summary};
use crate::tree::{Tree, WATTS, zone};

const WIDE: u64 = 262_143_328_850;

fn start(home: &Path, args: &[&str]) -> std::process::Child {
    command(home, args).arg("--sysfs-root").arg(home).spawn().unwrap()
}

/// Waits until a run has recorded `n` cycles.
fn wait_for_cycles(home: &Path, n: usize) {
    let recorded = || {
        let run = std::fs::read_dir(home.join("home/runs")).ok()?.flatten().next()?;
        let journal = std::fs::read_to_string(run.path().join("journal-0.jsonl")).ok()?;
        Some(journal.matches(r#""record":"cycle""#).count())
    };
    let begin = Instant::now();
    while recorded().unwrap_or(0) < n && begin.elapsed() < Duration::from_secs(90) {
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[track_caller]
fn check_energies(home: &Path) {
    for window in cycles(home).iter().flat_map(|cycle| &cycle.windows) {
        let (joules, truth) = (window.energy[0].joules.get(), WATTS * window.seconds());
        // On a busy machine, the thread that writes the counter may be late.
        assert!((joules - truth).abs() < 0.06 * truth, "{joules} J instead of {truth} J");
    }
}

#[test]
fn unwraps_counter() {
    let tree = Tree::counting_to(50_000_000);
    let home = tree.home.path();
    exits_with(start(home, &["rest/1", "--meter=rapl", "--min-window=1500ms"]), 0);
    check_energies(home);
    let summary = summary(home);
    let bench = &summary["benches"][0];
    let wrapped = finding(bench, "counter_wrapped").unwrap_or_else(|| panic!("{bench}"));
    assert_eq!(wrapped["weight"], "note");
    assert!(finding(bench, "counter_reset").is_none(), "the wrap is reported as a reset: {bench}");
}

#[test]
fn unreadable_counter_is_reported() {
    let tree = Tree::counting_to(WIDE);
    let home = tree.home.path();
    let child = start(home, &["rest/1", "--meter=rapl", "--min-window=1500ms", "--cycles=3"]);
    wait_for_cycles(home, 1);
    // During the gap, ramp-in or window of the second cycle.
    std::thread::sleep(Duration::from_millis(900));
    tree.unreadable_for(Duration::from_millis(250));
    exits_with(child, 0);
    check_energies(home);
    let summary = summary(home);
    let failed = finding(&summary["benches"][0], "read_failed").unwrap_or_else(|| panic!("{summary}"));
    assert!(failed["evidence"].as_str().unwrap().contains("not a number"), "{failed}");
}

#[test]
fn removed_zone_keeps_cycles() {
    let tree = Tree::counting_to(WIDE);
    let home = tree.home.path();
    let child = start(home, &["rest/1", "--meter=rapl", "--min-window=1200ms", "--cycles=4"]);
    wait_for_cycles(home, 2);
    tree.remove();
    let output = exits_with(child, 4);
    assert!(output.err.contains("the device is lost"), "{}", output.err);
    let summary = summary(home);
    let bench = &summary["benches"][0];
    assert_eq!((&bench["ended"]["outcome"], &bench["status"]), (&"device_lost".into(), &"invalid".into()));
    assert!(bench["cycles"].as_array().unwrap().len() >= 2);
    check_energies(home);
}

/// Runs the fixture as an unprivileged user.
fn run_unprivileged(home: &Path, args: &[&str], code: i32) -> Output {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;
    // A copy, because other users may not be able to access the build folder.
    let binary = home.join("fixture");
    std::fs::copy(env!("CARGO_BIN_EXE_fixture-by-hand"), &binary).unwrap();
    std::fs::set_permissions(home, PermissionsExt::from_mode(0o777)).unwrap();
    let template = command(home, args);
    let mut unprivileged = std::process::Command::new(&binary);
    unprivileged.args(template.get_args()).arg("--sysfs-root").arg(home).current_dir(home);
    unprivileged.env("FIXTURE_HAS", "rests").env("LEM_BENCH_HOME", home.join("home"));
    unprivileged.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    if std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0) {
        unprivileged.uid(65534);
    }
    exits_with(unprivileged.spawn().unwrap(), code)
}

#[test]
fn denied_counters_have_remedy() {
    use std::os::unix::fs::PermissionsExt;
    let home = tempfile::tempdir().unwrap();
    let counter = zone(home.path(), "intel-rapl:0", "package-0", WIDE);
    std::fs::set_permissions(&counter, PermissionsExt::from_mode(0o400)).unwrap();
    if std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) != 0) {
        std::fs::set_permissions(&counter, PermissionsExt::from_mode(0o000)).unwrap();
    }
    let refused = run_unprivileged(home.path(), &["rest/1", "--meter=rapl"], 4);
    let lines: Vec<_> = refused.err.lines().filter(|line| line.contains("sudo chmod a+r")).collect();
    assert_eq!(lines.len(), 1, "{}", refused.err);
    assert!(lines[0].contains("the meter `rapl` is not available: no permission to read"), "{}", refused.err);
    // `--meter auto` uses the estimate, and reports this and the reason.
    let auto = run_unprivileged(home.path(), &["--dry-run", "--nvml-library=/nonexistent"], 0);
    for text in ["no energy sensor was found", "sudo chmod a+r", "W per busy core"] {
        assert!(auto.err.contains(text), "no {text:?} in {}", auto.err);
    }
}

#[test]
fn nested_domains_are_not_added() {
    let home = tempfile::tempdir().unwrap();
    let root = home.path();
    for (address, name) in [
        ("intel-rapl:0", "package-0"),
        ("intel-rapl:0:0", "core"),
        ("intel-rapl:0:1", "dram"),
        ("intel-rapl:1", "psys"),
    ] {
        zone(root, address, name, WIDE);
    }
    let plan = |args: &[&str]| exits_with(start(root, &[&["--dry-run", "--meter=rapl"], args].concat()), 0).out;
    assert!(plan(&[]).contains("; cpu:package-0 + cpu:dram-0)"), "{}", plan(&[]));
    assert!(plan(&["--domain=cpu:psys"]).contains("; cpu:psys)"));
    assert!(plan(&["--domain=cpu:core"]).contains("; cpu:core-0)"));
    for (named, outer, inner) in
        [("cpu:psys,cpu:core-0", "cpu:psys", "cpu:core-0"), ("cpu:core,cpu:package", "cpu:package-0", "cpu:core-0")]
    {
        let output = exits_with(start(root, &["--dry-run", "--meter=rapl", "--domain", named]), 2);
        assert!(output.err.contains(&format!("`{outer}` contains `{inner}`")), "{}", output.err);
    }
}

#[test]
fn reads_board_power_from_hwmon() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("class/hwmon/hwmon0");
    std::fs::create_dir_all(&folder).unwrap();
    for (file, text) in [("name", "xe"), ("power1_input", "75000000"), ("power1_label", "card")] {
        std::fs::write(folder.join(file), text).unwrap();
    }
    exits_with(start(home.path(), &["rest/1", "--meter=hwmon", "--min-window=1200ms"]), 0);
    let summary: Value = summary(home.path());
    assert_eq!(summary["run"]["headline"][0], "gpu:xe-0");
    let watts = summary["benches"][0]["metrics"]["mean_power_w"]["value"].as_f64().unwrap();
    assert!((watts - 75.0).abs() < 0.01, "{watts} W");
    // A gauge that never changes does not work.
    let stuck = finding(&summary["benches"][0], "gauge_stuck").unwrap_or_else(|| panic!("{summary}"));
    assert_eq!(stuck["weight"], "warning");
}

#[test]
fn duel_applies_calibration() {
    let tree = Tree::counting_to(WIDE);
    let home = tree.home.path();
    let calibration = home.join("calibration.toml");
    std::fs::write(
        &calibration,
        "reference = \"wall plug\"\ndate = \"2026-11-02\"\n[[device]]\ndomain = \"cpu:package-0\"\ngain = 1.25\n",
    )
    .unwrap();
    let binary = env!("CARGO_BIN_EXE_fixture-by-hand");
    let companion = Path::new(binary).with_file_name("cargo-lem");
    let template = command(home, &[]);
    let mut duel = std::process::Command::new(companion);
    for (name, value) in template.get_envs() {
        match value {
            Some(value) => duel.env(name, value),
            None => duel.env_remove(name),
        };
    }
    duel.args(["lem", "duel", "--base", binary, "--head", binary, "rest/1", "--pairs=2", "--meter=rapl", "--quick"]);
    duel.args(["--min-window=1200ms", "--gap=150ms", "--idle-time=300ms", "--warm-up-time=100ms", "--calibration"]);
    duel.arg(&calibration).arg("--sysfs-root").arg(home).arg("--lock-file").arg(home.join("lock"));
    let child = duel.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    let output = exits_with(child, 0);
    assert!(output.out.contains("rest/1 · "), "{}", output.out);
    let mut runs: Vec<_> = std::fs::read_dir(home.join("home/runs")).unwrap().map(|run| run.unwrap().path()).collect();
    runs.sort();
    assert_eq!(runs.len(), 2, "{runs:?}");
    for run in runs {
        let summary: Value = serde_json::from_slice(&std::fs::read(run.join("summary.json")).unwrap()).unwrap();
        let bench = &summary["benches"][0];
        assert_eq!(bench["cycles"].as_array().unwrap().len(), 2, "{bench}");
        let watts = bench["metrics"]["mean_power_w"]["value"].as_f64().unwrap();
        assert!((watts / (1.25 * WATTS) - 1.0).abs() < 0.06, "{watts} W");
    }
}

//! The built `cargo lem doctor` on fake sysfs trees with and without meters.
#![expect(clippy::unwrap_used, reason = "test helpers")]

use std::path::Path;
use std::process::Command;

/// Runs `cargo-lem` as cargo does, without GPUs and with `sys` as sysfs.
fn doctor(sys: &Path, args: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-lem"));
    command.args(args).env("LEM_BENCH_SYSFS_ROOT", sys).env("LEM_BENCH_NVML_LIBRARY", "/nonexistent/libnvidia-ml.so.1");
    command.env("LEM_BENCH_LOCK_FILE", sys.join("lock")).current_dir(sys);
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
}

#[cfg(feature = "rapl")]
fn write(sys: &Path, file: &str, text: &str) {
    let path = sys.join(file);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

#[test]
fn explains_missing_meters() {
    let sys = tempfile::tempdir().unwrap();
    let (code, out, err) = doctor(sys.path(), &["lem", "doctor"]);
    assert_eq!((code, &*err), (0, ""));
    for text in [
        "nvml      no   cannot load the driver's library",
        "→ install the NVIDIA driver",
        "rapl      no   no RAPL zone",
        "hwmon     no",
        "estimate  yes  headline: cpu:estimate",
        "\nauto uses estimate (cpu:estimate), an estimate and no measurement: no nvml: cannot load",
    ] {
        assert!(out.contains(text), "no {text:?} in\n{out}");
    }
}

#[cfg(feature = "rapl")]
#[test]
fn describes_counter_as_text_and_json() {
    let sys = tempfile::tempdir().unwrap();
    let zone = "class/powercap/intel-rapl:0";
    write(sys.path(), &format!("{zone}/name"), "package-0\n");
    write(sys.path(), &format!("{zone}/energy_uj"), "1000000\n");
    write(sys.path(), &format!("{zone}/max_energy_range_uj"), "262143328850\n");
    let (code, out, _) = doctor(sys.path(), &["doctor"]);
    assert_eq!(code, 0);
    assert!(out.contains("rapl      yes  headline: cpu:package-0"), "{out}");
    assert!(out.contains("energy counter: no update during the probe"), "{out}");
    assert!(out.contains("\nauto uses rapl (cpu:package-0): no nvml: cannot load the driver's library"), "{out}");
    let (code, json, _) = doctor(sys.path(), &["lem", "doctor", "--json"]);
    assert_eq!(code, 0);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["auto"]["meter"], &json["auto"]["origin"]), (&"rapl".into(), &"measured".into()));
    let rapl = json["meters"].as_array().unwrap().iter().find(|meter| meter["name"] == "rapl").unwrap();
    assert_eq!((&rapl["ready"], &rapl["domains"][0]["id"]), (&true.into(), &"cpu:package-0".into()));
    assert_eq!(rapl["probe"]["channels"][0]["updates"], 0);
}

#[test]
fn does_not_probe_during_measurement() {
    let sys = tempfile::tempdir().unwrap();
    let lock = lem_bench::__private::store::MachineLock::acquire(
        &sys.path().join("lock"),
        lem_bench::__private::store::WaitPolicy::NoWait,
        |_| {},
    );
    let _lock = lock.unwrap();
    let started = std::time::Instant::now();
    let (code, out, _) = doctor(sys.path(), &["doctor"]);
    assert_eq!(code, 0);
    assert!(out.contains("The sensors were not probed") && out.contains(&std::process::id().to_string()), "{out}");
    assert!(started.elapsed().as_secs_f64() < 1.0, "the sensors were probed");
}

#[test]
fn lists_and_prunes_runs() {
    use lem_bench::__private::store::{Home, RunDir, RunId};

    let folder = tempfile::tempdir().unwrap();
    let home = Home::at(folder.path().join("home"));
    let run = |second| RunDir::create_new(&home, RunId::at(second, 0xa1)).unwrap();
    let [old, new] = [run(1_500_000_000), run(1_600_000_000)];
    std::fs::write(old.path().join("summary.json"), vec![b' '; 1_500_000]).unwrap();
    std::fs::create_dir_all(home.path().join("baselines/main")).unwrap();
    let lem = |args: &[&str]| {
        let home = ["--output-dir", home.path().to_str().unwrap()];
        doctor(folder.path(), &[&["lem"], args, &home].concat())
    };
    let (code, out, err) = lem(&["runs"]);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("1.5 MB") && out.contains(old.id().as_str()) && out.contains(new.id().as_str()), "{out}");
    assert!(err.contains("2 runs, 1.5 MB in "), "{err}");
    assert_eq!(lem(&["prune"]).0, 2, "what to keep must be given");
    let (code, out, err) = lem(&["prune", "--keep", "0"]);
    assert_eq!((code, out.lines().count()), (0, 2), "{err}");
    assert!(err.contains("would remove 2 runs, 1.5 MB; add --yes to remove them"), "{err}");
    assert_eq!(lem(&["prune", "--older-than", "1d", "--yes"]).1, "", "both folders are from today");
    assert!(old.path().exists() && new.path().exists());
    let (code, _, err) = lem(&["prune", "--keep", "0", "--yes"]);
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("removed 2 runs, 1.5 MB from "), "{err}");
    assert!(!old.path().exists() && !new.path().exists() && home.path().join("baselines/main").exists());
}

#[test]
fn unreadable_entries_are_warnings() {
    use lem_bench::__private::store::{Home, RunDir, RunId};

    let folder = tempfile::tempdir().unwrap();
    let home = Home::at(folder.path().join("home"));
    let runs = [1, 2].map(|n| RunDir::create_new(&home, RunId::at(1_500_000_000, n)).unwrap());
    let file = home.runs().join("2017-07-14T02-40-00Z-0003");
    std::fs::write(&file, "not a folder").unwrap();
    std::fs::create_dir(home.path().join("latest")).unwrap();
    let lem = |args: &[&str]| {
        let home = ["--output-dir", home.path().to_str().unwrap()];
        doctor(folder.path(), &[&["lem"], args, &home].concat())
    };
    let (code, out, err) = lem(&["runs"]);
    assert_eq!((code, out.lines().count()), (0, 2), "{err}");
    for reason in ["0003 is not a folder", "latest is a folder"] {
        assert!(err.contains(reason), "{err}");
    }
    let (code, _, err) = lem(&["prune", "--keep", "0", "--yes"]);
    assert_eq!((code, err.contains("removed 1 run, ")), (0, true), "{err}");
    assert!(file.exists() && runs.iter().filter(|run| run.path().exists()).count() == 1, "the latest run is kept");
}

#[test]
fn usage_errors_exit_with_2() {
    let sys = tempfile::tempdir().unwrap();
    let (code, out, err) = doctor(sys.path(), &["lem", "docter"]);
    assert_eq!((code, &*out), (2, ""));
    assert!(err.contains("doctor"), "{err}");
    assert_eq!(doctor(sys.path(), &["doctor", "--watts-per-core", "none"]).0, 2);
    assert_eq!(doctor(sys.path(), &["lem"]).0, 2);
}

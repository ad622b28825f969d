//! Simulated devices: results, lost devices, and calibration.

use serde_json::Value;

use crate::support::{bench_of, fixture, run, summary};

#[test]
fn simulation_is_fast_and_repeatable() {
    let home = tempfile::tempdir().unwrap();
    let sim = ["--bench", "--meter", "sim:tests/scenarios/plain.json", "good/decode", "--quick"];
    let started = std::time::Instant::now();
    let once = || {
        let home = tempfile::tempdir().unwrap();
        run(fixture(&sim).env("LEM_BENCH_HOME", home.path().join("home"))).exits_with(0);
        let summary = summary(home.path());
        bench_of(&summary, "good/decode")["metrics"]["j_per_output_token"]["value"].as_f64().unwrap()
    };
    let (first, second) = (once(), once());
    assert!(started.elapsed().as_secs() < 20, "simulated time must not take real time");
    assert_eq!(first.to_bits(), second.to_bits(), "same seed, different result");
    let mut command = fixture(&sim);
    let output = run(command.args(["--seed", "2"]).env("LEM_BENCH_HOME", home.path().join("home"))).exits_with(0);
    assert!(output.out.contains("all energies below are simulated"), "{}", output.out);
    let summary = summary(home.path());
    assert_eq!(bench_of(&summary, "good/decode")["source"]["origin"], "simulated");
    let other = bench_of(&summary, "good/decode")["metrics"]["j_per_output_token"]["value"].as_f64().unwrap();
    assert_ne!(first.to_bits(), other.to_bits());
}

#[test]
fn lost_device_keeps_cycles() {
    let home = tempfile::tempdir().unwrap();
    let scenario = home.path().join("lost.json");
    std::fs::write(&scenario, r#"{"device": {}, "faults": [{"at_s": 30.0, "kind": "device_lost"}]}"#).unwrap();
    let mut command = fixture(&["--bench", "good", "--quick", "--meter"]);
    command.arg(format!("sim:{}", scenario.display())).env("LEM_BENCH_HOME", home.path().join("home"));
    run(&mut command).exits_with(4).stderr_has(&[
        "the device is lost",
        "the device is still lost",
        "4 remaining benches are measured without it",
    ]);
    let summary = summary(home.path());
    let benches = summary["benches"].as_array().unwrap();
    assert_eq!(benches.len(), 5, "some benches did not run");
    let (lost, next) = (&benches[0], &benches[1]);
    assert_eq!((&lost["ended"]["outcome"], &lost["status"]), (&"device_lost".into(), &"invalid".into()));
    let kept = lost["cycles"].as_array().unwrap();
    assert!((1..5).contains(&kept.len()), "{} cycles", kept.len());
    assert!(kept.iter().all(|cycle| cycle["energy_j"].as_f64().is_some_and(|joules| joules > 0.0)));
    assert_eq!((&next["ended"]["outcome"], &next["status"]), (&"completed".into(), &"invalid".into()));
    assert_eq!(next["cycles"].as_array().unwrap().len(), 3);
    assert!(next["metrics"]["output_tokens_per_s"]["value"].as_f64().unwrap() > 0.0, "throughput is missing");
    assert!(next["metrics"]["j_per_output_token"]["value"].is_null(), "energy must be missing");
    let found = |bench: &Value, check: &str| bench["findings"].as_array().unwrap().iter().any(|f| f["check"] == check);
    assert!(found(lost, "device_lost") && found(next, "energy_missing"));
}

#[test]
fn calibration_is_applied_and_recorded() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("card.toml");
    let text = "reference = \"wall meter\"\ndate = \"2026-11-02\"\n[[device]]\ndomain = \"gpu:0\"\ngain = 1.1\n";
    std::fs::write(&file, text).unwrap();
    let figures = |more: &[&str]| {
        let home = tempfile::tempdir().unwrap();
        let mut command = fixture(&["--bench", "good/decode", "--quick", "--meter", "sim:tests/scenarios/plain.json"]);
        let output = run(command.args(more).env("LEM_BENCH_HOME", home.path().join("home"))).exits_with(0);
        let summary = summary(home.path());
        let bench = bench_of(&summary, "good/decode").clone();
        (bench["metrics"]["j_per_output_token"]["value"].as_f64().unwrap(), bench, summary, output)
    };
    let (plain, ..) = figures(&[]);
    let path = file.to_string_lossy().into_owned();
    let (corrected, bench, summary, output) = figures(&["--calibration", &path]);
    assert!((corrected / plain - 1.1).abs() < 1e-9, "{plain} and {corrected}");
    assert_eq!(summary["run"]["calibration"]["reference"], "wall meter");
    assert!(bench["findings"].as_array().unwrap().iter().any(|finding| finding["check"] == "calibrated"));
    assert!(output.out.contains("· calibrated"), "{}", output.out);
    std::fs::write(&file, text.replace("gpu:0", "gpu:9")).unwrap();
    let mut wrong = fixture(&["--bench", "good/decode", "--meter", "sim:tests/scenarios/plain.json"]);
    wrong.args(["--calibration", &path]).env("LEM_BENCH_HOME", home.path().join("home"));
    run(&mut wrong).exits_with(2).stderr_has(&["no device has the domain `gpu:9`", "gpu:0"]);
}

#[test]
fn returned_device_measures_next_bench() {
    let home = tempfile::tempdir().unwrap();
    let scenario = home.path().join("back.json");
    let text = r#"{"device": {}, "faults": [{"at_s": 30.0, "kind": "device_lost", "for_s": 0.1}]}"#;
    std::fs::write(&scenario, text).unwrap();
    let mut command = fixture(&["--bench", "good", "--quick", "--meter"]);
    command.arg(format!("sim:{}", scenario.display())).env("LEM_BENCH_HOME", home.path().join("home"));
    run(&mut command).exits_with(4).stderr_has(&["the device is lost", "the meter was opened again"]);
    let summary = summary(home.path());
    let statuses: Vec<_> = summary["benches"].as_array().unwrap().iter().map(|bench| bench["status"].clone()).collect();
    assert_eq!(statuses[0], "invalid");
    assert!(statuses[1..].iter().all(|status| status != "invalid"), "{statuses:?}");
}

#[test]
fn lost_side_domain_is_a_warning() {
    let home = tempfile::tempdir().unwrap();
    let scenario = home.path().join("zone.json");
    let text = r#"{"devices": [{"id": "gpu:0"}, {"id": "cpu:package-0", "idle_w": 20}],
        "faults": [{"at_s": 30.0, "kind": "device_lost", "device": "cpu:package-0"}]}"#;
    std::fs::write(&scenario, text).unwrap();
    let mut command = fixture(&["--bench", "good/decode", "--quick", "--domain", "gpu:0", "--meter"]);
    command.arg(format!("sim:{}", scenario.display())).env("LEM_BENCH_HOME", home.path().join("home"));
    run(&mut command).exits_with(0);
    let summary = summary(home.path());
    let bench = bench_of(&summary, "good/decode");
    assert_eq!((&bench["ended"]["outcome"], bench["cycles"].as_array().unwrap().len()), (&"completed".into(), 5));
    let lost = bench["findings"].as_array().unwrap().iter().find(|finding| finding["check"] == "domain_lost");
    let lost = lost.unwrap_or_else(|| panic!("{bench}"));
    assert!(lost["weight"] == "warning" && lost["evidence"].as_str().unwrap().contains("cpu:package-0"), "{lost}");
}

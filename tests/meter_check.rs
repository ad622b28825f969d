//! The `meter_check` example, on the NVML double and a fake sysfs.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "test helpers")]

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

/// Returns the path of a file that cargo built, relative to the profile's folder.
fn built(file: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let path = test.parent().unwrap().parent().unwrap().join(file);
    assert!(path.is_file(), "{} is missing: run `cargo test` without target options", path.display());
    path
}

/// Runs the example against `machine`, with a fake CPU; returns its report and its record.
fn check(folder: &Path, machine: &Value, seconds: &str) -> (Vec<Value>, Vec<Value>) {
    let zone = folder.join("sys/class/powercap/intel-rapl:0");
    std::fs::create_dir_all(&zone).unwrap();
    for (name, text) in [("name", "package-0"), ("energy_uj", "1000"), ("max_energy_range_uj", "262143328850")] {
        std::fs::write(zone.join(name), text).unwrap();
    }
    std::fs::copy(built("deps/libnvml_double.so"), folder.join("libnvidia-ml.so.1")).unwrap();
    std::fs::write(folder.join("machine.json"), machine.to_string()).unwrap();
    let output = Command::new(built("examples/meter_check"))
        .args(["--json", "--seconds", seconds, "--load", "sleep 0.4", "--settle", "0.1", "--record"])
        .arg(folder.join("record.json"))
        .env("LD_LIBRARY_PATH", folder)
        .env("LEM_NVML_DOUBLE", folder.join("machine.json"))
        .env("LEM_BENCH_SYSFS_ROOT", folder.join("sys"))
        .env_remove("CUDA_VISIBLE_DEVICES")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let record = std::fs::read_to_string(folder.join("record.json")).unwrap();
    (serde_json::from_slice(&output.stdout).unwrap(), serde_json::from_str(&record).unwrap())
}

/// Returns a value of the report for a channel at a polling interval.
fn sensor(meter: &Value, every_ms: u64, channel: &str, key: &str) -> Option<f64> {
    let density = meter["densities"].as_array()?.iter().find(|it| it["polled_every_ms"] == every_ms)?;
    density["sensors"].as_array()?.iter().find(|it| it["channel"] == channel)?[key].as_f64()
}

#[test]
fn describes_gpu_and_replays_record() {
    let power = json!({"steps": [[0, 300], [0.31, 100]], "repeat_s": 0.62});
    let counter = json!({"period_s": 0.05, "mode": "exact"});
    let sensor_of = json!({"period_s": 0.05, "window_s": 0.05});
    let device = json!({"name": "Card", "uuid": "GPU-secret", "power_w": power, "counter": counter,
                        "power_sensor": sensor_of});
    let folder = tempfile::TempDir::new().unwrap();
    let (report, record) = check(folder.path(), &json!({"devices": [device]}), "0.4");
    let names: Vec<_> = report.iter().map(|meter| meter["meter"].as_str().unwrap()).collect();
    assert_eq!(names, ["nvml", "rapl", "hwmon", "estimate"]);
    let nvml = &report[0];
    // 8 ticks in 0.4 s, each detected to 1 ms: the median is within 5 ms.
    let period = sensor(nvml, 1, "gpu:0 Energy", "period_ms").unwrap();
    assert!((period - 50.0).abs() < 5.0, "{period} ms");
    let difference = nvml["agreement"][0]["difference_percent"].as_f64().unwrap();
    assert!(difference.abs() < 25.0, "the counter and the gauge differ by {difference} %");
    assert_eq!(nvml["costs"].as_array().unwrap().len(), 8);
    assert_eq!(report[1]["origin"], "measured");
    assert!(report[2]["why"].as_str().unwrap().contains("no energy or power sensor"), "{}", report[2]);
    assert_eq!(report[3]["origin"], "estimated");

    for run in nvml["runs"].as_array().unwrap() {
        let number = |key: &str| run[key].as_f64().unwrap();
        // 200 W on average. In 0.4 s of a period of 0.62 s, the mean may be anywhere between the two levels.
        let watts = number("mean_w");
        assert!((90.0..310.0).contains(&watts) && number("seconds") >= 0.4, "{run}");
        assert!(number("low_j") <= number("joules") && number("joules") <= number("high_j"), "{run}");
        let uncertainty = number("uncertainty_j");
        assert!(uncertainty > 0.0 && uncertainty < number("high_j") - number("low_j"), "{run}");
    }
    assert_eq!(nvml["runs"].as_array().unwrap().len(), 3);
    assert_eq!(nvml["under_load"]["costs"].as_array().unwrap().len(), 8);
    let states: Vec<_> =
        record.iter().map(|it| (it["meter"].as_str().unwrap(), it["state"].as_str().unwrap())).collect();
    let expected = [("nvml", "as found"), ("nvml", "under load"), ("rapl", "as found"), ("rapl", "under load")];
    assert_eq!(states, expected, "the estimate must not be recorded");
    assert!(!record[0].to_string().contains("GPU-secret"), "the record has a serial number");
    let description: nvml_double::Description = serde_json::from_value(record[0]["double"].clone()).unwrap();
    let replayed = description.devices[0].power_w.integral(0.0, 0.5) / 0.5;
    assert!((100.0..=300.0).contains(&replayed), "{replayed} W");
    let again = tempfile::TempDir::new().unwrap();
    let (report, _) = check(again.path(), &record[0]["double"], "0.05");
    assert!(report[0]["facts"].as_array().unwrap().contains(&json!(["gpu:0 name", "Card"])));
}

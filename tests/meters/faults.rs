//! Machines whose sensors do not measure what they seem to. Their descriptions are in `tests/machines`.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::double::Machine;
use crate::run::{Output, command, exits_with, finding, summary};
use crate::tree::zone;

/// Returns the folder of a machine's sysfs.
fn machine(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/machines").join(name)
}

/// Runs the fixture on a machine's sysfs, without NVIDIA GPUs.
fn run(name: &str, args: &[&str], code: i32) -> Output {
    let home = tempfile::tempdir().unwrap();
    run_in(home.path(), &machine(name), args, code)
}

fn run_in(home: &Path, sysfs: &Path, args: &[&str], code: i32) -> Output {
    let mut command = command(home, args);
    command.arg("--nvml-library=/nonexistent").arg("--sysfs-root").arg(sysfs);
    exits_with(command.spawn().unwrap(), code)
}

#[test]
fn card_without_sensor_is_left_out() {
    let machine = Machine::described("card_without_sensor.json", 2);
    let output = exits_with(machine.start(&["rest/1", "--min-window=1200ms"], &[]), 0);
    let warning = "gpu:0 (NVIDIA GeForce RTX 4060) has neither an energy counter nor a power sensor";
    assert_eq!(output.err.matches(&format!("warning: {warning}")).count(), 1, "{}", output.err);
    let (warned, begun) = (output.err.find(warning), output.err.find("rest/1"));
    assert!(warned < begun, "the warning comes before the first bench: {}", output.err);
    let summary = summary(machine.home.path());
    assert_eq!(summary["run"]["headline"], serde_json::json!(["gpu:1"]));
    assert!(summary["run"]["notes"].to_string().contains(warning), "{}", summary["run"]["notes"]);
    assert_ne!(summary["benches"][0]["status"], "invalid", "{}", summary["benches"][0]["findings"]);
    assert_eq!(machine.check_energies(), 2);
}

#[test]
fn next_meter_replaces_cards_without_sensor() {
    let machine = Machine::described("card_without_sensor.json", 1);
    zone(machine.home.path(), "intel-rapl:0", "package-0", 262_143_328_850);
    let plan = exits_with(machine.start(&["--dry-run"], &[]), 0);
    assert!(plan.out.contains("by rapl (measured; cpu:package-0)"), "{}", plan.out);
    assert!(plan.err.contains("note: nvml: gpu:0 (NVIDIA GeForce RTX 4060) has neither"), "{}", plan.err);
    let refused = exits_with(machine.start(&["rest/1", "--meter=nvml"], &[]), 4);
    assert!(refused.err.contains("the meter `nvml` is not available: gpu:0 (NVIDIA"), "{}", refused.err);
}

#[test]
fn two_kinds_of_cards_are_one_environment() {
    let machine = Machine::described("two_kinds_of_cards.json", 2);
    exits_with(machine.start(&["rest/1", "--min-window=1200ms"], &[]), 0);
    let summary = summary(machine.home.path());
    assert_eq!(summary["run"]["headline"], serde_json::json!(["gpu:0", "gpu:1"]));
    let findings: Vec<&Value> = summary["findings"].as_array().unwrap().iter().collect();
    assert!(findings.iter().all(|finding| finding["check"] != "mixed_environment"), "{findings:?}");
    assert!(finding(&summary["benches"][0], "mixed_environment").is_none());
}

#[test]
fn full_battery_is_not_the_machine() {
    let plan = run("laptop", &["--dry-run"], 0);
    assert!(plan.out.contains("by estimate (estimated, not measured"), "{}", plan.out);
    assert!(plan.err.contains("note: hwmon: machine:bat0 cannot be measured"), "{}", plan.err);
    let refused = run("laptop", &["rest/1", "--meter=hwmon"], 4);
    assert!(refused.err.contains("whether the battery is discharging is unknown"), "{}", refused.err);
}

#[test]
fn sentinel_is_not_a_power() {
    let refused = run("power_meter", &["rest/1", "--meter=hwmon"], 4);
    assert!(refused.err.contains("4294967.3 W is impossible"), "{}", refused.err);
    let plan = run("power_meter", &["--dry-run"], 0);
    assert!(plan.out.contains("by estimate"), "{}", plan.out);
    assert!(plan.err.contains("note: hwmon: board:power_meter-0 cannot be measured"), "{}", plan.err);
}

#[test]
fn unknown_rails_are_measured_by_name() {
    let refused = run("jetson_orin", &["rest/1", "--meter=hwmon"], 2);
    assert!(refused.err.contains("choose with --domain among board:ina3221-0/vdd_gpu_soc"), "{}", refused.err);
    let plan = run("jetson_orin", &["--dry-run", "--meter=hwmon", "--domain=board:ina3221-0/vin_sys_5v0"], 0);
    assert!(plan.out.contains("by hwmon (measured; board:ina3221-0/vin_sys_5v0)"), "{}", plan.out);
    let plan = run("twin_rails", &["--dry-run", "--meter=hwmon", "--domain=board"], 0);
    assert!(plan.out.contains("; board:ltc2992-0/vdd-1 + board:ltc2992-0/vdd-2)"), "{}", plan.out);
}

#[test]
fn cpu_quota_is_a_fact_and_a_warning() {
    let home = tempfile::tempdir().unwrap();
    let group = home.path().join("fs/cgroup");
    std::fs::create_dir_all(&group).unwrap();
    std::fs::write(group.join("cpu.max"), "150000 100000\n").unwrap();
    let write = |periods: u64| {
        let stat = format!("usage_usec 1\nnr_periods {periods}\nnr_throttled {}\nthrottled_usec 5\n", periods / 2);
        std::fs::write(group.join("new"), stat).unwrap();
        std::fs::rename(group.join("new"), group.join("cpu.stat")).unwrap();
    };
    write(1000);
    let mut command = command(home.path(), &["rest/1", "--meter=estimate", "--min-window=500ms"]);
    let mut child = command.arg("--sysfs-root").arg(home.path()).spawn().unwrap();
    for periods in 1001.. {
        std::thread::sleep(std::time::Duration::from_millis(50));
        write(periods);
        if child.try_wait().unwrap().is_some() {
            break;
        }
    }
    exits_with(child, 0);
    let summary = summary(home.path());
    let facts = summary["run"]["environment"].as_array().unwrap();
    let quota = facts.iter().find(|fact| fact["name"] == "cpu quota").unwrap_or_else(|| panic!("{summary}"));
    assert_eq!(quota["value"], "1.5 CPUs (cgroup)");
    let stopped = finding(&summary["benches"][0], "cpu_quota").unwrap_or_else(|| panic!("{summary}"));
    assert_eq!(stopped["weight"], "warning");
    assert!(stopped["evidence"].as_str().unwrap().contains("used up its 1.5 CPUs"), "{stopped}");
}

#[test]
fn zero_energy_is_invalid() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("class/hwmon/hwmon0");
    std::fs::create_dir_all(&folder).unwrap();
    for (file, text) in [("name", "ltc2992"), ("power1_input", "0")] {
        std::fs::write(folder.join(file), text).unwrap();
    }
    let args = ["rest/1", "--meter=hwmon", "--domain=board:ltc2992-0", "--min-window=1200ms"];
    run_in(home.path(), home.path(), &args, 4);
    let summary = summary(home.path());
    let bench = &summary["benches"][0];
    assert_eq!(bench["status"], "invalid");
    let impossible = finding(bench, "power_implausible").unwrap_or_else(|| panic!("{bench}"));
    assert!(impossible["evidence"].as_str().unwrap().contains("a mean power of 0.0 W"), "{impossible}");
}

//! The `wall_plug` example, which has a user-defined meter, with its simulated plug.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "test helpers")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

// The parsers of the plug's answers, for hostile inputs.
#[path = "../examples/wall_plug/fake.rs"]
mod fake;
#[path = "../examples/wall_plug/http.rs"]
mod http;
#[expect(dead_code, reason = "only the parser is used here")]
#[path = "../examples/wall_plug/plug.rs"]
mod plug;

/// Returns the path of the example, which cargo builds with this test.
fn example() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let path = test.parent().unwrap().parent().unwrap().join("examples/wall_plug");
    assert!(path.is_file(), "{} is missing: run `cargo test` without target options", path.display());
    path
}

fn call(home: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(example());
    command.args(args).arg("--lock-file").arg(home.join("lock")).env("LEM_BENCH_HOME", home.join("home"));
    command.env_remove("NEXTEST_RUN_ID").output().unwrap()
}

#[track_caller]
fn exits_with(output: &Output, code: i32) -> String {
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{text}{}", String::from_utf8_lossy(&output.stdout));
    text
}

const SHORT: [&str; 9] = [
    "--quick",
    "--cycles=2",
    "--gap=200ms",
    "--idle-time=600ms",
    "--warm-up-time=100ms",
    "--min-window",
    "1s",
    "-q",
    "--format=json",
];

#[test]
fn energy_matches_simulated_plug() {
    let home = tempfile::tempdir().unwrap();
    let output = call(home.path(), &[&["--meter", "plug:fake:10"], &SHORT[..], &["--min-window=3s"]].concat());
    exits_with(&output, 0);
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(summary["run"]["headline"][0], "wall");
    let bench = &summary["benches"][0];
    assert_eq!(bench["source"]["meter"], "plug");
    assert_eq!((&bench["source"]["method"], &bench["source"]["origin"]), (&"counter".into(), &"simulated".into()));
    for cycle in bench["cycles"].as_array().unwrap() {
        let number = |value: &Value| value.as_f64().unwrap();
        let (joules, seconds) = (number(&cycle["energy_j"]), number(&cycle["seconds"]));
        // 40 W at rest and 15 W per busy core, with one worker and one sampler thread. A count is 3.6 J.
        let (min, max) = (40.0 * seconds - 3.6, (40.0 + 1.2 * 15.0) * seconds + 3.6);
        assert!((min..=max).contains(&joules), "{joules} J in {seconds} s");
        let (low, high) = (number(&cycle["sensor_j"][0]), number(&cycle["sensor_j"][1]));
        // The coverage of a plug is unknown. The bounds include the scatter of its power, and one update and one count
        // at each edge: they are wider than a count and narrower than 80 % of the energy.
        assert!(low <= joules && joules <= high, "{low} to {high} J");
        assert!(high - low > 3.6 && high - low < 0.8 * joules, "{low} to {high} J of {joules} J");
        // The uncertainty is a fraction of the bounds; the rounding of two counts alone is 3.6/√6 J.
        let causes =
            ["edges_j", "idle_split_j", "resolution_j", "sampling_j"].map(|cause| number(&cycle["uncertainty"][cause]));
        let uncertainty = causes.iter().map(|joules| joules * joules).sum::<f64>().sqrt();
        assert!((causes[2] - 3.6 / 6.0_f64.sqrt()).abs() < 1e-3, "{causes:?}");
        assert!(uncertainty < (high - low) / 2.0, "{causes:?} J, {low} to {high} J");
        // The integrated power of the same plug.
        let other = number(&cycle["cross_check_j"]);
        assert!((other - joules).abs() < 8.0, "{other} J from the power, {joules} J from the counter");
    }
}

#[test]
fn one_hertz_sensor_has_long_windows() {
    let home = tempfile::tempdir().unwrap();
    let output = call(home.path(), &["--meter=plug:fake", "--quick", "--dry-run"]);
    exits_with(&output, 0);
    let plan = String::from_utf8_lossy(&output.stdout).into_owned();
    let seconds = plan.split(" cycles × ").nth(1).and_then(|rest| rest.split(" s").next()?.parse::<f64>().ok());
    assert!(seconds.is_some_and(|s| (19.0..=21.0).contains(&s)), "{plan}");
}

#[test]
fn rejects_windows_of_five_updates() {
    let home = tempfile::tempdir().unwrap();
    let output = call(home.path(), &[&["--meter=plug:fake:10"], &SHORT[..], &["--min-window=500ms"]].concat());
    exits_with(&output, 4);
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    let findings = summary["benches"][0]["findings"].as_array().unwrap();
    let short = findings.iter().find(|finding| finding["check"] == "window_short").unwrap();
    assert_eq!(short["weight"], "invalid");
}

#[test]
fn opens_meter_only_to_measure() {
    let home = tempfile::tempdir().unwrap();
    exits_with(&call(home.path(), &["--meter=plug:127.0.0.1:1", "--test"]), 0);
    exits_with(&call(home.path(), &["--meter=plug:127.0.0.1:1", "--list"]), 0);
    let gone = exits_with(&call(home.path(), &["--meter=plug:127.0.0.1:1"]), 4);
    assert!(gone.contains("the meter `plug:127.0.0.1:1` is not available: the plug at 127.0.0.1:1 does not"), "{gone}");
    let nameless = exits_with(&call(home.path(), &["--meter=plug"]), 4);
    assert!(nameless.contains("the address is missing"), "{nameless}");
    let unknown = exits_with(&call(home.path(), &["--meter=plog", "--list"]), 2);
    assert!(unknown.contains("invalid value `plog` for `meter`") && unknown.contains("sim:FILE, plug"), "{unknown}");
    let help = call(home.path(), &["--help"]);
    assert!(String::from_utf8_lossy(&help.stdout).contains("--meter plug"));
}

/// Parses `inputs` mutated answers of a plug.
fn parse_hostile_answers(inputs: u64) {
    const WORDS: [&str; 12] = [
        "1e999",
        "-1",
        "null",
        "{",
        "[[[[",
        "\"",
        "18446744073709551616",
        "NaN",
        "\r\n\r\n",
        "\u{feff}",
        "\\ud800",
        "200",
    ];
    let good = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"id\":0, \"apower\":51.3, \
                \"aenergy\":{\"total\":8210.417,\"minute_ts\":1795442733}}";
    let mut random = 1_u64;
    let mut below = |n: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) as usize % n.max(1)
    };
    let mut read = 0;
    for _ in 0..inputs {
        let mut bytes = good.as_bytes().to_vec();
        for _ in 0..=below(4) {
            let at = below(bytes.len());
            match below(5) {
                0 if at < bytes.len() => bytes[at] ^= 1 << below(8),
                1 => bytes.truncate(at),
                2 => drop(bytes.splice(at..at, WORDS[below(WORDS.len())].bytes())),
                3 => drop(bytes.drain(at..(at + below(30)).min(bytes.len()))),
                _ => drop(bytes.splice(at..at, "[".repeat(below(300)).into_bytes())),
            }
        }
        if let Ok(body) = http::body(&String::from_utf8_lossy(&bytes)) {
            read += u64::from(plug::Status::of(body).is_ok());
        }
    }
    assert!((inputs / 100..inputs).contains(&read), "{read} of {inputs} were parsed");
}

#[test]
fn hostile_answers_do_not_panic() {
    parse_hostile_answers(2000);
}

#[test]
#[ignore = "slow, run by .ci/fuzz"]
fn many_hostile_answers_do_not_panic() {
    parse_hostile_answers(100_000);
}

//! Services and other processes of a bench: their energy, their failures, and that they end with the bench.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{Output, bench, bench_of, metric, run, summary};

/// Measures `served`, and returns its result with the number of cores that its children used by their own account.
#[track_caller]
fn measured(how: &str, args: &[&str]) -> (Value, f64) {
    let home = tempfile::tempdir().unwrap();
    let mut command = bench(home.path(), &["--exact", "served", "--min-window", "1s"]);
    let output = run(command.args(args).env("FIXTURE_SERVICE", how)).exits_with(0);
    let cores = output.err.split("children used ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    (bench_of(&summary(home.path()), "served").clone(), cores)
}

/// Returns the evidence of the finding about CPU time that is not counted.
fn uncounted(bench: &Value) -> Option<String> {
    let findings = bench["findings"].as_array().unwrap();
    let finding = findings.iter().find(|finding| finding["check"] == "uncounted_cpu")?;
    Some(finding["evidence"].as_str().unwrap().to_owned())
}

#[test]
fn cpu_time_of_services_is_energy() {
    for (how, args) in
        [("service", &[][..]), ("process", &[]), ("service", &["--isolate"]), ("process", &["--isolate"])]
    {
        let (bench, cores) = measured(how, args);
        // The estimate is 10 W per busy core. The bench and the harness use some of one, too.
        let estimated = metric(&bench, "j_per_output_token") * metric(&bench, "output_tokens_per_s") / 10.0;
        let expected = 0.8 * cores..1.2 * cores + 0.15;
        assert!(expected.contains(&estimated), "{how} {args:?}: {estimated} cores, expected {expected:?}");
        assert_eq!(uncounted(&bench), None, "{how} {args:?}");
    }
}

#[test]
fn uncounted_children_are_a_warning() {
    let (bench, cores) = measured("uncounted", &[]);
    let expected = 10.0 * cores / metric(&bench, "output_tokens_per_s");
    assert!(metric(&bench, "j_per_output_token") < 0.3 * expected, "{}", bench["metrics"]);
    let evidence = uncounted(&bench).unwrap();
    let found: f64 =
        evidence.split("child processes used ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    assert!((found / cores - 1.0).abs() < 0.3, "{evidence}, {cores} cores");
}

/// A command for each request: counted once all children of this process are, also those that have ended.
#[test]
fn counts_a_command_per_request() {
    let (counted, _) = measured("commands", &[]);
    assert_eq!(uncounted(&counted), None);
    let (not_counted, _) = measured("uncounted commands", &[]);
    assert!(uncounted(&not_counted).is_some());
    let joules = |bench| metric(bench, "j_per_output_token");
    // Each takes tens of milliseconds of a core at 10 W.
    assert!(joules(&counted) > 3.0 * joules(&not_counted), "{} and {}", joules(&counted), joules(&not_counted));
    assert!(joules(&counted) < 15.0 / metric(&counted, "output_tokens_per_s"), "more than 1.5 cores");
}

fn fails(how: &str) -> Output {
    let home = tempfile::tempdir().unwrap();
    let mut command = bench(home.path(), &["--exact", "served"]);
    run(command.env("FIXTURE_SERVICE", how).env("FIXTURE_MARK", mark(how))).exits_with(101)
}

#[test]
fn failures_of_services_show_their_log() {
    let output = fails("fails");
    let text = "service `busy`: its process has ended with exit code 3; its last lines:\n  loading\n  no such model\n";
    assert!(output.err.contains(text), "{}", output.err);
    let output = fails("never_ready");
    let text = "service `busy`: was not ready within 0.3 s: nothing accepts connections at 127.0.0.1:1; its last lines:\n  \
                it listens\n";
    assert!(output.err.contains(text), "{}", output.err);
    assert_eq!(marked(&mark("never_ready")), Vec::<String>::new());
}

/// A text that only the processes of this test have on their command line.
fn mark(name: &str) -> String {
    format!("fixture-{name}-of-{}", std::process::id())
}

/// Returns the ids of the processes with a mark.
fn marked(mark: &str) -> Vec<String> {
    let has_mark =
        |pid: &String| std::fs::read_to_string(format!("/proc/{pid}/cmdline")).is_ok_and(|line| line.contains(mark));
    let entries = std::fs::read_dir("/proc").unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).filter(has_mark).collect()
}

/// Waits until this many processes have a mark.
#[track_caller]
fn wait_for(mark: &str, count: usize) {
    let start = Instant::now();
    while marked(mark).len() != count {
        assert!(start.elapsed() < Duration::from_secs(60), "{mark}: {:?} instead of {count}", marked(mark));
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn signal(child: &Child, signal: &str) {
    let status = std::process::Command::new("kill").args([signal, &child.id().to_string()]).status();
    assert!(status.unwrap().success());
}

#[test]
fn services_end_with_the_bench() {
    for (name, args, signals) in [
        ("normal", &["--cycles", "2"][..], &[][..]),
        ("interrupted", &["--cycles", "500"], &["-INT"]),
        ("interrupted_twice", &["--cycles", "500"], &["-INT", "-INT"]),
        ("killed", &["--cycles", "500"], &["-KILL"]),
        ("killed_with_worker", &["--cycles", "500", "--isolate"], &["-KILL"]),
    ] {
        let (home, mark) = (tempfile::tempdir().unwrap(), mark(name));
        let mut command = bench(home.path(), &["--exact", "served"]);
        command.args(args).env("FIXTURE_SERVICE", "service").env("FIXTURE_MARK", &mark);
        // Then only the second signal ends it.
        if signals.len() == 2 {
            command.env("FIXTURE_HANGS", "1");
        }
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        wait_for(&mark, 2);
        for name in signals {
            std::thread::sleep(Duration::from_millis(200));
            signal(&child, name);
        }
        let code = child.wait().unwrap().code();
        if !signals.is_empty() {
            assert_eq!(code, Some(130).filter(|_| signals[0] == "-INT"), "{name}");
        }
        wait_for(&mark, 0);
    }
}

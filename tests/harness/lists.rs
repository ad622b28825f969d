//! `--list` and `--dry-run`, in the formats that test runners parse.

use crate::support::{call, fixture, ids, run};

#[test]
fn terse_list_has_only_ids_and_kinds() {
    let list = call(&["--list", "--format", "terse"]).exits_with(0);
    assert!(list.lines().iter().all(|line| line.ends_with(": benchmark")), "{}", list.out);
    assert_eq!(list.err, "");
    assert_eq!(ids(&list)[..3], ["good/decode", "good/grid/batch=1/dtype=f32", "good/grid/batch=1/dtype=a%2Fb"]);
    let tests = call(&["--list", "--format", "terse", "--test"]).exits_with(0);
    assert!(tests.lines().iter().all(|line| line.ends_with(": test")), "{}", tests.out);
    assert_eq!(ids(&tests), ids(&list));
}

#[test]
fn list_of_ignored_benches() {
    assert!(ids(&call(&["--list", "--format", "terse"])).contains(&"odd/slow".to_owned()));
    assert_eq!(ids(&call(&["--list", "--format", "terse", "--ignored"]).exits_with(0)), ["odd/slow"]);
    assert_eq!(call(&["--list", "--format", "terse", "--ignored", "good"]).exits_with(0).out, "");
}

#[test]
fn parallel_lists_are_independent() {
    let list = |ignored: bool| {
        let args = ["--list", "--format", "terse", "--ignored"];
        let child = fixture(&args[..if ignored { 4 } else { 3 }]).stdout(std::process::Stdio::piped()).spawn();
        child.unwrap()
    };
    let children: Vec<_> = (0..8).map(|n| list(n % 2 == 0)).collect();
    let lengths: Vec<_> = children
        .into_iter()
        .map(|child| child.wait_with_output().unwrap().stdout.split(|c| *c == b'\n').count())
        .collect();
    assert_eq!(lengths.iter().step_by(2).collect::<Vec<_>>(), [&2; 4]);
    assert!(lengths.iter().skip(1).step_by(2).all(|n| *n == lengths[1] && *n > 8), "{lengths:?}");
}

#[test]
fn exact_runs_each_listed_id() {
    let all = ids(&call(&["--list", "--format", "terse"]));
    assert_eq!(all.len(), 10);
    for id in &all {
        assert_eq!(ids(&call(&["--list", "--format", "terse", "--exact", id])), std::slice::from_ref(id));
        let output = call(&["--exact", id, "--nocapture", "--include-ignored"]).exits_with(0);
        assert!(output.out.contains(&format!("test {id} ... ok")), "{}", output.out);
        assert!(output.out.contains("1 passed; 0 failed"), "{}", output.out);
    }
}

#[test]
fn pretty_list_counts_like_libtest() {
    let list = call(&["--list", "good"]).exits_with(0);
    assert_eq!(list.lines().last(), Some(&"0 tests, 5 benchmarks"));
    assert_eq!(call(&["--list", "--test", "--exact", "good/decode"]).lines()[1..], ["", "1 test, 0 benchmarks"]);
}

#[test]
fn json_list_matches_libtest() {
    let list = call(&["--list", "--format", "json", "-Z", "unstable-options", "odd"]).exits_with(0);
    let events: Vec<serde_json::Value> = list.lines().iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(events.len(), 3);
    assert_eq!((&events[0]["event"], &events[2]["total"]), (&"discovery".into(), &1.into()));
    assert_eq!((&events[1]["name"], &events[1]["ignore_message"]), (&"odd/slow".into(), &"takes long".into()));
    assert!(events[1]["source_path"].as_str().unwrap().ends_with("suite.rs"));
}

#[test]
fn dry_run_has_all_axis_combinations() {
    let folder = tempfile::tempdir().unwrap();
    let file = "meter = \"estimate\"\ncycles = 4\n[axis]\ndtype = [\"f32\", \"bf16\"]\nbatch = 8\n";
    std::fs::write(folder.path().join("lem-bench.toml"), file).unwrap();
    let mut dry = fixture(&["--bench", "--dry-run", "--axis", "dtype=f32,bf16", "--axis", "batch=1,2,4", "grid"]);
    let plan = run(dry.current_dir(folder.path())).exits_with(0);
    let cases = ["1", "2", "4"].map(|batch| ["f32", "bf16"].map(|dtype| format!("batch={batch}/dtype={dtype}")));
    for case in cases.as_flattened() {
        let line = plan.lines().into_iter().find(|line| line.contains(&format!("good/grid/{case} ")));
        let line = line.unwrap_or_else(|| panic!("no {case} in\n{}", plan.out));
        assert!(line.contains("4 cycles") && line.contains("about"), "{line}");
    }
    assert!(plan.out.starts_with("6 benches by estimate"), "{}", plan.out);
    // Axes from the file only.
    let list = run(fixture(&["--list", "--format", "terse", "grid"]).current_dir(folder.path())).exits_with(0);
    assert_eq!(ids(&list), ["good/grid/batch=8/dtype=f32", "good/grid/batch=8/dtype=bf16"]);
}

#[test]
fn axes_from_environment() {
    let mut list = fixture(&["--list", "--format", "terse", "grid"]);
    let list = run(list.env("LEM_BENCH_AXIS", "batch=2;dtype=f32,bf16")).exits_with(0);
    assert_eq!(ids(&list), ["good/grid/batch=2/dtype=f32", "good/grid/batch=2/dtype=bf16"]);
    let mut exact = fixture(&["--exact", "good/grid/batch=2/dtype=bf16", "--nocapture"]);
    run(exact.env("LEM_BENCH_AXIS", "batch=2;dtype=f32,bf16")).exits_with(0);
}

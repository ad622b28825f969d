//! Hostile names and symbolic links: files stay inside the results folder, and links are reported and not followed.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{fixture, ids, paths_below, run};

fn simulated(home: &Path, args: &[&str]) -> Command {
    let scenario = concat!("sim:", env!("CARGO_MANIFEST_DIR"), "/tests/scenarios/without_heat.json");
    let mut command = fixture(&["--bench", "--meter", scenario, "--quick", "--cycles", "2", "--nresamples", "100"]);
    command.args(args).env("LEM_BENCH_HOME", home);
    command
}

fn runs(home: &Path) -> Vec<PathBuf> {
    let mut runs: Vec<_> = std::fs::read_dir(home.join("runs")).unwrap().map(|entry| entry.unwrap().path()).collect();
    runs.sort();
    runs
}

#[test]
fn path_like_ids_stay_in_folder() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("deep/er/home");
    let values = "dtype=../../../../escaped,/etc/passwd,CON,nul.txt,a b,ä,.,..,C:\\x,-rf";
    let args = ["good/grid/batch=1", "--axis", values];
    let output = run(&mut simulated(&home, &args)).exits_with(0);
    let listed = ids(&run(&mut simulated(&home, &[&args[..], &["--list", "--format", "terse"]].concat())));
    assert_eq!(listed.len(), 10, "{}", output.err);
    let summary: serde_json::Value =
        serde_json::from_slice(&std::fs::read(runs(&home)[0].join("summary.json")).unwrap()).unwrap();
    let saved: Vec<_> = summary["benches"].as_array().unwrap().iter().map(|bench| bench["id"].clone()).collect();
    assert_eq!(saved, listed);
    // All paths are inside the home and portable between file systems.
    let paths: Vec<_> = paths_below(folder.path()).into_iter().filter(|path| !home.starts_with(path)).collect();
    assert!(paths.iter().all(|path| Path::new(path).starts_with(&home)), "{paths:?}");
    let is_portable = |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || "=_.-".contains(c));
    for path in &paths {
        let name = Path::new(path).file_name().unwrap().to_str().unwrap();
        assert!(is_portable(name) && name.len() < 120 && !name.ends_with('.'), "{path}");
    }
    assert!(paths.iter().any(|path| path.contains("escaped")), "no readable name: {paths:?}");
}

#[test]
fn path_like_names_stay_in_folder() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    for name in ["../../x", "/etc", "CON", "a/b", ".hidden", "x.", ""] {
        let output = run(simulated(&home, &["good/decode"]).env("NEXTEST_RUN_ID", name));
        match name {
            "" => drop(output.exits_with(0)),
            _ => drop(output.exits_with(1).stderr_has(&["is not a valid run name", "use letters, digits"])),
        }
        if !name.is_empty() {
            run(&mut simulated(&home, &["good/decode", &format!("--resume={name}")])).exits_with(1);
        }
    }
    for name in ["../../x", "/etc/x", "CON", "feature/x", ".."] {
        run(&mut simulated(&home, &["good/decode", "--save-baseline", name])).exits_with(0);
        run(&mut simulated(&home, &["good/decode", "--baseline", name])).exits_with(0);
    }
    assert_eq!(
        std::fs::read_dir(home.join("baselines"))
            .unwrap()
            .filter(|entry| entry.as_ref().unwrap().path().is_dir())
            .count(),
        5
    );
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "{:?}", paths_below(folder.path()));
}

#[cfg(unix)]
#[test]
fn does_not_follow_links() {
    use std::os::unix::fs::symlink;

    let folder = tempfile::tempdir().unwrap();
    let (home, elsewhere) = (folder.path().join("home"), folder.path().join("elsewhere"));
    run(&mut simulated(&home, &["good/decode", "--save-baseline", "main"])).exits_with(0);
    let first = runs(&home).remove(0);
    std::fs::create_dir(&elsewhere).unwrap();
    // A run folder that is a link is not resumed, not chosen as the newest run, and not written to.
    std::fs::rename(&first, elsewhere.join("run")).unwrap();
    symlink(elsewhere.join("run"), &first).unwrap();
    let before = std::fs::read(elsewhere.join("run/journal-0.jsonl")).unwrap();
    let name = first.file_name().unwrap().to_str().unwrap().to_owned();
    let output = run(&mut simulated(&home, &["good/decode", &format!("--resume={name}")])).exits_with(2);
    output.stderr_has(&["does not exist", &name]);
    run(&mut simulated(&home, &["good/decode", "--resume"])).exits_with(0);
    assert_eq!(runs(&home).len(), 2, "no new run was created");
    assert_eq!(std::fs::read(elsewhere.join("run/journal-0.jsonl")).unwrap(), before);
    // Link instead of a journal.
    let second = runs(&home).into_iter().find(|run| !run.is_symlink()).unwrap();
    let journal = second.join("journal-0.jsonl");
    std::fs::rename(&journal, elsewhere.join("journal")).unwrap();
    symlink(elsewhere.join("journal"), &journal).unwrap();
    let output = run(&mut simulated(
        &home,
        &["good/decode", &format!("--resume={}", second.file_name().unwrap().to_str().unwrap())],
    ));
    output.exits_with(1).stderr_has(&["journal-0.jsonl is a symbolic link and is not followed"]);
    // Link instead of a baseline.
    let baseline = std::fs::read_dir(home.join("baselines"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.is_dir());
    let baseline = baseline.unwrap();
    std::fs::rename(&baseline, elsewhere.join("baseline")).unwrap();
    symlink(elsewhere.join("baseline"), &baseline).unwrap();
    for option in ["--baseline", "--save-baseline"] {
        run(&mut simulated(&home, &["good/decode", option, "main"]))
            .exits_with(1)
            .stderr_has(&["is a symbolic link and is not followed"]);
    }
    // Link instead of the history: the target must not change.
    let history = home.join("history.jsonl");
    std::fs::rename(&history, elsewhere.join("history")).unwrap();
    symlink(elsewhere.join("history"), &history).unwrap();
    let before = std::fs::read(elsewhere.join("history")).unwrap();
    run(&mut simulated(&home, &["good/decode"]))
        .exits_with(1)
        .stderr_has(&["history.jsonl is a symbolic link", "remove it"]);
    assert_eq!(std::fs::read(elsewhere.join("history")).unwrap(), before);
}

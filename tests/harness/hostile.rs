//! Names that would lead elsewhere: results stay in their folder, and what stands in the way is named and not followed.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{below, fixture, ids, run};

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
fn ids_that_look_like_paths_stay_in_the_results_folder() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("deep/er/home");
    let values = "dtype=../../../../escaped,/etc/passwd,CON,nul.txt,a b,ä,.,..,C:\\x,-rf";
    let args = ["good/grid/batch=1", "--axis", values];
    let ran = run(&mut simulated(&home, &args)).ends_with(0);
    let listed = ids(&run(&mut simulated(&home, &[&args[..], &["--list", "--format", "terse"]].concat())));
    assert_eq!(listed.len(), 10, "{}", ran.err);
    let summary: serde_json::Value =
        serde_json::from_slice(&std::fs::read(runs(&home)[0].join("summary.json")).unwrap()).unwrap();
    let kept: Vec<_> = summary["benches"].as_array().unwrap().iter().map(|bench| bench["id"].clone()).collect();
    assert_eq!(kept, listed);
    // Nothing beside the home, and in it only names that every file system takes.
    let beside: Vec<_> = below(folder.path()).into_iter().filter(|path| !home.starts_with(path)).collect();
    assert!(beside.iter().all(|path| Path::new(path).starts_with(&home)), "{beside:?}");
    let plain = |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || "=_.-".contains(c));
    for path in &beside {
        let name = Path::new(path).file_name().unwrap().to_str().unwrap();
        assert!(plain(name) && name.len() < 120 && !name.ends_with('.'), "{path}");
    }
    assert!(beside.iter().any(|path| path.contains("escaped")), "readable all the same: {beside:?}");
}

#[test]
fn names_of_runs_and_baselines_stay_there_too() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    for name in ["../../x", "/etc", "CON", "a/b", ".hidden", "x.", ""] {
        let ran = run(simulated(&home, &["good/decode"]).env("NEXTEST_RUN_ID", name));
        match name {
            "" => drop(ran.ends_with(0)),
            _ => drop(ran.ends_with(1).says(&["is not a valid run name", "use letters, digits"])),
        }
        if !name.is_empty() {
            run(&mut simulated(&home, &["good/decode", &format!("--resume={name}")])).ends_with(1);
        }
    }
    for name in ["../../x", "/etc/x", "CON", "feature/x", ".."] {
        run(&mut simulated(&home, &["good/decode", "--save-baseline", name])).ends_with(0);
        run(&mut simulated(&home, &["good/decode", "--baseline", name])).ends_with(0);
    }
    assert_eq!(
        std::fs::read_dir(home.join("baselines"))
            .unwrap()
            .filter(|entry| entry.as_ref().unwrap().path().is_dir())
            .count(),
        5
    );
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "{:?}", below(folder.path()));
}

#[cfg(unix)]
#[test]
fn links_out_of_the_results_folder_are_not_followed() {
    use std::os::unix::fs::symlink;

    let folder = tempfile::tempdir().unwrap();
    let (home, elsewhere) = (folder.path().join("home"), folder.path().join("elsewhere"));
    run(&mut simulated(&home, &["good/decode", "--save-baseline", "main"])).ends_with(0);
    let first = runs(&home).remove(0);
    std::fs::create_dir(&elsewhere).unwrap();
    // A run that is a link: not gone on with, not found as the newest, nothing written there.
    std::fs::rename(&first, elsewhere.join("run")).unwrap();
    symlink(elsewhere.join("run"), &first).unwrap();
    let before = std::fs::read(elsewhere.join("run/journal-0.jsonl")).unwrap();
    let name = first.file_name().unwrap().to_str().unwrap().to_owned();
    let ran = run(&mut simulated(&home, &["good/decode", &format!("--resume={name}")])).ends_with(2);
    ran.says(&["does not exist", &name]);
    run(&mut simulated(&home, &["good/decode", "--resume"])).ends_with(0);
    assert_eq!(runs(&home).len(), 2, "a new run");
    assert_eq!(std::fs::read(elsewhere.join("run/journal-0.jsonl")).unwrap(), before);
    // A journal that is a link.
    let second = runs(&home).into_iter().find(|run| !run.is_symlink()).unwrap();
    let journal = second.join("journal-0.jsonl");
    std::fs::rename(&journal, elsewhere.join("journal")).unwrap();
    symlink(elsewhere.join("journal"), &journal).unwrap();
    let ran = run(&mut simulated(
        &home,
        &["good/decode", &format!("--resume={}", second.file_name().unwrap().to_str().unwrap())],
    ));
    ran.ends_with(1).says(&["journal-0.jsonl is a symbolic link and is not followed"]);
    // A baseline that is a link.
    let baseline = std::fs::read_dir(home.join("baselines"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.is_dir());
    let baseline = baseline.unwrap();
    std::fs::rename(&baseline, elsewhere.join("baseline")).unwrap();
    symlink(elsewhere.join("baseline"), &baseline).unwrap();
    for option in ["--baseline", "--save-baseline"] {
        run(&mut simulated(&home, &["good/decode", option, "main"]))
            .ends_with(1)
            .says(&["is a symbolic link and is not followed"]);
    }
    // The history that is a link: what it points to stays as it is.
    let history = home.join("history.jsonl");
    std::fs::rename(&history, elsewhere.join("history")).unwrap();
    symlink(elsewhere.join("history"), &history).unwrap();
    let before = std::fs::read(elsewhere.join("history")).unwrap();
    run(&mut simulated(&home, &["good/decode"])).ends_with(1).says(&["history.jsonl is a symbolic link", "remove it"]);
    assert_eq!(std::fs::read(elsewhere.join("history")).unwrap(), before);
}

//! The lock between processes: this test binary starts itself.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use lem_bench::store::{MachineLock, StoreError, WaitPolicy};

const PATH: &str = "LEM_BENCH_TEST_LOCK";

/// Not a test of its own: the other process. Takes the lock, says so and waits to be killed.
#[test]
fn child_that_holds_the_lock() {
    let Some(path) = std::env::var_os(PATH) else { return };
    let _lock = MachineLock::acquire(path.as_ref(), WaitPolicy::NoWait, |_| {}).unwrap();
    println!("holding");
    std::thread::sleep(std::time::Duration::from_secs(60));
}

fn start_child(path: &std::path::Path) -> Child {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "two_processes::child_that_holds_the_lock", "--nocapture"])
        .env(PATH, path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let stdout = child.stdout.take().unwrap();
    assert!(BufReader::new(stdout).lines().any(|line| line.unwrap().contains("holding")), "the child has the lock");
    child
}

#[test]
fn a_killed_holder_leaves_nothing_locked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lock");
    let mut child = start_child(&path);
    let error = MachineLock::acquire(&path, WaitPolicy::NoWait, |_| {}).unwrap_err();
    let StoreError::Locked { holder, .. } = &error else { panic!("{error}") };
    assert_eq!(*holder, Some(child.id()), "{error}");
    child.kill().unwrap();
    child.wait().unwrap();
    let mut told = Vec::new();
    let lock = MachineLock::acquire(&path, WaitPolicy::NoWait, |text| told.push(text.to_owned())).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("{}\n", std::process::id()));
    assert_eq!(told, [""; 0]);
    drop(lock);
}

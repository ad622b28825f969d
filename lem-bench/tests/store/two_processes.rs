//! Killed processes: this test binary starts itself as a child process and kills it.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use lem_bench::__private::runner::{Event, Observer};
use lem_bench::__private::store::{MachineLock, StoreError, WaitPolicy, read_run};

use crate::{cycle, header, read_whole, run_in, times, write};

const PATH: &str = "LEM_BENCH_TEST_PATH";

/// The child process: acquires the lock, prints `holding` and waits to be killed. Does nothing as a test.
#[test]
fn child_holds_lock() {
    let Some(path) = std::env::var_os(PATH) else { return };
    let _lock = MachineLock::acquire(path.as_ref(), WaitPolicy::NoWait, |_| {}).unwrap();
    println!("holding");
    std::thread::sleep(std::time::Duration::from_secs(60));
}

/// The child process: writes cycles forever and prints each one that is written. Does nothing as a test.
#[test]
fn child_writes_cycles() {
    let Some(path) = std::env::var_os(PATH) else { return };
    let mut writer = write(&run_in(path.as_ref()), 0, &[header(0)]).unwrap();
    for index in 0.. {
        writer.on(&Event::Record(&cycle(index, times(index)))).unwrap();
        println!("written {index}.");
    }
}

fn start_child(test: &str, path: &std::path::Path) -> (Child, impl Iterator<Item = String> + use<>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("two_processes::{test}"), "--nocapture"])
        .env(PATH, path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let stdout = child.stdout.take().unwrap();
    (child, BufReader::new(stdout).lines().map_while(Result::ok))
}

#[test]
fn killed_holder_releases_lock() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lock");
    let (mut child, mut lines) = start_child("child_holds_lock", &path);
    assert!(lines.any(|line| line.contains("holding")), "the child has the lock");
    let error = MachineLock::acquire(&path, WaitPolicy::NoWait, |_| {}).unwrap_err();
    let StoreError::Locked { holder, .. } = &error else { panic!("{error}") };
    assert_eq!(*holder, Some(child.id()), "{error}");
    child.kill().unwrap();
    child.wait().unwrap();
    let mut messages = Vec::new();
    let lock = MachineLock::acquire(&path, WaitPolicy::NoWait, |text| messages.push(text.to_owned())).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("{}\n", std::process::id()));
    assert_eq!(messages, [""; 0]);
    drop(lock);
}

#[test]
fn killed_writer_keeps_reported_cycles() {
    for round in 0..10 {
        let folder = tempfile::tempdir().unwrap();
        let (mut child, mut lines) = start_child("child_writes_cycles", folder.path());
        assert!(lines.any(|line| line.contains("written 0.")));
        std::thread::sleep(std::time::Duration::from_micros(700 * round));
        child.kill().unwrap();
        child.wait().unwrap();
        let written = 1 + lines.filter(|line| line.starts_with("written") && line.ends_with('.')).count();
        let journals = read_run(run_in(folder.path()).path()).unwrap();
        assert_eq!(journals.len(), 1);
        let journal = read_whole(&journals[0].path).unwrap();
        let cycles = journal.records.len() - 1;
        assert!(cycles == written || cycles == written + 1, "{written} cycles were reported as written, {cycles} read");
        let expected = (0..cycles as u32).map(|index| cycle(index, times(index)));
        assert_eq!(journal.records[1..], expected.collect::<Vec<_>>());
        assert!(!journal.complete && journal.damage.is_empty(), "{:?}", journal.damage);
    }
}

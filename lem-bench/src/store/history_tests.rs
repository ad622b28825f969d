//! The history file: what is written comes back, and nothing in it can do harm.

use super::history::History;
use super::home::Home;
use crate::model::{Method, Origin, SCHEMA_VERSION, SessionResult, Source};

fn home() -> (tempfile::TempDir, Home) {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::at(folder.path().join("lem-bench"));
    (folder, home)
}

fn result(run: &str, value: f64) -> SessionResult {
    SessionResult {
        schema_version: SCHEMA_VERSION,
        run_id: run.to_owned(),
        started_unix_s: 1.5e9,
        target: "llm".to_owned(),
        bench: "decode/\u{1b}[31m\n".to_owned(),
        metric: "j_per_output_token".to_owned(),
        unit: "J/token".to_owned(),
        lower_is_better: true,
        value,
        low: Some(value * 0.99),
        high: None,
        level: 0.95,
        cycles: 10,
        status: "valid".to_owned(),
        source: Some(Source { meter: "nvml".to_owned(), origin: Origin::Measured, method: Method::Counter }),
        commit: Some("1".repeat(40)),
        branch: Some("main".to_owned()),
        machine: "0a1b2c3d".to_owned(),
    }
}

#[test]
fn what_is_appended_comes_back_in_order_to_the_last_bit() {
    let (_folder, home) = home();
    assert_eq!(History::read(&home).unwrap().lines, []);
    let all: Vec<SessionResult> = (0..5).map(|i| result(&format!("run-{i}"), 0.1 + f64::from(i) / 3.0)).collect();
    History::append(&home, &all[..2]).unwrap();
    History::append(&home, &[]).unwrap();
    History::append(&home, &all[2..]).unwrap();
    let read = History::read(&home).unwrap();
    assert_eq!((read.lines, read.damage), (all, vec![]));
}

#[test]
fn torn_and_damaged_lines_are_named_and_cost_only_themselves() {
    let (_folder, home) = home();
    History::append(&home, &[result("one", 1.0), result("two", 2.0)]).unwrap();
    let path = History::file(&home);
    let text = std::fs::read(&path).unwrap();
    // Cut off in the middle of the second line: what is appended next is a line of its own.
    std::fs::write(&path, &text[..text.len() - 30]).unwrap();
    assert_eq!(History::read(&home).unwrap().damage, ["line 2: it is cut off"]);
    History::append(&home, &[result("three", 3.0)]).unwrap();
    let read = History::read(&home).unwrap();
    assert_eq!(read.lines.iter().map(|line| line.run_id.as_str()).collect::<Vec<_>>(), ["one", "three"]);
    assert_eq!(read.damage, ["line 2: it is damaged: its checksum is wrong"]);
    // Other things that are no lines of ours.
    let mut junk = b"\0\xff\n[[[[\n{}\n\n".to_vec();
    junk.extend(b"[".repeat(100_000));
    junk.push(b'\n');
    junk.extend_from_slice(&text);
    std::fs::write(&path, &junk).unwrap();
    let read = History::read(&home).unwrap();
    assert_eq!((read.lines.len(), read.damage.len()), (2, 4), "{:?}", read.damage);
}

#[test]
fn two_processes_can_append_at_once() {
    let (_folder, home) = home();
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let home = &home;
            scope.spawn(move || {
                for i in 0..25 {
                    History::append(home, &[result(&format!("{writer}-{i}"), 1.0)]).unwrap();
                }
            });
        }
    });
    let read = History::read(&home).unwrap();
    assert_eq!((read.lines.len(), read.damage), (100, vec![]));
}

#[cfg(unix)]
#[test]
fn a_link_is_not_followed() {
    let (folder, home) = home();
    History::append(&home, &[result("one", 1.0)]).unwrap();
    let precious = folder.path().join("precious");
    std::fs::write(&precious, "x").unwrap();
    std::fs::remove_file(History::file(&home)).unwrap();
    std::os::unix::fs::symlink(&precious, History::file(&home)).unwrap();
    assert!(History::append(&home, &[result("two", 2.0)]).is_err());
    assert!(History::read(&home).is_err());
    assert_eq!(std::fs::read(&precious).unwrap(), b"x");
}

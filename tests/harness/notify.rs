//! `--notify`: a small server is told what a run came to, and a server that does not listen changes nothing.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::support::{Ran, below, clean, companion, fixture, run};

const SIMULATED: &str = concat!("sim:", env!("CARGO_MANIFEST_DIR"), "/tests/scenarios/without_heat.json");

/// Measures and tells `url`; what came of it, and all that is kept.
fn measure(url: &str) -> (Ran, String) {
    let home = tempfile::tempdir().unwrap();
    let mut command = fixture(&["--bench", "--meter", SIMULATED, "--quick", "--nresamples", "100", "good/decode"]);
    command.arg(format!("--notify={url}")).env("LEM_BENCH_HOME", home.path()).env("NO_PROXY", "*");
    let ran = run(&mut command);
    (ran, kept(home.path()))
}

/// All that is in a results folder.
fn kept(home: &Path) -> String {
    let files = below(home).into_iter().filter_map(|path| std::fs::read(path).ok());
    files.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).collect()
}

/// A request's head and body.
fn request(stream: &mut TcpStream) -> (String, Vec<u8>) {
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, _)) = text.split_once("\r\n\r\n") {
            let length =
                head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
            let length: usize = length.unwrap_or_default();
            if bytes.len() >= head.len() + 4 + length {
                return (head.to_owned(), bytes[head.len() + 4..].to_vec());
            }
        }
        let n = stream.read(&mut buffer).unwrap();
        assert!(n > 0, "the request is cut off: {text}");
        bytes.extend_from_slice(&buffer[..n]);
    }
}

/// A server that answers its first request so.
fn server(answer: &'static str) -> (String, std::thread::JoinHandle<(String, Vec<u8>)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hooks/s3cret", listener.local_addr().unwrap());
    let thread = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let got = request(&mut stream);
        stream.write_all(answer.as_bytes()).unwrap();
        got
    });
    (url, thread)
}

#[test]
fn the_summary_is_posted_and_the_url_is_kept_nowhere() {
    let (url, thread) = server("HTTP/1.1 204 No Content\r\n\r\n");
    let (ran, kept) = measure(&url);
    let ran = ran.ends_with(0);
    assert!(!ran.err.contains("warning"), "{}", ran.err);
    let (head, body) = thread.join().unwrap();
    assert!(head.starts_with("POST /hooks/s3cret HTTP/1.1"), "{head}");
    assert!(head.to_ascii_lowercase().contains("content-type: application/json"), "{head}");
    let summary: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(summary["benches"][0]["id"], "good/decode");
    assert_eq!(summary["benches"][0]["cycles"].as_array().unwrap().len(), 5);
    assert!(kept.contains("good/decode") && kept.contains("(not shown)"), "what is kept was looked at");
    assert!(!kept.contains("s3cret"), "the URL may be a secret");
}

#[test]
fn a_server_that_refuses_or_is_not_there_is_a_warning() {
    let (url, thread) = server("HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n");
    let (ran, kept) = measure(&url);
    let ran = ran.ends_with(0).says(&["warning: --notify failed", "500", "the results are saved"]);
    assert!(kept.contains("run_end") && !ran.err.contains("s3cret"), "{}", ran.err);
    thread.join().unwrap();
    // Nobody listens at a port that was just given back.
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (ran, _) = measure(&format!("http://{gone}/"));
    ran.ends_with(0).says(&["warning: --notify failed"]);
}

#[test]
fn a_server_that_never_answers_is_not_waited_for() {
    // The system takes the connection; nobody reads from it.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let began = Instant::now();
    let (ran, _) = measure(&url);
    ran.ends_with(0).says(&["warning: --notify failed", "timeout"]);
    assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
}

#[test]
fn what_a_duel_came_to_is_posted_once_and_the_url_is_kept_nowhere() {
    let (url, thread) = server("HTTP/1.1 204 No Content\r\n\r\n");
    let build = env!("CARGO_BIN_EXE_fixture-benches");
    let home = tempfile::tempdir().unwrap();
    let mut command =
        clean(companion().to_str().unwrap(), &["lem", "duel", "--base", build, "--head", build, "--null"]);
    command.args(["--meter", SIMULATED, "--pairs", "4", "--nresamples", "100", "--exact", "good/decode"]);
    command.arg(format!("--notify={url}")).env("LEM_BENCH_HOME", home.path()).env("NO_PROXY", "*");
    let ran = run(&mut command);
    if ran.err.contains("--notify needs lem-bench's feature `notify`") {
        // The companion may have been built without it, and then says so before anything is measured.
        assert!(ran.code == 2 && !home.path().join("runs").exists(), "{}", ran.err);
        return;
    }
    let ran = ran.ends_with(0);
    assert!(!ran.err.contains("--notify"), "{}", ran.err);
    let (head, body) = thread.join().unwrap();
    assert!(head.starts_with("POST /hooks/s3cret HTTP/1.1"), "{head}");
    let posted: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(posted["comparison"]["benches"][0]["id"], "good/decode");
    assert_eq!(posted["null"]["benches"], 1);
    let duels: Vec<_> = below(home.path()).into_iter().filter(|path| path.ends_with("duel.json")).collect();
    assert_eq!(posted, serde_json::from_slice::<serde_json::Value>(&std::fs::read(&duels[0]).unwrap()).unwrap());
    let kept = kept(home.path());
    assert!(kept.contains("(not shown)") && !kept.contains("s3cret"), "the URL may be a secret");
}

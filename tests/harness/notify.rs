//! `--notify`: posts the summary to a local server; a failing server only causes a warning.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::support::{Output, clean_command, companion, fixture, paths_below, run};

const SIMULATED: &str = concat!("sim:", env!("CARGO_MANIFEST_DIR"), "/tests/scenarios/without_heat.json");

/// Measures with `--notify=url`; returns the output and the text of all saved files.
fn measure(url: &str) -> (Output, String) {
    let home = tempfile::tempdir().unwrap();
    let mut command = fixture(&["--bench", "--meter", SIMULATED, "--quick", "--nresamples", "100", "good/decode"]);
    command.arg(format!("--notify={url}")).env("LEM_BENCH_HOME", home.path()).env("NO_PROXY", "*");
    let output = run(&mut command);
    (output, saved_text(home.path()))
}

/// Returns the text of all files in a results folder.
fn saved_text(home: &Path) -> String {
    let files = paths_below(home).into_iter().filter_map(|path| std::fs::read(path).ok());
    files.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).collect()
}

/// Reads one request; returns its head and body.
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
        assert!(n > 0, "truncated request: {text}");
        bytes.extend_from_slice(&buffer[..n]);
    }
}

/// Starts a server that answers one request with `answer`; returns its URL.
fn server(answer: &'static str) -> (String, std::thread::JoinHandle<(String, Vec<u8>)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hooks/s3cret", listener.local_addr().unwrap());
    let thread = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let received = request(&mut stream);
        stream.write_all(answer.as_bytes()).unwrap();
        received
    });
    (url, thread)
}

#[test]
fn posts_summary_and_hides_url() {
    let (url, thread) = server("HTTP/1.1 204 No Content\r\n\r\n");
    let (output, saved) = measure(&url);
    let output = output.exits_with(0);
    assert!(!output.err.contains("warning"), "{}", output.err);
    let (head, body) = thread.join().unwrap();
    assert!(head.starts_with("POST /hooks/s3cret HTTP/1.1"), "{head}");
    assert!(head.to_ascii_lowercase().contains("content-type: application/json"), "{head}");
    let summary: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(summary["benches"][0]["id"], "good/decode");
    assert_eq!(summary["benches"][0]["cycles"].as_array().unwrap().len(), 5);
    assert!(saved.contains("good/decode") && saved.contains("(not shown)"), "the saved files were not read");
    assert!(!saved.contains("s3cret"), "the URL is in a saved file");
}

#[test]
fn failing_server_is_a_warning() {
    let (url, thread) = server("HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n");
    let (output, saved) = measure(&url);
    let output = output.exits_with(0).stderr_has(&["warning: --notify failed", "500", "the results are saved"]);
    assert!(saved.contains("run_end") && !output.err.contains("s3cret"), "{}", output.err);
    thread.join().unwrap();
    // The listener is closed, so that the port refuses connections.
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (output, _) = measure(&format!("http://{gone}/"));
    output.exits_with(0).stderr_has(&["warning: --notify failed"]);
}

#[test]
fn silent_server_times_out() {
    // The kernel accepts the connection, but the request is never read.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let began = Instant::now();
    let (output, _) = measure(&url);
    output.exits_with(0).stderr_has(&["warning: --notify failed", "timeout"]);
    assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
}

#[test]
fn posts_duel_and_hides_url() {
    let (url, thread) = server("HTTP/1.1 204 No Content\r\n\r\n");
    let build = env!("CARGO_BIN_EXE_fixture-benches");
    let home = tempfile::tempdir().unwrap();
    let mut command =
        clean_command(companion().to_str().unwrap(), &["lem", "duel", "--base", build, "--head", build, "--null"]);
    command.args(["--meter", SIMULATED, "--pairs", "4", "--nresamples", "100", "--exact", "good/decode"]);
    command.arg(format!("--notify={url}")).env("LEM_BENCH_HOME", home.path()).env("NO_PROXY", "*");
    let output = run(&mut command);
    if output.err.contains("--notify needs lem-bench's feature `notify`") {
        // Without the feature, the companion fails before measuring.
        assert!(output.code == 2 && !home.path().join("runs").exists(), "{}", output.err);
        return;
    }
    let output = output.exits_with(0);
    assert!(!output.err.contains("--notify"), "{}", output.err);
    let (head, body) = thread.join().unwrap();
    assert!(head.starts_with("POST /hooks/s3cret HTTP/1.1"), "{head}");
    let posted: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(posted["comparison"]["benches"][0]["id"], "good/decode");
    assert_eq!(posted["null"]["benches"], 1);
    let duels: Vec<_> = paths_below(home.path()).into_iter().filter(|path| path.ends_with("duel.json")).collect();
    assert_eq!(posted, serde_json::from_slice::<serde_json::Value>(&std::fs::read(&duels[0]).unwrap()).unwrap());
    let saved = saved_text(home.path());
    assert!(saved.contains("(not shown)") && !saved.contains("s3cret"), "the URL is in a saved file");
}

//! A plug that is made up: the same answers over HTTP, from this process' own processor time.

use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lem_bench::__private::clock::{Clock, RealClock, process_cpu_time};
use serde_json::json;

/// What it draws at rest, in watts.
const REST_W: f64 = 40.0;

/// What a busy core adds, in watts.
const CORE_W: f64 = 15.0;

/// Where it listens: an address of this machine alone, which no real plug has.
pub(crate) const HERE: &str = "127.0.0.1:";

/// What it shows.
#[derive(Debug, Default)]
struct Shown {
    watts: f64,
    joules: f64,
}

/// Starts the plug, which has something new so many times a second; returns where it listens.
pub(crate) fn start(per_second: f64) -> Result<String, Box<dyn Error>> {
    if !(0.1..=1000.0).contains(&per_second) {
        return Err("a made-up plug has something new 0.1 to 1000 times a second".into());
    }
    let listener = TcpListener::bind((HERE.trim_end_matches(':'), 0))?;
    let place = listener.local_addr()?.to_string();
    let shown = Arc::new(Mutex::new(Shown { watts: REST_W, joules: 3.6e6 }));
    let updated = Arc::clone(&shown);
    std::thread::spawn(move || update(&updated, Duration::from_secs_f64(1.0 / per_second)));
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // Whoever asks and goes away is no reason to stop.
            drop(answer(stream, &shown));
        }
    });
    Ok(place)
}

/// Every `period`: the mean power since the last time, and the energy until now.
fn update(shown: &Mutex<Shown>, period: Duration) {
    let busy = || process_cpu_time().unwrap_or_default();
    let (start, mut at, mut cpu) = (RealClock.now(), RealClock.now(), busy());
    for round in 1.. {
        RealClock.sleep_until(start + period * round);
        let (now, used) = (RealClock.now(), busy());
        let seconds = now.since(at).as_secs_f64();
        let joules = REST_W * seconds + CORE_W * used.saturating_sub(cpu).as_secs_f64();
        (at, cpu) = (now, used);
        let mut shown = shown.lock().unwrap_or_else(PoisonError::into_inner);
        shown.watts = joules / seconds;
        shown.joules += joules;
    }
}

fn answer(mut stream: TcpStream, shown: &Mutex<Shown>) -> std::io::Result<()> {
    let mut request = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    while request.read_line(&mut line)? > 2 {
        line.clear();
    }
    let body = {
        let shown = shown.lock().unwrap_or_else(PoisonError::into_inner);
        let watt_hours = (shown.joules / 3.6).floor() / 1e3;
        json!({"id": 0, "output": true, "apower": shown.watts, "aenergy": {"total": watt_hours}}).to_string()
    };
    write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
}

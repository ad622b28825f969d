//! A simulated plug: the same HTTP responses, with power from the CPU time of this process.

use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lem_bench::__private::clock::{Clock, RealClock, process_cpu_time};
use serde_json::json;

/// Power at rest, in watts.
const REST_W: f64 = 40.0;

/// Additional power of a busy core, in watts.
const CORE_W: f64 = 15.0;

/// Beginning of its address. A real plug does not have this address.
pub(crate) const ADDRESS: &str = "127.0.0.1:";

/// The displayed values.
#[derive(Debug, Default)]
struct Display {
    watts: f64,
    joules: f64,
}

/// Starts the plug. Returns its address.
pub(crate) fn start(updates_per_s: f64) -> Result<String, Box<dyn Error>> {
    if !(0.1..=1000.0).contains(&updates_per_s) {
        return Err(format!("a simulated plug updates 0.1 to 1000 times per second, not {updates_per_s}").into());
    }
    let listener = TcpListener::bind((ADDRESS.trim_end_matches(':'), 0))?;
    let address = listener.local_addr()?.to_string();
    let display = Arc::new(Mutex::new(Display { watts: REST_W, joules: 3.6e6 }));
    let updated = Arc::clone(&display);
    std::thread::spawn(move || update(&updated, Duration::from_secs_f64(1.0 / updates_per_s)));
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // A client that closes its connection early must not stop the plug.
            drop(respond(stream, &display));
        }
    });
    Ok(address)
}

/// Updates the mean power of the last `period` and the energy, once per period.
fn update(display: &Mutex<Display>, period: Duration) {
    let cpu_time = || process_cpu_time().unwrap_or_default();
    let (start, mut last, mut last_cpu) = (RealClock.now(), RealClock.now(), cpu_time());
    for round in 1.. {
        RealClock.sleep_until(start + period * round);
        let (now, cpu) = (RealClock.now(), cpu_time());
        let seconds = now.since(last).as_secs_f64();
        let joules = REST_W * seconds + CORE_W * cpu.saturating_sub(last_cpu).as_secs_f64();
        (last, last_cpu) = (now, cpu);
        let mut display = display.lock().unwrap_or_else(PoisonError::into_inner);
        display.watts = joules / seconds;
        display.joules += joules;
    }
}

fn respond(mut stream: TcpStream, display: &Mutex<Display>) -> std::io::Result<()> {
    let mut request = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    while request.read_line(&mut line)? > 2 {
        line.clear();
    }
    let body = {
        let display = display.lock().unwrap_or_else(PoisonError::into_inner);
        let watt_hours = (display.joules / 3.6).floor() / 1e3;
        json!({"id": 0, "output": true, "apower": display.watts, "aenergy": {"total": watt_hours}}).to_string()
    };
    write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
}

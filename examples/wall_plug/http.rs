//! One GET over HTTP/1.1, as small devices on a wire answer it. Must not know what is asked for.

use std::error::Error;
use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

/// A device that has not answered by then will not: the sampler has other things to read.
const PATIENCE: Duration = Duration::from_millis(800);

/// A plug says what it has to say in some hundred bytes: what goes on for longer is no plug.
const LONGEST: u64 = 64 << 10;

/// The body that `host` (`192.168.1.7`, `plug.local:8080`) answers for `path`.
pub(crate) fn get(host: &str, path: &str) -> Result<String, Box<dyn Error>> {
    let place = if host.contains(':') { host.to_owned() } else { format!("{host}:80") };
    let address = place.to_socket_addrs()?.next().ok_or("the name has no address")?;
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.take(LONGEST).read_to_string(&mut answer)?;
    body(&answer).map(str::to_owned)
}

/// The body of an answer that says that all is well.
pub(crate) fn body(answer: &str) -> Result<&str, Box<dyn Error>> {
    let (head, body) = answer.split_once("\r\n\r\n").ok_or("the answer is no HTTP")?;
    let status = head.lines().next().unwrap_or_default();
    if status.split(' ').nth(1) == Some("200") { Ok(body) } else { Err(status.to_owned().into()) }
}

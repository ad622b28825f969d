//! A minimal HTTP/1.1 client for GET requests to small devices.

use std::error::Error;
use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

/// Limit of each step of a request. The sampler must read other channels too.
const TIMEOUT: Duration = Duration::from_millis(800);

/// Limit of a response, in bytes. A plug sends some hundred.
const MAX_RESPONSE: u64 = 64 << 10;

/// Sends a GET request for `path` to `host` (`192.168.1.7`, `plug.local:8080`). Returns the body of the response.
pub(crate) fn get(host: &str, path: &str) -> Result<String, Box<dyn Error>> {
    let host_and_port = if host.contains(':') { host.to_owned() } else { format!("{host}:80") };
    let address = host_and_port.to_socket_addrs()?.next().ok_or("the host name has no address")?;
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")?;
    let mut response = String::new();
    stream.take(MAX_RESPONSE).read_to_string(&mut response)?;
    body(&response).map(str::to_owned)
}

/// Returns the body of a response. Another status than 200 is an error.
pub(crate) fn body(response: &str) -> Result<&str, Box<dyn Error>> {
    let (head, body) = response.split_once("\r\n\r\n").ok_or("the response is not HTTP")?;
    let status = head.lines().next().unwrap_or_default();
    if status.split(' ').nth(1) == Some("200") { Ok(body) } else { Err(status.to_owned().into()) }
}

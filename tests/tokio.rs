//! Async benches on tokio: concurrent streams of a server, and tokens recorded by spawned tasks.

use std::sync::Arc;
use std::time::Duration;

use lem_bench::__private::bench::{Driver, EdgeCalls, Fixtures, InputChoice, Iteration, Run, Step, Usage};
use lem_bench::__private::clock::{Clock, RealClock};
use lem_bench::bench::{Bencher, Request};
use lem_bench::units::Stamp;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

const STREAMS: usize = 8;
const TOKENS: usize = 5;
const DELAY: Duration = Duration::from_millis(10);

/// Loads until the given time, and keeps what each request did.
struct Load {
    until: Stamp,
    times: Vec<(Stamp, Stamp)>,
    requests: Vec<(Duration, usize)>,
    failures: Vec<String>,
}

impl Load {
    fn new(time: Duration) -> Self {
        Self { until: RealClock.now() + time, times: Vec::new(), requests: Vec::new(), failures: Vec::new() }
    }

    fn most_in_flight(&self) -> usize {
        let in_flight_at = |at| self.times.iter().filter(|&&(start, stop)| start <= at && at < stop).count();
        self.times.iter().map(|&(start, _)| in_flight_at(start)).max().unwrap_or(0)
    }
}

impl Driver for Load {
    fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(RealClock)
    }

    fn seed(&self) -> u64 {
        1
    }

    fn next(&mut self, in_flight: usize, _edges: &mut dyn EdgeCalls) -> Step {
        match RealClock.now() < self.until {
            true => Step::Run(Run { wake: Some(self.until), ..Run::new(InputChoice::Next, 1) }),
            false if in_flight > 0 => Step::Drain,
            false => Step::Stop,
        }
    }

    fn done(&mut self, iteration: Iteration<'_>) {
        self.times.push((iteration.start, iteration.stop));
        let first = iteration.marks.first().map_or(iteration.start, |mark| mark.at);
        self.requests.push((first.since(iteration.start), iteration.marks.len()));
        self.failures.extend(iteration.failure.map(str::to_owned));
    }
}

/// A server that sends one byte per token.
async fn serve(listener: TcpListener) {
    while let Ok((mut stream, _)) = listener.accept().await {
        tokio::spawn(async move {
            let _prompt = stream.read_u8().await;
            for token in 0..TOKENS {
                tokio::time::sleep(DELAY).await;
                if stream.write_u8(token as u8).await.is_err() {
                    return;
                }
            }
        });
    }
}

async fn read_tokens(address: std::net::SocketAddr, request: Request) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    stream.write_u8(1).await?;
    for _ in 0..TOKENS {
        stream.read_u8().await?;
        request.tokens(1);
    }
    Ok(())
}

fn run(runtime: &Runtime, is_spawned: bool) {
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port is free");
    let address = listener.local_addr().expect("an address");
    runtime.spawn(serve(listener));
    let (mut load, mut usage) = (Load::new(Duration::from_millis(400)), Usage::default());
    let mut b = Bencher::new(&mut load, &mut usage, Fixtures::default());
    b.to_async(runtime).concurrency(STREAMS).iter_requests(["prompt"], async |_prompt, request| {
        if is_spawned {
            tokio::spawn(read_tokens(address, request.handle())).await.expect("the task does not panic")
        } else {
            read_tokens(address, request.handle()).await
        }
    });
    assert_eq!((load.most_in_flight(), load.failures.len()), (STREAMS, 0), "{:?}", load.failures);
    assert!(load.requests.len() >= 2 * STREAMS, "{}", load.requests.len());
    for (ttft, tokens) in &load.requests {
        assert!(*tokens == TOKENS && *ttft >= DELAY, "{tokens} tokens, the first after {ttft:?}");
    }
}

#[test]
fn eight_streams_in_one_task() {
    run(&tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap(), false);
}

#[test]
fn eight_spawned_streams_on_two_threads() {
    run(&tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap(), true);
}

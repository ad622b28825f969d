//! Runs several requests at the same time: the loop that starts and reports them.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use super::driver::Step;
use super::edges::{AtEdge, Edges};
use super::inputs::InputOrder;
use super::load::{Load, LoadShape};
use super::request::Request;
use super::results::Results;
use super::target::Target;
use crate::clock::Clock;
use crate::model::Fact;
use crate::units::Stamp;

/// How often a drain looks whether the bench has to stop.
const STOP_INTERVAL: Duration = Duration::from_millis(50);

/// Makes the seed of arrivals another one than that of the order of inputs.
const ARRIVALS: u64 = 0x6172_7269_7661_6c73;

/// A request to run.
pub(super) struct Ticket {
    /// Which input it gets.
    pub index: usize,
    pub request: Request,
    pub results: Results,
    /// Its arrival; `None` when it starts as soon as it can.
    pub arrival: Option<Stamp>,
}

impl Ticket {
    /// Notes when the request starts: with its arrival, if there was one.
    pub fn start(&mut self, clock: &dyn Clock) {
        self.results.is_arrival = self.arrival.is_some();
        self.results.start = self.arrival.unwrap_or_else(|| clock.now());
    }
}

/// A request that has ended.
pub(super) struct Finished {
    pub ticket: Ticket,
    pub stop: Stamp,
    /// What its closure panicked with.
    pub panic: Option<Box<dyn Any + Send>>,
}

/// Requests that run: on threads, or as futures.
pub(super) trait InFlight {
    /// Starts a request.
    fn start(&mut self, ticket: Ticket);

    /// Waits until requests have ended, at most until the given time. Adds them to `ended`.
    fn wait(&mut self, until: Option<Stamp>, ended: &mut Vec<Finished>);

    /// Ends all requests at once, if possible. Returns whether it was.
    fn cancel(&mut self) -> bool {
        false
    }
}

/// Runs requests until the driver stops.
pub(super) fn run(
    mut target: Target<'_>,
    shape: LoadShape,
    inputs: usize,
    mut edges: Edges<'_, ()>,
    requests: &mut impl InFlight,
) {
    if let Some(fault) = shape.fault() {
        target.usage.failure = Some(fault);
    }
    if !target.may_run(inputs) || target.usage.failure.is_some() {
        return;
    }
    let Target { driver, usage } = target;
    if let Some(load) = shape.describe() {
        driver.fact(Fact::new("load", load));
    }
    let clock = driver.clock();
    let mut order = InputOrder::new(inputs, driver.seed());
    let mut load = Load::new(shape, driver.seed() ^ ARRIVALS);
    let mut pool = Pool::new(Arc::clone(&clock));
    let mut ended = Vec::new();
    let mut in_flight = 0;
    loop {
        // A single request at a time is never in flight at an edge.
        let waits = shape.is_sequential() && in_flight > 0;
        let mut at_edge =
            AtEdge { edges: &mut edges, state_edges: &mut Edges::new(), state: &mut (), usage: &mut *usage };
        let step = if waits { Step::Drain } else { driver.next(in_flight, &mut at_edge) };
        // An edge has failed the bench.
        if usage.failure.is_some() {
            return;
        }
        let until = match step {
            Step::Run(run) => {
                if run.is_start {
                    load.restart();
                }
                while let Some(arrival) = load.due(clock.now(), in_flight) {
                    let arrival = shape.arrivals.map(|_| arrival);
                    requests.start(pool.ticket(order.choose(run.choice), arrival));
                    in_flight += 1;
                }
                [run.wake, load.next_arrival(in_flight)].into_iter().flatten().min()
            }
            Step::Drain if driver.must_stop() && requests.cancel() => return,
            Step::Drain => {
                let now = clock.now();
                for (start, dropped) in load.pause(now) {
                    let results = Results { start, is_arrival: true, dropped, ..Results::default() };
                    driver.done(results.iteration(now));
                }
                Some(now + STOP_INTERVAL)
            }
            Step::Stop if in_flight == 0 || requests.cancel() => return,
            Step::Stop => None,
        };
        requests.wait(until, &mut ended);
        for mut finished in ended.drain(..) {
            in_flight -= 1;
            if let Some(panic) = finished.panic {
                std::panic::resume_unwind(panic);
            }
            if !matches!(step, Step::Stop) {
                let Ticket { request, results, .. } = &mut finished.ticket;
                results.read_request(request);
                if !usage.may_continue_after(&results.recorded.metrics) {
                    return;
                }
                driver.done(results.iteration(finished.stop));
            }
            pool.put_back(finished.ticket);
        }
    }
}

/// Memory of requests that have ended, for the next ones.
struct Pool {
    clock: Arc<dyn Clock>,
    free: Vec<(Request, Results)>,
}

impl Pool {
    fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, free: Vec::new() }
    }

    fn ticket(&mut self, index: usize, arrival: Option<Stamp>) -> Ticket {
        let new = || (Request::new(Arc::clone(&self.clock)), Results::default());
        let (request, results) = self.free.pop().unwrap_or_else(new);
        Ticket { index, request, results, arrival }
    }

    fn put_back(&mut self, ticket: Ticket) {
        let Ticket { mut request, mut results, .. } = ticket;
        request.reset();
        results.clear();
        self.free.push((request, results));
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::super::driver::{Driver, EdgeCalls, Fixtures, InputChoice, Iteration, Run};
    use super::super::load::Arrivals;
    use super::super::target::Usage;
    use super::super::{Bencher, Error};
    use super::*;
    use crate::clock::{RealClock, VirtualClock};

    /// Loads for `load`, then drains, twice. Keeps the reports.
    struct Cycles<C> {
        clock: C,
        load: Duration,
        ends: Vec<Stamp>,
        in_flight: Vec<usize>,
        seen: Vec<Seen>,
        failures: Vec<String>,
    }

    #[derive(Debug, PartialEq)]
    struct Seen {
        start: u64,
        first_token: u64,
        stop: u64,
    }

    impl<C: Clock + Clone + 'static> Cycles<C> {
        fn new(clock: C, load: Duration) -> Self {
            let (ends, in_flight, seen, failures) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
            Self { clock, load, ends, in_flight, seen, failures }
        }

        fn run(&mut self, body: impl FnOnce(Bencher<'_>)) -> Usage {
            let mut usage = Usage::default();
            body(Bencher::new(self, &mut usage, Fixtures::default()));
            usage
        }
    }

    impl<C: Clock + Clone + 'static> Driver for Cycles<C> {
        fn clock(&self) -> Arc<dyn Clock> {
            Arc::new(self.clock.clone())
        }

        fn seed(&self) -> u64 {
            7
        }

        fn next(&mut self, in_flight: usize, _edges: &mut dyn EdgeCalls) -> Step {
            let now = self.clock.now();
            self.in_flight.push(in_flight);
            if self.ends.is_empty() || (now >= self.ends[self.ends.len() - 1] && in_flight == 0) {
                if self.ends.len() == 2 {
                    return Step::Stop;
                }
                self.ends.push(now + self.load);
            }
            let end = self.ends[self.ends.len() - 1];
            let run = Run { wake: Some(end), ..Run::new(InputChoice::Next, 1) };
            if now < end { Step::Run(run) } else { Step::Drain }
        }

        fn done(&mut self, iteration: Iteration<'_>) {
            let first_token = iteration.marks.first().map_or(0, |mark| mark.at.nanos());
            self.seen.push(Seen { start: iteration.start.nanos(), first_token, stop: iteration.stop.nanos() });
            self.failures.extend(iteration.failure.map(str::to_owned));
        }
    }

    #[cfg(feature = "async")]
    const MS: u64 = 1_000_000;

    #[cfg(feature = "async")]
    async fn wait(clock: &VirtualClock, ms: u64) {
        clock.timer(clock.now() + Duration::from_millis(ms)).await;
    }

    #[cfg(feature = "async")]
    #[test]
    fn closed_loop_keeps_two_in_flight_and_drains() {
        let clock = VirtualClock::new();
        let mut cycles = Cycles::new(clock.clone(), Duration::from_millis(25));
        cycles.run(|mut b| {
            b.to_async(&clock).concurrency(2).iter_requests([4, 10], async |ms, request| {
                wait(&clock, 1).await;
                request.tokens(1);
                wait(&clock, *ms).await;
            });
        });
        assert_eq!(cycles.in_flight.iter().max(), Some(&2));
        assert!(cycles.seen.iter().all(|seen| seen.first_token == seen.start + MS));
        let mut lengths: Vec<u64> = cycles.seen.iter().map(|seen| (seen.stop - seen.start) / MS).collect();
        lengths.sort_unstable();
        lengths.dedup();
        assert_eq!(lengths, [5, 11]);
        let first_end = cycles.ends[0].nanos();
        assert!(cycles.seen.iter().any(|seen| seen.start < first_end && seen.stop > first_end), "none was in flight");
        let restart = cycles.ends[1].nanos() - 25 * MS;
        assert!(cycles.seen.iter().all(|seen| seen.start < first_end || seen.start >= restart), "started in a drain");
    }

    #[cfg(feature = "async")]
    #[test]
    fn latency_counts_from_the_arrival() {
        let clock = VirtualClock::new();
        let mut cycles = Cycles::new(clock.clone(), Duration::from_millis(60));
        cycles.run(|mut b| {
            b.to_async(&clock).arrivals(100.0, Arrivals::Constant).concurrency(1).iter_requests([()], async |(), _| {
                wait(&clock, 15).await;
            });
        });
        let waits: Vec<_> = cycles.seen.iter().take(3).map(|seen| (seen.start / MS, seen.stop / MS)).collect();
        assert_eq!(waits, [(0, 15), (10, 30), (20, 45)]);
    }

    #[test]
    fn threads_run_at_the_same_time() {
        let running = AtomicUsize::new(0);
        let most = AtomicUsize::new(0);
        let mut cycles = Cycles::new(RealClock, Duration::from_millis(60));
        cycles.run(|mut b| {
            b.concurrency(4).iter_requests([1_u8, 2], |input, request| {
                most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                std::thread::sleep(Duration::from_millis(5));
                request.tokens(1);
                running.fetch_sub(1, Ordering::SeqCst);
                if *input == 1 { Err("odd") } else { Ok(()) }
            });
        });
        assert_eq!(most.into_inner(), 4);
        assert!(cycles.seen.len() > 8, "{}", cycles.seen.len());
        assert!(!cycles.failures.is_empty() && cycles.failures.len() < cycles.seen.len());
    }

    #[test]
    fn requests_in_flight_have_a_state_each() {
        let made = AtomicUsize::new(0);
        let mut cycles = Cycles::new(RealClock, Duration::from_millis(30));
        let waits = AtomicUsize::new(0);
        cycles.run(|mut b| {
            b.synchronize(|| _ = waits.fetch_add(1, Ordering::SeqCst))
                .with(|| (made.fetch_add(1, Ordering::SeqCst), Rc::new(Cell::new(0))))
                .concurrency(3)
                .iter_requests([1, 2], |(number, calls), _, request| {
                    std::thread::sleep(Duration::from_millis(2));
                    calls.set(calls.get() + 1);
                    request.input_tokens(*number);
                });
        });
        assert_eq!(made.into_inner(), 3);
        assert!(cycles.seen.len() > 6 && cycles.failures.is_empty(), "{}", cycles.seen.len());
    }

    #[cfg(feature = "async")]
    #[test]
    fn futures_in_flight_have_a_state_each() {
        let clock = VirtualClock::new();
        let made = Cell::new(0);
        let mut cycles = Cycles::new(clock.clone(), Duration::from_millis(60));
        let make = || {
            made.set(made.get() + 1);
            Vec::new()
        };
        cycles.run(|mut b| {
            b.concurrency(2).to_async(&clock).with(make).iter_requests([1, 2], async |seen, input, _| {
                wait(&clock, *input).await;
                seen.push(*input);
            });
        });
        assert_eq!(made.get(), 2);
        assert!(cycles.seen.len() > 40, "{}", cycles.seen.len());
    }

    #[test]
    #[should_panic(expected = "or after `concurrency`")]
    fn rejects_synchronize_of_a_state_that_requests_do_not_share() {
        let mut cycles = Cycles::new(RealClock, Duration::from_millis(20));
        cycles.run(|mut b| b.with(|| 1).synchronize(|_| ()).concurrency(2).iter_requests([1], |_, _, _| ()));
    }

    #[test]
    fn panic_of_a_request_ends_the_bench() {
        let result = std::panic::catch_unwind(|| {
            Cycles::new(RealClock, Duration::from_millis(20)).run(|mut b| {
                b.concurrency(2).iter_requests([1], |_, _| -> Result<(), Error> { panic!("lost the connection") });
            });
        });
        let text = *result.unwrap_err().downcast::<&str>().unwrap();
        assert_eq!(text, "lost the connection");
    }

    #[test]
    fn rejects_impossible_loads() {
        let mut cycles = Cycles::new(VirtualClock::new(), Duration::from_millis(1));
        let usage = cycles.run(|mut b| b.arrivals(-2.0, Arrivals::Poisson).iter_requests([1], |_, _| ()));
        assert!(usage.failure.unwrap().contains("arrivals(-2)"));
        assert!(cycles.seen.is_empty());
    }
}

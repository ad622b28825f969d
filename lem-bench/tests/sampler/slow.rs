//! A slow meter does not delay the measured thread.

use std::sync::Arc;
use std::time::{Duration, Instant};

use lem_bench::__private::clock::{Clock, RealClock};
use lem_bench::__private::sampler::{Sampler, SamplerConfig};
use lem_bench::meter::{Channel, Meter, Quantity, ReadError, Value};
use lem_bench::meter::{Domain, DomainKind, Origin};
use lem_bench::summary::MeterProbe;

use crate::generated::{Generated, domain};

/// The duration of a read.
const READ: Duration = Duration::from_millis(200);

/// A counter of 100 W in mJ that sleeps in every read.
struct Slow {
    from: Instant,
    domains: Vec<Domain>,
    channels: Vec<Channel>,
}

impl Slow {
    fn new() -> Self {
        let domains = vec![Domain::new(domain(), DomainKind::Gpu, "slow")];
        let channels = vec![Channel::new(domain(), Quantity::Energy { unit_j: 1e-3, modulus: None })];
        Self { from: Instant::now(), domains, channels }
    }
}

impl Meter for Slow {
    fn name(&self) -> &'static str {
        "slow"
    }

    fn origin(&self) -> Origin {
        Origin::Simulated
    }

    fn domains(&self) -> &[Domain] {
        &self.domains
    }

    fn channels(&self) -> &[Channel] {
        &self.channels
    }

    fn read(&mut self, _channel: usize) -> Result<Value, ReadError> {
        let counts = self.from.elapsed().as_millis() as u64 * 100;
        std::thread::sleep(READ);
        Ok(Value::Count(counts))
    }
}

fn probe() -> MeterProbe {
    let counter = Generated {
        power: vec![(0.0, 100.0)],
        period: 0.001,
        phase: 0.0,
        jitter: 0.0,
        unit_j: 1e-3,
        modulus: None,
        begins_at: 0,
        reset: None,
        back: None,
        failing: 0.0,
    };
    let mut probe = counter.probe();
    probe.channels[0].read_cost_s = READ.as_secs_f64();
    probe
}

#[test]
fn edge_does_not_wait_for_slow_read() {
    let clock = Arc::new(RealClock);
    let sampler = Sampler::start(
        Box::new(Slow::new()),
        Arc::clone(&clock) as Arc<dyn Clock>,
        &probe(),
        SamplerConfig::for_meter(&probe()),
    )
    .unwrap();
    std::thread::sleep(Duration::from_millis(250));
    let start = clock.now();
    let mut waits: Vec<Duration> = Vec::new();
    sampler.edge(start);
    while clock.now() < start + Duration::from_millis(900) {
        let before = Instant::now();
        sampler.expect_edge(clock.now() + Duration::from_millis(5));
        let _ = (sampler.hottest(), sampler.lost_domain_count());
        waits.push(before.elapsed());
        std::thread::sleep(Duration::from_millis(2));
    }
    let before = Instant::now();
    let stop = clock.now();
    sampler.edge(stop);
    waits.push(before.elapsed());
    // A read is in progress nearly all the time, and waiting for it would take tens of milliseconds. The machine may be
    // busy, so this checks the 90th percentile.
    waits.sort_unstable();
    assert!(waits.len() > 50 && waits[waits.len() * 9 / 10] < Duration::from_millis(2), "{waits:?}");
    sampler.wait_until_sampled(stop);
    let energy = sampler.energy(start, stop, &[domain()]).remove(0);
    let expected = 100.0 * stop.since(start).as_secs_f64();
    // A read of 200 ms may return the value of any moment in it.
    assert!((energy.joules.get() - expected).abs() < 45.0, "{energy:?} {expected}");
    assert!(energy.low.get() <= expected && expected <= energy.high.get(), "{energy:?} {expected}");
}

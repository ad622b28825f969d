//! How often a GPU's channels are read: power ten times a second, slow gauges twice a second, the counter at edges.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lem_bench::__private::clock::{Clock, VirtualClock};
use lem_bench::__private::sampler::{Sampler, SamplerConfig};
use lem_bench::meter::{Channel, Meter, Quantity, ReadError, Value};
use lem_bench::meter::{Domain, DomainId, DomainKind, Origin};
use lem_bench::summary::{ChannelProbe, MeterProbe};
use lem_bench::units::Stamp;

use crate::generated::domain;

/// Number of reads by the quantity's name.
type Calls = Arc<Mutex<BTreeMap<String, u32>>>;

/// A GPU with NVML's channels: a counter that ticks every 100 ms, 200 W, and 50 °C that rise by one degree per second.
struct Gpu {
    clock: VirtualClock,
    domains: Vec<Domain>,
    channels: Vec<Channel>,
    calls: Calls,
}

const COUNTER: Quantity = Quantity::Energy { unit_j: 1e-3, modulus: None };

impl Gpu {
    fn new(clock: &VirtualClock, calls: &Calls) -> Self {
        let domains = vec![Domain::new(domain(), DomainKind::Gpu, "gpu")];
        let quantities = [
            COUNTER,
            Quantity::Power,
            Quantity::Temperature,
            Quantity::SmClock,
            Quantity::MemoryClock,
            Quantity::Utilisation,
            Quantity::MemoryUsed,
            Quantity::ThrottleReasons,
        ];
        let channels = quantities.map(|quantity| Channel::new(domain(), quantity)).into();
        Self { clock: clock.clone(), domains, channels, calls: Arc::clone(calls) }
    }

    /// Returns the GPU with an additional counter that never moves, as some virtual machines have one.
    fn with_dead_counter(clock: &VirtualClock, calls: &Calls) -> Self {
        let mut gpu = Self::new(clock, calls);
        gpu.domains.push(Domain::new(dead(), DomainKind::Board, "psys"));
        gpu.channels.push(Channel::new(dead(), COUNTER));
        gpu
    }
}

fn dead() -> DomainId {
    DomainId::new("cpu:psys")
}

impl Meter for Gpu {
    fn name(&self) -> &'static str {
        "gpu"
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

    fn read(&mut self, channel: usize) -> Result<Value, ReadError> {
        let quantity = self.channels[channel].quantity;
        if self.channels[channel].domain == dead() {
            return Ok(Value::Count(0));
        }
        let name = format!("{quantity:?}").split_whitespace().next().unwrap().to_owned();
        *self.calls.lock().unwrap().entry(name).or_default() += 1;
        let seconds = self.clock.now().seconds();
        Ok(match quantity {
            Quantity::Energy { .. } => Value::Count((seconds * 10.0).floor() as u64 * 20_000),
            Quantity::Power => Value::Level(200.0),
            Quantity::Temperature => Value::Level(50.0 + seconds.floor()),
            // Throttled from 8 s to 9 s.
            Quantity::ThrottleReasons => Value::Bits(if (8.0..9.0).contains(&seconds) { 0x40 } else { 0 }),
            _ => Value::Level(1.0),
        })
    }
}

/// Returns the probe of an H200: a read of the counter takes 3.3 ms, of the power field 6 µs.
fn probe() -> MeterProbe {
    let channel = |counter, read_cost_s| {
        let mut channel = ChannelProbe::new(domain(), counter);
        channel.update_period_s = Some(0.1);
        channel.read_cost_s = read_cost_s;
        channel.updates = 20;
        channel.averaging_s = Some(0.1);
        channel
    };
    let channels = vec![channel(true, 3.3e-3), channel(false, 6e-6)];
    {
        let mut probe = MeterProbe::new("gpu", Origin::Simulated, channels);
        probe.temperature = true;
        probe
    }
}

fn at(seconds: f64) -> Stamp {
    Stamp((seconds * 1e9) as u64)
}

#[test]
fn reads_slow_gauges_twice_a_second() {
    let (clock, calls) = (VirtualClock::new(), Calls::default());
    let config = SamplerConfig::for_meter(&probe());
    let sampler = Sampler::attach(Box::new(Gpu::new(&clock, &calls)), &clock, &probe(), config);
    // A window from 5 s to 15 s whose edges are between the ticks and trace points.
    let (start, stop) = (at(5.03), at(15.07));
    for edge in [start, stop] {
        sampler.expect_edge(edge);
        clock.sleep_until(edge);
        sampler.edge(edge);
    }
    clock.sleep_until(at(20.0));
    let calls = calls.lock().unwrap().clone();
    let count = |name: &str| calls.get(name).copied().unwrap_or(0);
    assert!((199..=202).contains(&count("Power")), "{calls:?}");
    for slow in ["Temperature", "SmClock", "MemoryClock", "Utilisation", "MemoryUsed", "ThrottleReasons"] {
        assert!((38..=44).contains(&count(slow)), "{slow}: {calls:?}");
    }
    // At most five at each edge, and one every five seconds.
    assert!(count("Energy") <= 2 * 6 + 5, "{calls:?}");

    // This is precise enough: the temperature is at most half a second old at the edge, and throttling of one second is
    // seen to within one reading.
    let celsius = |edge| sampler.temperatures_at(edge)[0].1;
    assert!((54.0..=55.0).contains(&celsius(start)) && (64.0..=65.0).contains(&celsius(stop)));
    let evidence = sampler.gauge_evidence(&[(start, stop)]).remove(0);
    let (_, seconds) = evidence.held_s[0];
    assert!((seconds - 1.0).abs() <= 0.51, "{evidence:?}");
    assert!((evidence.looked_s - 10.0).abs() < 0.6, "{evidence:?}");
    let energy = sampler.energy(start, stop, &[domain()]).remove(0);
    // Reads 25 ms apart give the moment of a tick to 12 ms, 2.5 J.
    assert!((energy.joules.get() - 200.0 * 10.04).abs() < 5.1, "{energy:?}");
    assert!(energy.low.get() < 2008.0 && 2008.0 < energy.high.get(), "{energy:?}");
    clock.detach_all();
}

#[test]
fn reads_all_gauges_after_edge() {
    let (clock, calls) = (VirtualClock::new(), Calls::default());
    let config = SamplerConfig::for_meter(&probe());
    let sampler = Sampler::attach(Box::new(Gpu::new(&clock, &calls)), &clock, &probe(), config);
    clock.sleep_until(at(1.01));
    let before = calls.lock().unwrap()["Temperature"];
    sampler.edge(clock.now());
    clock.sleep(Duration::from_millis(110));
    assert_eq!(calls.lock().unwrap()["Temperature"], before + 1);
    clock.detach_all();
}

#[test]
fn dead_counter_adds_no_reads() {
    let (clock, calls) = (VirtualClock::new(), Calls::default());
    // The probe of a counter with a stated period that never moves. Reads of it take nearly no time.
    let mut probe = probe();
    let mut dead_channel = probe.channels[0].clone();
    dead_channel.domain = dead();
    dead_channel.update_period_s = Some(1e-3);
    dead_channel.updates = 0;
    dead_channel.read_cost_s = 1e-5;
    probe.channels.push(dead_channel);
    let config = SamplerConfig::for_meter(&probe);
    let sampler = Sampler::attach(Box::new(Gpu::with_dead_counter(&clock, &calls)), &clock, &probe, config);
    clock.sleep_until(at(1.0));
    let before = calls.lock().unwrap()["Energy"];
    // The edges of ten cycles of about 5.5 s, at all phases of the counter.
    let mut edges = 0;
    for cycle in 0..10 {
        let from = 1.0 + 5.5 * f64::from(cycle) + 0.0618 * f64::from(cycle);
        for edge in [from + 0.3, from + 1.0, from + 1.5, from + 5.5] {
            sampler.expect_edge(at(edge));
            clock.sleep_until(at(edge));
            // The read is a little after the edge.
            clock.sleep(Duration::from_micros(1));
            sampler.edge(at(edge));
            edges += 1;
        }
        clock.sleep(Duration::from_millis(220));
    }
    let reads = calls.lock().unwrap()["Energy"] - before;
    // One at the edge, one every 25 ms until the tick, which follows after 50 ms on average, and one every five seconds.
    let per_edge = f64::from(reads) / f64::from(edges);
    assert!((3.0..=4.2).contains(&per_edge), "{per_edge} reads per edge");
    clock.detach_all();
}

//! How often a GPU's numbers are read: its power ten times a second, what changes slowly twice, its counter at edges.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lem_bench::clock::{Clock, VirtualClock};
use lem_bench::meter::{Channel, Meter, Quantity, ReadError, Value};
use lem_bench::model::{ChannelProbe, Domain, DomainId, DomainKind, MeterProbe, Origin};
use lem_bench::sampler::{Sampler, SamplerConfig};
use lem_bench::units::Stamp;

use crate::generated::domain;

/// Calls of each quantity's name.
type Calls = Arc<Mutex<BTreeMap<String, u32>>>;

/// A card as NVML shows one: a counter that ticks every 100 ms, 200 W, 50 °C and one more at each second.
struct Card {
    clock: VirtualClock,
    domains: Vec<Domain>,
    channels: Vec<Channel>,
    calls: Calls,
}

const COUNTER: Quantity = Quantity::Energy { unit_j: 1e-3, modulus: None };

impl Card {
    fn new(clock: &VirtualClock, calls: &Calls) -> Self {
        let domains = vec![Domain { id: domain(), kind: DomainKind::Gpu, parent: None, label: "card".into() }];
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

    /// The card beside a counter of the machine that never moves, as some virtual machines show one.
    fn beside_a_dead_counter(clock: &VirtualClock, calls: &Calls) -> Self {
        let mut card = Self::new(clock, calls);
        card.domains.push(Domain { id: dead(), kind: DomainKind::Board, parent: None, label: "psys".into() });
        card.channels.push(Channel::new(dead(), COUNTER));
        card
    }
}

fn dead() -> DomainId {
    DomainId::new("cpu:psys")
}

impl Meter for Card {
    fn name(&self) -> &'static str {
        "card"
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
            // The hardware slows it down from 8 s to 9 s.
            Quantity::ThrottleReasons => Value::Bits(if (8.0..9.0).contains(&seconds) { 0x40 } else { 0 }),
            _ => Value::Level(1.0),
        })
    }
}

/// Reads of the counter cost 3.3 ms and those of the power field 6 µs, as on an H200.
fn probe() -> MeterProbe {
    let channel = |counter, read_cost_s| ChannelProbe {
        domain: domain(),
        counter,
        update_period_s: Some(0.1),
        quantum: None,
        read_cost_s,
        updates: 20,
        averaging_s: Some(0.1),
        dense_reads: None,
        safe_interval_s: None,
    };
    let channels = vec![channel(true, 3.3e-3), channel(false, 6e-6)];
    MeterProbe { meter: "card".to_owned(), origin: Origin::Simulated, channels, temperature: true }
}

fn at(seconds: f64) -> Stamp {
    Stamp((seconds * 1e9) as u64)
}

#[test]
fn what_changes_slowly_is_read_twice_a_second_and_at_edges() {
    let (clock, calls) = (VirtualClock::new(), Calls::default());
    let config = SamplerConfig::for_meter(&probe());
    let sampler = Sampler::attach(Box::new(Card::new(&clock, &calls)), &clock, &probe(), config);
    // A window from 5 s to 15 s, at edges that lie in the middle of everything.
    let (start, stop) = (at(5.03), at(15.07));
    for edge in [start, stop] {
        sampler.expect_edge(edge);
        clock.sleep_until(edge);
        sampler.edge(edge);
    }
    clock.sleep_until(at(20.0));
    let calls = calls.lock().unwrap().clone();
    let of = |name: &str| calls.get(name).copied().unwrap_or(0);
    assert!((199..=202).contains(&of("Power")), "{calls:?}");
    for slow in ["Temperature", "SmClock", "MemoryClock", "Utilisation", "MemoryUsed", "ThrottleReasons"] {
        assert!((38..=44).contains(&of(slow)), "{slow}: {calls:?}");
    }
    // Five at each edge at most, and one every five seconds.
    assert!(of("Energy") <= 2 * 6 + 5, "{calls:?}");

    // Nothing is lost by it: the temperature is that of the edge or of half a second before it, and a slowdown of a
    // second is a second long, give or take a look.
    let celsius = |edge| sampler.temperatures_at(edge)[0].1;
    assert!((54.0..=55.0).contains(&celsius(start)) && (64.0..=65.0).contains(&celsius(stop)));
    let evidence = sampler.gauge_evidence(&[(start, stop)]).remove(0);
    let (_, seconds) = evidence.held_s[0];
    assert!((seconds - 1.0).abs() <= 0.51, "{evidence:?}");
    assert!((evidence.looked_s - 10.0).abs() < 0.6, "{evidence:?}");
    let energy = sampler.energy(start, stop, &[domain()]).remove(0);
    // Reads 25 ms apart place a tick to 12 ms, 2.5 J.
    assert!((energy.joules.get() - 200.0 * 10.04).abs() < 5.1, "{energy:?}");
    assert!(energy.low.get() < 2008.0 && 2008.0 < energy.high.get(), "{energy:?}");
    clock.detach_all();
}

#[test]
fn an_edge_is_told_by_all_gauges_soon_after_it() {
    let (clock, calls) = (VirtualClock::new(), Calls::default());
    let config = SamplerConfig::for_meter(&probe());
    let sampler = Sampler::attach(Box::new(Card::new(&clock, &calls)), &clock, &probe(), config);
    clock.sleep_until(at(1.01));
    let before = calls.lock().unwrap()["Temperature"];
    sampler.edge(clock.now());
    clock.sleep(Duration::from_millis(110));
    assert_eq!(calls.lock().unwrap()["Temperature"], before + 1);
    clock.detach_all();
}

#[test]
fn a_counter_is_read_until_it_has_ticked_whatever_another_does() {
    let (clock, calls) = (VirtualClock::new(), Calls::default());
    // What a probe finds of a counter that tells its period and never moves: reads of it cost next to nothing.
    let mut probe = probe();
    let still = ChannelProbe { domain: dead(), update_period_s: Some(1e-3), updates: 0, ..probe.channels[0].clone() };
    probe.channels.push(ChannelProbe { read_cost_s: 1e-5, ..still });
    let config = SamplerConfig::for_meter(&probe);
    let sampler = Sampler::attach(Box::new(Card::beside_a_dead_counter(&clock, &calls)), &clock, &probe, config);
    clock.sleep_until(at(1.0));
    let before = calls.lock().unwrap()["Energy"];
    // The edges of ten cycles of about 5.5 s, at all phases of the counter: its gap, and its window.
    let mut edges = 0;
    for cycle in 0..10 {
        let from = 1.0 + 5.5 * f64::from(cycle) + 0.0618 * f64::from(cycle);
        for edge in [from + 0.3, from + 1.0, from + 1.5, from + 5.5] {
            sampler.expect_edge(at(edge));
            clock.sleep_until(at(edge));
            // A read takes time, and is after the edge.
            clock.sleep(Duration::from_micros(1));
            sampler.edge(at(edge));
            edges += 1;
        }
        clock.sleep(Duration::from_millis(220));
    }
    let reads = calls.lock().unwrap()["Energy"] - before;
    // One at the edge, one each 25 ms until the tick, which comes 50 ms after it on average, and one in five seconds.
    let each = f64::from(reads) / f64::from(edges);
    assert!((3.0..=4.2).contains(&each), "{each} reads an edge");
    clock.detach_all();
}

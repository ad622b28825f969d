//! Measures windows on many machines, with the sampler and with reads of the counter at the edges.

use std::time::Duration;

use lem_bench::__private::clock::{Clock, VirtualClock};
use lem_bench::__private::sampler::{ProbeEffort, Sampler, SamplerConfig, probe};
use lem_bench::__private::sim::{Machine, Seeds, Shape, Workload};
use lem_bench::EnergyMeter;
use lem_bench::meter::DomainId;
use lem_bench::meter::{Meter, Quantity, Value};
use lem_bench::summary::MeterProbe;
use lem_bench::units::Stamp;

use crate::machine::{Edges, Setting};

/// Lengths of the windows, in ms.
const LENGTHS_MS: [u64; 5] = [500, 1000, 2000, 5000, 10_000];

const EFFORT: ProbeEffort = ProbeEffort { min: Duration::from_secs(1), max: Duration::from_secs(3) };

/// The energies of a window in J.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    pub(crate) truth: f64,
    pub(crate) naive: f64,
    pub(crate) measured: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
    /// The standard uncertainty of `measured`.
    pub(crate) uncertainty: f64,
}

/// Measures one window of each length on each of `runs` machines; returns lengths in s and windows.
pub(crate) fn windows(setting: Setting, runs: u64) -> Result<Vec<(f64, Vec<Window>)>, String> {
    let per_run = all(runs, |run| {
        let mut bench = Bench::new(setting, run)?;
        LENGTHS_MS.iter().map(|ms| bench.window(setting.edges, Duration::from_millis(*ms))).collect()
    })?;
    let of = |index: usize| per_run.iter().map(|windows: &Vec<Window>| windows[index]).collect();
    Ok(LENGTHS_MS.iter().enumerate().map(|(index, ms)| (*ms as f64 / 1e3, of(index))).collect())
}

/// Measures ten windows of ten seconds on each of `runs` machines.
pub(crate) fn tens(setting: Setting, runs: u64) -> Result<Vec<Vec<Window>>, String> {
    all(runs, |run| {
        let mut bench = Bench::new(setting, run)?;
        (0..10).map(|_| bench.window(setting.edges, Duration::from_secs(10))).collect()
    })
}

/// Calls `work` for each run, on all cores.
fn all<T: Send>(runs: u64, work: impl Fn(u64) -> Result<T, String> + Sync) -> Result<Vec<T>, String> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    let chunks: Vec<Vec<Result<T, String>>> = std::thread::scope(|scope| {
        let part = |thread: u64| {
            let work = &work;
            scope.spawn(move || (thread..runs).step_by(threads as usize).map(work).collect())
        };
        let handles: Vec<_> = (0..threads).map(part).collect();
        let join = |handle: std::thread::ScopedJoinHandle<'_, Vec<Result<T, String>>>| {
            handle.join().unwrap_or_else(|_| vec![Err("a run panicked".to_owned())])
        };
        handles.into_iter().map(join).collect()
    });
    chunks.into_iter().flatten().collect()
}

/// A machine with a meter.
struct Bench {
    machine: Machine,
    clock: VirtualClock,
    workload: Workload,
    ours: Ours,
    /// The same counter for naive reads.
    naive: Box<dyn Meter>,
    unit_j: f64,
    domain: DomainId,
    /// The state of the random number generator.
    draws: u64,
}

enum Ours {
    Meter(EnergyMeter),
    Sampler(Sampler),
}

impl Bench {
    fn new(setting: Setting, run: u64) -> Result<Self, String> {
        let scenario = setting.scenario()?;
        let machine = Machine::new(&scenario, Seeds { run, bench: 0 }).map_err(|error| error.to_string())?;
        let clock = machine.clock();
        let mut meter = machine.meter();
        let domain = meter.domains()[0].id.clone();
        let Quantity::Energy { unit_j, .. } = meter.channels()[0].quantity else {
            return Err("the machine's first sensor is not a counter".to_owned());
        };
        let probed: MeterProbe = probe(&mut *meter, &clock, EFFORT);
        let sampler = Sampler::attach(meter, &clock, &probed, SamplerConfig::for_meter(&probed));
        let ours = match setting.edges {
            Edges::IdleSide => Ours::Meter(EnergyMeter::with_sampler(sampler, probed, vec![domain.clone()])),
            Edges::Load => Ours::Sampler(sampler),
        };
        let naive = machine.meter();
        let mut workload = machine.workload();
        workload.load_model();
        Ok(Self {
            machine,
            clock,
            workload,
            ours,
            naive,
            unit_j,
            domain,
            draws: run.wrapping_mul(0xD134_2543_DE82_EF95),
        })
    }

    /// Rests until the power of earlier load has decayed, then measures.
    fn window(&mut self, edges: Edges, length: Duration) -> Result<Window, String> {
        // The probe ends at a tick. Without a random rest, every window would start at the same phase of the sensor.
        let phase = self.draw();
        self.clock.sleep(Duration::from_secs(4) + Duration::from_millis(100).mul_f64(phase));
        match edges {
            Edges::IdleSide => self.measure_from_rest(length),
            Edges::Load => self.measure_within_load(length),
        }
    }

    /// Returns a random number from 0 to 1 (`SplitMix64`).
    fn draw(&mut self) -> f64 {
        self.draws = self.draws.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.draws;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    fn measure_from_rest(&mut self, length: Duration) -> Result<Window, String> {
        let Self { clock, workload, ours, naive, .. } = self;
        let Ours::Meter(meter) = ours else { return Err("rest at the edges needs the energy meter".to_owned()) };
        let measured = meter
            .measure(|| {
                let (start, from) = (clock.now(), count(&mut **naive)?);
                run_for(workload, clock, start + length);
                Ok::<_, String>((start, clock.now(), count(&mut **naive)? - from))
            })
            .map_err(|error| error.to_string())?;
        let (start, stop, counts) = measured.value?;
        Ok(Window {
            truth: self.machine.truth(start, stop).get(),
            naive: counts * self.unit_j,
            measured: measured.energy.get(),
            low: measured.low.get(),
            high: measured.high.get(),
            uncertainty: measured.uncertainty.total().get(),
        })
    }

    fn measure_within_load(&mut self, length: Duration) -> Result<Window, String> {
        let Self { clock, workload, ours, naive, .. } = self;
        let Ours::Sampler(sampler) = ours else { return Err("load at the edges needs the sampler".to_owned()) };
        let mut edge = |after: Duration| {
            let at = clock.now() + after;
            sampler.expect_edge(at);
            run_for(workload, clock, at);
            let now = clock.now();
            sampler.edge(now);
            Ok::<_, String>((now, count(&mut **naive)?))
        };
        let (start, from) = edge(Duration::from_secs(1))?;
        let (stop, to) = edge(length)?;
        run_for(workload, clock, stop + Duration::from_millis(300));
        let energy = sampler.energy(start, stop, std::slice::from_ref(&self.domain));
        sampler.discard_before(clock.now());
        let energy = energy.first().ok_or("the sampler has no energy for the window")?;
        Ok(Window {
            truth: self.machine.truth(start, stop).get(),
            naive: (to - from) * self.unit_j,
            measured: energy.joules.get(),
            low: energy.low.get(),
            high: energy.high.get(),
            uncertainty: energy.uncertainty.map_or(f64::NAN, |uncertainty| uncertainty.total().get()),
        })
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.clock.detach_all();
    }
}

/// Runs requests until the first that ends at or after `until`.
fn run_for(workload: &mut Workload, clock: &VirtualClock, until: Stamp) {
    while clock.now() < until {
        let request = workload.next_request(Shape::Drawn);
        workload.run(request, &mut |_| {});
    }
}

fn count(meter: &mut dyn Meter) -> Result<f64, String> {
    match meter.read(0) {
        Ok(Value::Count(count)) => Ok(count as f64),
        other => Err(format!("the counter returned {other:?}")),
    }
}

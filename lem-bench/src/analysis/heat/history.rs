//! What the sensors showed of one device during a bench: its power over time, and when its temperature reading changed.

use crate::analysis::assemble::ProcessRecords;
use crate::analysis::cycles::energy_of;
use crate::model::{CycleRecord, DomainId, IdleBlock, Trace, WindowRecord};
use crate::units::Stamp;

/// The step of the power over time, in seconds, for benches up to [`MAX_STEPS`] times as long.
const STEP_S: f64 = 0.25;

/// The largest number of steps. Longer benches have longer steps.
const MAX_STEPS: usize = 20_000;

/// The longest time without a reading of the power, in seconds. Other benches may have run in it.
const MAX_HOLE_S: f64 = 5.0;

/// The share of a warm-up whose power is not used: first requests compile and allocate.
const IGNORED_WARM_UP: f64 = 0.15;

/// The length of the blocks of load in a warm-up, in seconds.
const BLOCK_S: f64 = 2.0;

/// The number of blocks of idle before the warm-up whose power is used, from the last. At the start of the idle, it is not
/// known how far a small thermal mass is from equilibrium.
const USED_IDLE_BLOCKS: usize = 2;

/// The number of parts of a warm-up, and of the cycles, that are left out in turn for the standard errors.
pub(super) const PARTS: usize = 5;

/// A reading that changed by more steps than this at once gives two temperatures, before and after.
const MAX_STEPS_AT_ONCE: f64 = 3.0;

/// With fewer changes of the temperature reading, all readings are used.
const ENOUGH_CHANGES: usize = 8;

/// A span of time with its mean power.
#[derive(Debug, Clone, Copy)]
pub(super) struct Block {
    pub start_s: f64,
    pub stop_s: f64,
    pub watts: f64,
    /// The part of the bench that it belongs to.
    pub part: usize,
}

/// A temperature at a moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading {
    pub at_s: f64,
    pub celsius: f64,
    pub part: usize,
}

/// The windows of a cycle, and the rest before them.
#[derive(Debug, Clone)]
pub(super) struct CycleBlocks {
    pub windows: Vec<Block>,
    pub idle: Option<Block>,
    pub part: usize,
}

/// A device during a bench. Times are seconds since the start of `watts`.
#[derive(Debug, Clone)]
pub(super) struct DeviceHistory {
    pub step_s: f64,
    /// Mean power in each step.
    pub watts: Vec<f64>,
    /// When the temperature reading changed; where it hardly did, all readings.
    pub readings: Vec<Reading>,
    /// Load in the warm-up.
    pub warm_up: Vec<Block>,
    /// The end of the rest before the warm-up.
    pub idle: Vec<Block>,
    pub cycles: Vec<CycleBlocks>,
    /// The highest reading of the temperature, in °C.
    pub highest_c: f64,
}

impl DeviceHistory {
    /// Returns the history of `domain` in the warm-up and these cycles of a process.
    ///
    /// # Errors
    /// What is missing.
    pub fn new(process: &ProcessRecords<'_>, domain: &DomainId, cycles: &[&CycleRecord]) -> Result<Self, String> {
        let warm_up = process.warm_up.ok_or("the warm-up was not recorded")?;
        let last = cycles.iter().flat_map(|cycle| &cycle.windows).map(|window| window.stop).max();
        let stop = last.ok_or("no window is complete")?;
        let idle = process.loaded_idle.map(|idle| idle.blocks.as_slice()).unwrap_or_default();
        let start = idle.first().map_or(warm_up.start, |block| block.start.min(warm_up.start));
        let traces: Vec<&Trace> = warm_up
            .traces
            .iter()
            .chain(cycles.iter().flat_map(|cycle| &cycle.traces))
            .filter(|trace| trace.domain == *domain)
            .collect();
        let is_gauge = process.header.probe.channel(domain, false).is_some();
        let mut grid = Grid::new(start, stop);
        grid.add_traces(&traces, is_gauge);
        let gaps = cycles.iter().filter_map(|cycle| cycle.idle.as_ref());
        let windows = || cycles.iter().flat_map(|cycle| &cycle.windows);
        grid.scale(windows(), domain)?;
        for block in idle.iter().chain(gaps) {
            grid.set(block, domain);
        }
        let warm_up = (seconds(warm_up.start, start), seconds(warm_up.stop, start));
        let step_s = grid.step_s;
        let watts = grid.finish()?;
        let cycles = cycle_blocks(cycles, domain, start)?;
        let part_of = |at_s: f64| part_of(at_s, warm_up, &cycles);
        let (readings, highest_c) = temperatures(&traces, start, &part_of);
        let blocks = warm_up_blocks(&watts, step_s, warm_up);
        let to_idle = |(number, block): (usize, &IdleBlock)| idle_block(block, domain, start, number % PARTS);
        Ok(Self {
            step_s,
            watts,
            readings,
            warm_up: blocks.into_iter().map(|block| Block { part: part_of(block.start_s), ..block }).collect(),
            idle: idle
                .iter()
                .enumerate()
                .skip(idle.len().saturating_sub(USED_IDLE_BLOCKS))
                .filter_map(to_idle)
                .collect(),
            cycles,
            highest_c,
        })
    }

    /// Returns the number of parts that can be left out.
    pub fn parts(&self) -> usize {
        PARTS + self.cycles.last().map_or(0, |cycle| cycle.part + 1 - PARTS)
    }
}

fn seconds(at: Stamp, start: Stamp) -> f64 {
    (at.nanos() as f64 - start.nanos() as f64) * 1e-9
}

/// Returns the part of the bench that contains a time: a fifth of the warm-up, or the cycle that ends next.
fn part_of(at_s: f64, (from, to): (f64, f64), cycles: &[CycleBlocks]) -> usize {
    if at_s < to || cycles.is_empty() {
        let share = (at_s - from) / (to - from);
        return ((share * PARTS as f64) as usize).min(PARTS - 1);
    }
    let ends_after = |cycle: &&CycleBlocks| cycle.windows.last().is_some_and(|window| window.stop_s > at_s);
    cycles.iter().find(ends_after).or(cycles.last()).map_or(PARTS - 1, |cycle| cycle.part)
}

fn cycle_blocks(cycles: &[&CycleRecord], domain: &DomainId, start: Stamp) -> Result<Vec<CycleBlocks>, String> {
    let parts = cycles.len().min(PARTS);
    let blocks = |(number, cycle): (usize, &&CycleRecord)| {
        let part = PARTS + number * parts / cycles.len();
        let window = |window: &WindowRecord| {
            let energy = energy_of(window, domain)?;
            let (start_s, stop_s) = (seconds(window.start, start), seconds(window.stop, start));
            (stop_s > start_s).then(|| Block { start_s, stop_s, watts: energy.joules.get() / (stop_s - start_s), part })
        };
        let windows: Vec<Block> = cycle.windows.iter().map(window).collect::<Option<_>>()?;
        let idle = cycle.idle.as_ref().and_then(|idle| idle_block(idle, domain, start, part));
        (!windows.is_empty()).then_some(CycleBlocks { windows, idle, part })
    };
    cycles.iter().enumerate().map(blocks).collect::<Option<_>>().ok_or_else(|| "a window has no energy".to_owned())
}

fn idle_block(block: &IdleBlock, domain: &DomainId, start: Stamp, part: usize) -> Option<Block> {
    let (_, power) = block.power.iter().find(|(id, _)| id == domain)?;
    let (start_s, stop_s) = (seconds(block.start, start), seconds(block.stop, start));
    (stop_s > start_s).then(|| Block { start_s, stop_s, watts: power.get(), part })
}

fn warm_up_blocks(watts: &[f64], step_s: f64, (from, to): (f64, f64)) -> Vec<Block> {
    let first = from + ((to - from) * IGNORED_WARM_UP).max(BLOCK_S);
    // Damaged stamps may be centuries apart.
    let count = ((to - first) / BLOCK_S).clamp(0.0, watts.len() as f64) as usize;
    let block = |number: usize| {
        let start_s = first + number as f64 * BLOCK_S;
        let (low, high) = ((start_s / step_s).ceil() as usize, ((start_s + BLOCK_S) / step_s) as usize);
        let steps = watts.get(low..high).filter(|steps| !steps.is_empty())?;
        let mean = steps.iter().sum::<f64>() / steps.len() as f64;
        Some(Block { start_s: low as f64 * step_s, stop_s: high as f64 * step_s, watts: mean, part: 0 })
    };
    (0..count).filter_map(block).collect()
}

/// Returns the temperatures that are fitted, and the highest.
fn temperatures(traces: &[&Trace], start: Stamp, part_of: &dyn Fn(f64) -> usize) -> (Vec<Reading>, f64) {
    let readings: Vec<(f64, f64)> = traces
        .iter()
        .flat_map(|trace| &trace.temperature_c)
        .map(|point| (seconds(point.0, start), point.1))
        .filter(|(at_s, celsius)| *at_s >= 0.0 && celsius.is_finite())
        .collect();
    let highest = readings.iter().map(|reading| reading.1).fold(f64::NEG_INFINITY, f64::max);
    let to_reading = |(at_s, celsius): (f64, f64)| Reading { at_s, celsius, part: part_of(at_s) };
    (exact(&readings).into_iter().map(to_reading).collect(), highest)
}

/// Returns the moments at which a reading of whole degrees changed, since only then the temperature is known exactly; all
/// readings where it hardly changed.
pub(super) fn exact(readings: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let changes = changes(readings);
    if changes.len() >= ENOUGH_CHANGES { changes } else { readings.to_vec() }
}

/// Returns the moments at which a reading changed, with the temperature then.
fn changes(readings: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let successive = || {
        let pairs = readings.windows(2).map(|pair| (pair[0], pair[1]));
        pairs.filter(|(before, after)| after.0 > before.0 && after.0 - before.0 <= MAX_HOLE_S && after.1 != before.1)
    };
    let step = successive().map(|(before, after)| (after.1 - before.1).abs()).fold(f64::INFINITY, f64::min);
    let mut changes = Vec::new();
    for (before, after) in successive() {
        if (after.1 - before.1).abs() > MAX_STEPS_AT_ONCE * step {
            // When it passed the middle is not known.
            changes.extend([before, after]);
        } else {
            changes.push((f64::midpoint(before.0, after.0), f64::midpoint(before.1, after.1)));
        }
    }
    changes
}

/// Power over time in equal steps, in the making.
struct Grid {
    start: Stamp,
    step_s: f64,
    joules: Vec<f64>,
    /// The seconds of each step that have a reading.
    covered_s: Vec<f64>,
}

impl Grid {
    fn new(start: Stamp, stop: Stamp) -> Self {
        let length = seconds(stop, start);
        let step_s = STEP_S.max(length / MAX_STEPS as f64);
        let steps = (length / step_s).ceil().max(1.0) as usize;
        Self { start, step_s, joules: vec![0.0; steps], covered_s: vec![0.0; steps] }
    }

    /// Adds the power between successive points: of a gauge their mean, of a counter the value of the second, which is
    /// the mean since the first.
    fn add_traces(&mut self, traces: &[&Trace], is_gauge: bool) {
        let points: Vec<_> = traces.iter().flat_map(|trace| &trace.power_w).collect();
        for pair in points.windows(2) {
            let (from, to) = (seconds(pair[0].0, self.start), seconds(pair[1].0, self.start));
            if to > from && to - from <= MAX_HOLE_S {
                self.add(from, to, if is_gauge { f64::midpoint(pair[0].1, pair[1].1) } else { pair[1].1 });
            }
        }
    }

    fn add(&mut self, from: f64, to: f64, watts: f64) {
        for step in self.steps(from, to) {
            let low = from.max(step as f64 * self.step_s);
            let high = to.min((step + 1) as f64 * self.step_s);
            self.joules[step] += watts * (high - low).max(0.0);
            self.covered_s[step] += (high - low).max(0.0);
        }
    }

    fn steps(&self, from: f64, to: f64) -> std::ops::Range<usize> {
        let last = self.joules.len();
        let index = |at: f64| ((at / self.step_s).max(0.0) as usize).min(last);
        let first = index(from);
        // Stamps of damaged files may be in any order.
        first..(index(to) + 1).clamp(first, last)
    }

    /// Scales the power so that its integral over the windows is their energy: gauge and counter of a device may differ.
    ///
    /// # Errors
    /// The two differ by more than a sensor does.
    fn scale<'a>(&mut self, windows: impl Iterator<Item = &'a WindowRecord>, domain: &DomainId) -> Result<(), String> {
        let (mut energy, mut integral) = (0.0, 0.0);
        for window in windows {
            let (from, to) = (seconds(window.start, self.start), seconds(window.stop, self.start));
            let steps = self.steps(from, to);
            let (joules, covered) = (&self.joules[steps.clone()], &self.covered_s[steps]);
            let mean = joules.iter().sum::<f64>() / covered.iter().sum::<f64>();
            integral += mean * (to - from);
            energy += energy_of(window, domain).map_or(f64::NAN, |energy| energy.joules.get());
        }
        let factor = energy / integral;
        if !(0.7..1.4).contains(&factor) {
            return Err("its power over time does not match the energy of the windows".to_owned());
        }
        self.joules.iter_mut().for_each(|joules| *joules *= factor);
        Ok(())
    }

    /// Replaces the power during a measurement of idle power by its result.
    fn set(&mut self, block: &IdleBlock, domain: &DomainId) {
        let Some((_, power)) = block.power.iter().find(|(id, _)| id == domain) else { return };
        for step in self.steps(seconds(block.start, self.start), seconds(block.stop, self.start)) {
            (self.joules[step], self.covered_s[step]) = (power.get() * self.step_s, self.step_s);
        }
    }

    /// Returns the mean power of each step; a step without a reading has that of the step before it.
    ///
    /// # Errors
    /// The power was not read for too long.
    fn finish(self) -> Result<Vec<f64>, String> {
        let mean = |(joules, covered): (&f64, &f64)| (*covered > 0.0).then(|| joules / covered);
        let steps: Vec<Option<f64>> = self.joules.iter().zip(&self.covered_s).map(mean).collect();
        let mut last = steps.iter().flatten().next().copied().ok_or("its power was not recorded over time")?;
        let mut hole = 0;
        let mut watts = Vec::with_capacity(steps.len());
        for step in steps {
            hole = if step.is_some() { 0 } else { hole + 1 };
            if f64::from(hole) * self.step_s > MAX_HOLE_S {
                return Err("its power was not recorded all the time: other benches ran between the cycles".to_owned());
            }
            last = step.unwrap_or(last);
            watts.push(last);
        }
        Ok(watts)
    }
}

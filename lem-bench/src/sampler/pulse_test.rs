//! Finds out which part of the time a counter sees, with pulses of a load that are shorter than its update period.
//!
//! A counter that integrates all the time counts each pulse in full, whenever it comes. A counter that sees the same part of
//! each period counts a pulse only as far as it is in that part, so that the energies of equal pulses at random moments
//! spread widely. The spread is that of the overlap of the pulse with the visible part, at a uniform phase.

use std::time::Duration;

use super::energy_meter::{EnergyMeter, MeasureError};
use crate::stats::{self, chi_squared_ppf};

/// The lengths of the pulses, as shares of the counter's period.
const LENGTHS: [f64; 2] = [0.2, 0.5];

/// The number of pulses of each length.
const REPEATS: u32 = 30;

/// How long the power at rest is measured.
const REST: Duration = Duration::from_secs(2);

/// The confidence level of the limits of the visible part.
const LEVEL: f64 = 0.99;

/// A counter that sees at least this share of its period is taken as full-time, as everywhere.
const FULL_TIME_SHARE: f64 = 0.9;

/// A counter that sees at most this share is part-time. What is between the two may be the noise of the load.
const PART_TIME_SHARE: f64 = 0.75;

/// Number of phases over which the overlap of a pulse with the visible part is averaged.
const PHASES: u32 = 2000;

/// The part of the time that a counter sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PulseVerdict {
    /// All, or nearly.
    FullTime,
    /// Part of each period.
    PartTime,
    /// The energies of the pulses spread too much to tell.
    Undecided,
}

/// The energies of pulses of one length.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Pulses {
    /// Length of a pulse in s, as it was asked for.
    pub length_s: f64,
    /// Number of pulses.
    pub count: usize,
    /// Mean energy above the power at rest, in J.
    pub mean_j: f64,
    /// Standard deviation of the energies, in J.
    pub sd_j: f64,
    /// Standard uncertainty of the energy of a pulse, as a bench states it, root mean square, in J.
    pub uncertainty_j: f64,
    /// Mean time that a pulse took, in s.
    pub took_s: f64,
}

impl Pulses {
    /// The standard deviation as a share of the mean.
    pub fn spread(&self) -> f64 {
        self.sd_j / self.mean_j
    }
}

/// The result of a pulse test.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct PulseTest {
    /// Update period of the counter, in s.
    pub period_s: f64,
    /// Power at rest, in W.
    pub rest_w: f64,
    /// Pulses by length, the shortest first.
    pub pulses: Vec<Pulses>,
    /// The lowest and the highest share of the time that the counter can see, at 99 % confidence.
    pub seen: (f64, f64),
    /// What follows.
    pub verdict: PulseVerdict,
}

/// Runs pulses of a load, which `pulse` runs for the given time, at different phases of the counter's period.
///
/// # Errors
/// The first error of the meter or of `pulse`.
pub fn pulse_test<E: From<MeasureError>>(
    meter: &mut EnergyMeter,
    period: Duration,
    mut pulse: impl FnMut(Duration) -> Result<(), E>,
) -> Result<PulseTest, E> {
    // The first pulse may load code, and wakes the device.
    meter.measure(|| pulse(period))?.value?;
    let clock = std::sync::Arc::clone(meter.clock());
    let rest = meter.measure(|| clock.sleep(REST))?;
    let rest_w = rest.energy.get() / rest.elapsed.as_secs_f64();
    let mut all = Vec::new();
    for share in LENGTHS {
        let length = period.mul_f64(share);
        let (mut joules, mut seconds, mut variance) = (Vec::new(), 0.0, 0.0);
        for _ in 0..REPEATS {
            let measured = meter.measure(|| pulse(length))?;
            measured.value?;
            let took = measured.elapsed.as_secs_f64();
            joules.push(measured.energy.get() - rest_w * took);
            seconds += took;
            variance += measured.uncertainty.total().get().powi(2);
        }
        let (mean_j, sd_j) =
            stats::summary(&joules).map_or((f64::NAN, f64::NAN), |of| (of.mean, of.sd.unwrap_or(f64::NAN)));
        let repeats = f64::from(REPEATS);
        all.push(Pulses {
            length_s: length.as_secs_f64(),
            count: joules.len(),
            mean_j,
            sd_j,
            uncertainty_j: (variance / repeats).sqrt(),
            took_s: seconds / repeats,
        });
    }
    let seen = seen_share(&all, period.as_secs_f64());
    Ok(PulseTest { period_s: period.as_secs_f64(), rest_w, pulses: all, seen, verdict: verdict(seen) })
}

fn verdict((low, high): (f64, f64)) -> PulseVerdict {
    match () {
        () if low >= FULL_TIME_SHARE => PulseVerdict::FullTime,
        () if high <= PART_TIME_SHARE => PulseVerdict::PartTime,
        () => PulseVerdict::Undecided,
    }
}

/// Returns the limits of the share of the time that the counter sees. The spread of the pulses is at most what noise and the
/// unseen part cause together, so its upper limit gives the lowest share; its lower limit gives the highest share if the
/// load makes equal pulses.
fn seen_share(all: &[Pulses], period_s: f64) -> (f64, f64) {
    let (mut low, mut high) = (0.0_f64, 1.0_f64);
    for pulses in all {
        // A pulse that took longer than a period is seen by every counter.
        let length = pulses.took_s / period_s;
        let has_energy = pulses.mean_j.is_finite() && pulses.mean_j > 0.0;
        if length >= 1.0 || !has_energy {
            continue;
        }
        let df = pulses.count as f64 - 1.0;
        let limit = |p: f64| pulses.spread() * (df / chi_squared_ppf(p, df)).sqrt();
        low = low.max(share_with_spread(length, limit((1.0 - LEVEL) / 2.0)));
        high = high.min(share_with_spread(length, limit(f64::midpoint(1.0, LEVEL))));
    }
    (low.min(high), high)
}

/// Returns the share of its period that a counter sees if pulses of this length, in periods, spread by `spread`.
fn share_with_spread(length: f64, spread: f64) -> f64 {
    // The spread falls as the share rises.
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..40 {
        let middle = f64::midpoint(low, high);
        if spread_of(length, middle) > spread { low = middle } else { high = middle }
    }
    f64::midpoint(low, high)
}

/// Returns the relative standard deviation of the energies that a counter counts of a pulse of this length, in periods, if
/// it sees this share of its period.
pub fn spread_of(length: f64, share: f64) -> f64 {
    let (mut sum, mut squares) = (0.0, 0.0);
    for k in 0..PHASES {
        let start = (f64::from(k) + 0.5) / f64::from(PHASES);
        let seen = |period: f64| ((start + length).min(period + share) - start.max(period)).max(0.0);
        let overlap = seen(0.0) + seen(1.0);
        sum += overlap;
        squares += overlap * overlap;
    }
    let n = f64::from(PHASES);
    let mean = sum / n;
    if mean > 0.0 { (squares / n - mean * mean).max(0.0).sqrt() / mean } else { f64::INFINITY }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spread_follows_from_overlap() {
        assert!(spread_of(0.2, 1.0) < 1e-6);
        // A pulse much shorter than the visible part is seen or not: √((1 − s) / s).
        assert!((spread_of(0.001, 0.25) - 3.0_f64.sqrt()).abs() < 0.02, "{}", spread_of(0.001, 0.25));
        assert!((share_with_spread(0.2, spread_of(0.2, 0.6)) - 0.6).abs() < 1e-3);
    }

    #[test]
    fn spreads_measured_on_an_h200_are_full_time() {
        let pulses =
            |length_s, mean_j, sd_j| Pulses { length_s, count: 30, mean_j, sd_j, uncertainty_j: 1.0, took_s: length_s };
        let seen = seen_share(&[pulses(0.02, 13.8, 1.2), pulses(0.05, 34.3, 1.3)], 0.1);
        assert_eq!(verdict(seen), PulseVerdict::FullTime, "{seen:?}");
        let seen = seen_share(&[pulses(0.02, 13.8, 19.0)], 0.1);
        assert_eq!(verdict(seen), PulseVerdict::PartTime, "{seen:?}");
        let seen = seen_share(&[pulses(0.02, 13.8, 5.0)], 0.1);
        assert_eq!(verdict(seen), PulseVerdict::Undecided, "{seen:?}");
    }
}

//! The noise at rest: how much a meter's power scatters while nothing is asked of the machine, and the smallest change
//! that a measurement of a given length could tell from it.
//!
//! Must not know how it is shown.

use std::sync::Arc;
use std::time::Duration;

use super::diagnosis::{AtRest, Resolvable};
use crate::clock::{Clock, RealClock};
use crate::meter::Opened;
use crate::model::MeterProbe;
use crate::sampler::{Sampler, SamplerConfig};
use crate::stats::{self, t_ppf};

/// How long the machine is watched.
pub(super) const WATCHED: Duration = Duration::from_secs(10);
/// Blocks into which that is cut, at most; fewer where a sensor updates so slowly that a block would hold fewer than
/// five updates.
const BLOCKS: u32 = 10;
/// The lengths of measurements that people plan with.
const LENGTHS_S: [f64; 2] = [60.0, 300.0];
/// With which probability a change of the stated size is found.
const POWER: f64 = 0.8;

/// Whether there is something to watch: every domain of the headline has a gauge, or a counter that moves.
pub(super) fn can_be_watched(opened: &Opened, probe: &MeterProbe) -> bool {
    let moves = |domain| probe.channel(domain, true).is_some_and(|counter| counter.updates > 0);
    opened.headline.iter().all(|domain| probe.channel(domain, false).is_some() || moves(domain))
}

/// Watches an opened meter at rest; `None` where its power could not be read in every block.
pub(super) fn watch(opened: Opened, probe: &MeterProbe) -> Option<AtRest> {
    let headline = opened.headline;
    let tick = probe.update_period(&headline).unwrap_or(Duration::from_millis(100));
    let blocks = (WATCHED.as_secs_f64() / (tick.as_secs_f64() * 5.0).max(0.001)).clamp(3.0, f64::from(BLOCKS)) as u32;
    let length = (WATCHED / blocks).max(tick * 5);
    let clock = Arc::new(RealClock);
    let sampler = Sampler::start(opened.meter, Arc::clone(&clock) as _, probe, SamplerConfig::for_meter(probe)).ok()?;
    clock.sleep(tick + Duration::from_millis(50));
    let edge = |at| {
        sampler.expect_edge(at);
        clock.sleep_until(at);
        let now = clock.now();
        sampler.edge(now);
        now
    };
    let mut edges = vec![edge(clock.now() + tick)];
    for _ in 0..blocks {
        edges.push(edge(edges[edges.len() - 1] + length));
    }
    clock.sleep(tick * 3 + Duration::from_millis(10));
    sampler.wait_until_sampled(edges[edges.len() - 1]);
    let power = |pair: &[crate::units::Stamp]| {
        let block = sampler.idle_block(pair[0], pair[1], &headline);
        (block.power.len() == headline.len()).then(|| block.power.iter().map(|(_, watts)| watts.get()).sum::<f64>())
    };
    at_rest(&edges.windows(2).map(power).collect::<Option<Vec<f64>>>()?, length.as_secs_f64())
}

/// What blocks of this length come to.
///
/// Two measurements of a length T each hold T/b blocks; their means differ by chance with a standard error of
/// s·√(2·b/T). A difference is found with probability [`POWER`] at the 5 % level from (t(0.975) + t(0.8))·s·√(2·b/T) on,
/// with n − 1 degrees of freedom (Bloom 1995, with t for z). The noise of the work itself comes on top.
fn at_rest(watts: &[f64], block_s: f64) -> Option<AtRest> {
    let summary = stats::summary(watts).ok()?;
    let (mean_w, sd_w) = (summary.mean, summary.sd?);
    let df = watts.len() as f64 - 1.0;
    let resolvable = LENGTHS_S.map(|seconds| {
        let watts = (t_ppf(0.975, df) + t_ppf(POWER, df)) * sd_w * (2.0 * block_s / seconds).sqrt();
        Resolvable { seconds, watts, percent_of_rest: (mean_w > 0.0).then(|| 100.0 * watts / mean_w) }
    });
    Some(AtRest { mean_w, sd_w, blocks: watts.len(), block_s, resolvable: resolvable.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_told_from_the_noise_follows_from_it() {
        let watts = [100.0, 101.0, 99.0, 100.0, 102.0, 98.0, 100.0, 101.0, 99.0, 100.0];
        let rest = at_rest(&watts, 1.0).unwrap();
        assert_eq!((rest.mean_w, rest.blocks), (100.0, 10));
        // sd = √(12/9) = 1.1547; t(0.975, 9) = 2.2622, t(0.8, 9) = 0.8834; √(2/60) = 0.18257.
        assert!((rest.sd_w - 1.154_700_5).abs() < 1e-6, "{rest:?}");
        assert!((rest.resolvable[0].watts - 0.66313).abs() < 1e-4, "{rest:?}");
        assert!((rest.resolvable[0].watts / rest.resolvable[1].watts - 5.0_f64.sqrt()).abs() < 1e-12);
        assert!(at_rest(&[100.0], 1.0).is_none());
    }
}

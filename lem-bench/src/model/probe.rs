//! What probing a meter found: how often each sensor updates, how coarse it is, what a read costs.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{DomainId, Origin};

/// What a sensor sees of the time that passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Coverage {
    /// All of it: each value covers the time since the one before.
    WholeTime,
    /// The same share of each period: it misses what happens in the rest.
    PartTime,
    /// All of it, several times: each value is a mean over longer than a period, which lags behind.
    Smeared,
    /// Nobody knows.
    Unknown,
}

/// What reading a counter densely does to it: its mean power under dense reads and under reads far apart, both at rest
/// and within one probe.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DenseReads {
    /// Seconds between two dense reads.
    pub interval_s: f64,
    /// Mean power under dense reads, in W.
    pub dense_w: f64,
    /// Mean power under reads a period or more apart, in W.
    pub sparse_w: f64,
    /// Half the 99 % interval of the difference of the two that the power's own scatter allows, in W.
    pub noise_w: f64,
}

impl DenseReads {
    /// Differences below this share are not worth a word.
    pub const TOLERANCE: f64 = 0.03;

    /// By which share dense reads change what the counter says: −0.75 is a quarter of it.
    pub fn change(&self) -> f64 {
        self.dense_w / self.sparse_w - 1.0
    }

    /// Whether dense reads change what the counter says, beyond its noise and [`DenseReads::TOLERANCE`].
    pub fn disturb(&self) -> bool {
        let difference = (self.dense_w - self.sparse_w).abs();
        difference > self.noise_w && difference > Self::TOLERANCE * self.sparse_w.abs()
    }
}

/// What was found about one channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ChannelProbe {
    /// The domain of the channel.
    pub domain: DomainId,
    /// Whether it is an energy counter (else a power gauge).
    pub counter: bool,
    /// The time between two updates, in seconds: zero when every read saw a new value; `None` when too few updates
    /// were seen to tell.
    pub update_period_s: Option<f64>,
    /// How coarse its values are: the largest energy in J of which all steps of a counter were multiples, the smallest
    /// step of a gauge in W; `None` when it never moved.
    pub quantum: Option<f64>,
    /// Median time that one read took, in seconds.
    pub read_cost_s: f64,
    /// How many updates were seen.
    pub updates: u32,
    /// The time that each value covers, in seconds, where the meter knows it; a probe at rest cannot find it.
    #[serde(default)]
    pub averaging_s: Option<f64>,
    /// What dense reads do to a counter; `None` where it ticks too fast or too seldom to tell.
    #[serde(default)]
    pub dense_reads: Option<DenseReads>,
    /// The least time between two reads that changes nothing, in seconds, where dense reads do change the figure.
    #[serde(default)]
    pub safe_interval_s: Option<f64>,
}

/// Sensors that update more often than this, in seconds, see all the time as far as anybody can tell.
const FAST_S: f64 = 0.005;

/// What is taken for the period of a counter that showed too little to find one, in seconds: the slowest that is common.
const SLOW_S: f64 = 0.1;

/// Counters are never read more often than this, in seconds.
const LEAST_SPACING_S: f64 = 0.002;

impl ChannelProbe {
    /// What the channel sees of the time that passes.
    pub fn sight(&self) -> Coverage {
        match (self.update_period_s, self.averaging_s) {
            (Some(period), _) if self.counter && period <= FAST_S => Coverage::WholeTime,
            (Some(period), Some(averaging)) if averaging < 0.9 * period => Coverage::PartTime,
            (Some(period), Some(averaging)) if !self.counter && averaging > 1.5 * period.max(FAST_S) => {
                Coverage::Smeared
            }
            (Some(_), Some(_)) => Coverage::WholeTime,
            _ => Coverage::Unknown,
        }
    }
}

/// What was found about a meter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct MeterProbe {
    /// The meter's name.
    pub meter: String,
    /// Whether its numbers are measured at all.
    pub origin: Origin,
    /// One entry for each energy counter and each power gauge.
    pub channels: Vec<ChannelProbe>,
    /// Whether a temperature can be read.
    pub temperature: bool,
}

impl MeterProbe {
    /// The probe of the domain's counter, or of its gauge.
    pub fn channel(&self, domain: &DomainId, counter: bool) -> Option<&ChannelProbe> {
        self.channels.iter().find(|probe| probe.counter == counter && probe.domain == *domain)
    }

    /// The longest update period among the channels that give the energy of `domains` (the counter of each where it
    /// ticks, else its gauge); `None` when no period could be found for one of them.
    pub fn period_of(&self, domains: &[DomainId]) -> Option<Duration> {
        let mut longest = Duration::ZERO;
        for domain in domains {
            let period = self.source(domain)?.update_period_s?;
            longest = longest.max(Duration::try_from_secs_f64(period).ok()?);
        }
        Some(longest)
    }

    /// Whether every one of `domains` has a counter that ticks.
    pub fn all_counted(&self, domains: &[DomainId]) -> bool {
        domains.iter().all(|domain| self.channel(domain, true).is_some_and(|probe| probe.update_period_s.is_some()))
    }

    /// Whether the channels that give the energy of `domains` (see [`MeterProbe::period_of`]) are all known to see the
    /// whole time.
    pub fn all_whole_time(&self, domains: &[DomainId]) -> bool {
        let whole = |domain| self.source(domain).is_some_and(|probe| probe.sight() == Coverage::WholeTime);
        domains.iter().all(whole)
    }

    /// The longest time that a value of those channels covers, where it is known and longer than their period.
    pub fn smear_of(&self, domains: &[DomainId]) -> Duration {
        let smear = |domain: &DomainId| {
            let probe = self.source(domain).filter(|probe| probe.sight() == Coverage::Smeared)?;
            Duration::try_from_secs_f64(probe.averaging_s?).ok()
        };
        domains.iter().filter_map(smear).max().unwrap_or_default()
    }

    /// The time between two reads of the counters around an edge: a twentieth of the slowest period, but a quarter where
    /// a read costs more than a four-hundredth of it, never over 500 times a second, and no denser than was found safe.
    ///
    /// A period is the least dense of all. Where even that changes what a counter says, the two or three reads at an
    /// edge lose less than its place between two ticks would be unsure by without them.
    pub fn edge_spacing(&self) -> Duration {
        let counters = || self.channels.iter().filter(|probe| probe.counter);
        let slowest = counters().map(|probe| probe.update_period_s.unwrap_or(SLOW_S)).fold(0.0, f64::max);
        let cost = counters().map(|probe| probe.read_cost_s).sum::<f64>();
        let share = if cost * 400.0 <= slowest { 0.05 } else { 0.25 };
        let safe = counters().filter_map(|probe| probe.safe_interval_s).fold(0.0, f64::max);
        // A file may say anything.
        let spacing = (share * slowest).max(safe.min(1.05 * slowest)).max(LEAST_SPACING_S);
        Duration::try_from_secs_f64(spacing).unwrap_or(Duration::MAX)
    }

    /// The channel that gives the energy of a domain: its counter where that ticks, else its gauge.
    fn source(&self, domain: &DomainId) -> Option<&ChannelProbe> {
        let ticking = |counter| self.channel(domain, counter).filter(|probe| probe.update_period_s.is_some());
        ticking(true).or_else(|| ticking(false))
    }
}

//! Results of probing a meter: update period, resolution and read cost of each sensor.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{DomainId, Origin};

/// Counters with an update period up to this, in seconds, are assumed to cover the whole time.
const MAX_CONTINUOUS_S: f64 = 0.005;

/// Assumed period of a counter with too few updates to determine it, in seconds: the slowest common one.
const ASSUMED_PERIOD_S: f64 = 0.1;

/// Minimum time between two reads of a counter, in seconds.
const MIN_READ_INTERVAL_S: f64 = 0.002;

/// Which part of the time a sensor covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Coverage {
    /// All: each value covers the time since the previous one.
    WholeTime,
    /// The same share of each period; the rest is not measured.
    PartTime,
    /// All, with overlap: each value is a mean over more than a period and lags behind.
    Smeared,
    /// Not known.
    Unknown,
}

/// The effect of dense reads on a counter: its mean power under dense and under sparse reads, both at rest and in one
/// probe.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct DenseReads {
    /// Time between two dense reads, in seconds.
    pub interval_s: f64,
    /// Mean power under dense reads, in W.
    pub dense_w: f64,
    /// Mean power under reads a period or more apart, in W.
    pub sparse_w: f64,
    /// Half width of the 99 % interval of the difference that is due to the noise of the power, in W.
    pub noise_w: f64,
}

impl DenseReads {
    /// Differences below this share are not reported.
    pub const TOLERANCE: f64 = 0.03;

    /// Returns the relative change of the counter's power by dense reads: −0.75 leaves a quarter.
    pub fn change(&self) -> f64 {
        self.dense_w / self.sparse_w - 1.0
    }

    /// Returns whether dense reads change the counter's power by more than its noise and [`DenseReads::TOLERANCE`].
    pub fn disturb(&self) -> bool {
        let difference = (self.dense_w - self.sparse_w).abs();
        difference > self.noise_w && difference > Self::TOLERANCE * self.sparse_w.abs()
    }
}

/// The result of probing one channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct ChannelProbe {
    /// The domain of the channel.
    pub domain: DomainId,
    /// Whether it is an energy counter; otherwise a power gauge.
    pub counter: bool,
    /// Time between two updates, in seconds: zero when every read returned a new value; `None` when too few updates
    /// were observed.
    pub update_period_s: Option<f64>,
    /// Resolution of its values: the largest energy in J of which all steps of a counter are multiples, or the smallest
    /// step of a gauge in W; `None` when the value never changed.
    pub quantum: Option<f64>,
    /// Median duration of one read, in seconds.
    pub read_cost_s: f64,
    /// Number of observed updates.
    pub updates: u32,
    /// Time that each value covers, in seconds, where the meter knows it; a probe at rest can't measure it.
    #[serde(default)]
    pub averaging_s: Option<f64>,
    /// Effect of dense reads on a counter; `None` where it ticks too fast or too slowly to determine it.
    #[serde(default)]
    pub dense_reads: Option<DenseReads>,
    /// Minimum time between two reads that doesn't change the counter's power, in seconds, where dense reads do.
    #[serde(default)]
    pub safe_interval_s: Option<f64>,
}

impl ChannelProbe {
    /// A probe that observed no update.
    #[doc(hidden)]
    pub fn new(domain: DomainId, counter: bool) -> Self {
        Self {
            domain,
            counter,
            update_period_s: None,
            quantum: None,
            read_cost_s: 0.0,
            updates: 0,
            averaging_s: None,
            dense_reads: None,
            safe_interval_s: None,
        }
    }

    /// Returns which part of the time the channel covers.
    pub fn coverage(&self) -> Coverage {
        match (self.update_period_s, self.averaging_s) {
            (Some(period), _) if self.counter && period <= MAX_CONTINUOUS_S => Coverage::WholeTime,
            (Some(period), Some(averaging)) if averaging < 0.9 * period => Coverage::PartTime,
            (Some(period), Some(averaging)) if !self.counter && averaging > 1.5 * period.max(MAX_CONTINUOUS_S) => {
                Coverage::Smeared
            }
            (Some(_), Some(_)) => Coverage::WholeTime,
            _ => Coverage::Unknown,
        }
    }
}

/// The result of probing a meter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct MeterProbe {
    /// The meter's name.
    pub meter: String,
    /// Whether its values are measured.
    pub origin: Origin,
    /// One entry per energy counter and power gauge.
    pub channels: Vec<ChannelProbe>,
    /// Whether a temperature is available.
    pub temperature: bool,
}

impl MeterProbe {
    /// The probe of a meter without temperature.
    #[doc(hidden)]
    pub fn new(meter: impl Into<String>, origin: Origin, channels: Vec<ChannelProbe>) -> Self {
        Self { meter: meter.into(), origin, channels, temperature: false }
    }

    /// Returns the probe of the domain's counter or gauge.
    pub fn channel(&self, domain: &DomainId, counter: bool) -> Option<&ChannelProbe> {
        self.channels.iter().find(|probe| probe.counter == counter && probe.domain == *domain)
    }

    /// Returns the longest update period of the channels that measure the energy of `domains` (the counter of each if
    /// it ticks, else its gauge); `None` when the period of one of them is not known.
    pub fn update_period(&self, domains: &[DomainId]) -> Option<Duration> {
        let mut longest = Duration::ZERO;
        for domain in domains {
            let period = self.source(domain)?.update_period_s?;
            longest = longest.max(Duration::try_from_secs_f64(period).ok()?);
        }
        Some(longest)
    }

    /// Returns whether each of `domains` has a counter that ticks.
    pub fn all_have_counters(&self, domains: &[DomainId]) -> bool {
        domains.iter().all(|domain| self.channel(domain, true).is_some_and(|probe| probe.update_period_s.is_some()))
    }

    /// Returns whether the channels that measure the energy of `domains` (see [`MeterProbe::update_period`]) are all
    /// known to cover the whole time.
    pub fn all_cover_whole_time(&self, domains: &[DomainId]) -> bool {
        let covers_whole_time =
            |domain| self.source(domain).is_some_and(|probe| probe.coverage() == Coverage::WholeTime);
        domains.iter().all(covers_whole_time)
    }

    /// Returns the longest averaging time of those channels, where it is known and longer than their period; zero
    /// without one.
    pub fn averaging_time(&self, domains: &[DomainId]) -> Duration {
        let averaging = |domain: &DomainId| {
            let probe = self.source(domain).filter(|probe| probe.coverage() == Coverage::Smeared)?;
            Duration::try_from_secs_f64(probe.averaging_s?).ok()
        };
        domains.iter().filter_map(averaging).max().unwrap_or_default()
    }

    /// Returns the time between two reads of the counters around an edge: a twentieth of the slowest period, or a
    /// quarter where a read costs more than a four-hundredth of it, at most 500 reads per second, and not less than the
    /// safe interval.
    ///
    /// The result is limited to about one period. If even that changes a counter's value, the two or three reads at an
    /// edge cost less accuracy than an unknown position of the edge between two ticks would.
    pub fn edge_spacing(&self) -> Duration {
        let counters = || self.channels.iter().filter(|probe| probe.counter);
        let slowest = counters().map(|probe| probe.update_period_s.unwrap_or(ASSUMED_PERIOD_S)).fold(0.0, f64::max);
        let cost = counters().map(|probe| probe.read_cost_s).sum::<f64>();
        let share = if cost * 400.0 <= slowest { 0.05 } else { 0.25 };
        let safe = counters().filter_map(|probe| probe.safe_interval_s).fold(0.0, f64::max);
        // Saturating: the values may come from a corrupt file.
        let spacing = (share * slowest).max(safe.min(1.05 * slowest)).max(MIN_READ_INTERVAL_S);
        Duration::try_from_secs_f64(spacing).unwrap_or(Duration::MAX)
    }

    /// Returns the channel that measures the energy of a domain: its counter if it ticks, else its gauge.
    fn source(&self, domain: &DomainId) -> Option<&ChannelProbe> {
        let ticking = |counter| self.channel(domain, counter).filter(|probe| probe.update_period_s.is_some());
        ticking(true).or_else(|| ticking(false))
    }
}

//! What probing a meter found: how often each sensor updates, how coarse it is, what a read costs.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{DomainId, Origin};

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
    /// The smallest step seen, in J for a counter and W for a gauge; `None` when it never moved.
    pub quantum: Option<f64>,
    /// Median time that one read took, in seconds.
    pub read_cost_s: f64,
    /// How many updates were seen.
    pub updates: u32,
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
            let ticking = |counter| self.channel(domain, counter).and_then(|probe| probe.update_period_s);
            let period = ticking(true).or_else(|| ticking(false))?;
            longest = longest.max(Duration::from_secs_f64(period));
        }
        Some(longest)
    }

    /// Whether every one of `domains` has a counter that ticks.
    pub fn all_counted(&self, domains: &[DomainId]) -> bool {
        domains.iter().all(|domain| self.channel(domain, true).is_some_and(|probe| probe.update_period_s.is_some()))
    }
}

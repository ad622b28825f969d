//! The samples of one counter or one gauge.

use std::time::Duration;

use super::counter::Unwrapper;
use super::edge::CounterSample;
use crate::meter::Quantity;
use crate::model::{Coverage, DomainId, TracePoint};
use crate::units::Stamp;

/// Points of a trace from a counter are at least this far apart, so that single ticks don't show.
const MIN_TRACE_INTERVAL: Duration = Duration::from_millis(80);

/// The samples of one counter.
pub(super) struct CounterTrack {
    pub(super) channel: usize,
    pub(super) domain: DomainId,
    pub(super) period: Option<Duration>,
    pub(super) coverage: Coverage,
    /// Reads closer together than this change the counter's value.
    pub(super) min_interval: Duration,
    pub(super) unwrapper: Unwrapper,
    pub(super) samples: Vec<CounterSample>,
    /// Spans between two reads for which the energy is unknown: the counter was reset, went back, or wrapped unseen.
    pub(super) gaps: Vec<(Stamp, Stamp)>,
    /// Whether this counter provides the domain's trace, because the domain has no power gauge.
    pub(super) provides_trace: bool,
}

impl CounterTrack {
    /// Returns whether the counter ticked at least `ticks` times since the first read after `edge`.
    pub(super) fn has_ticked(&self, edge: Stamp, ticks: usize) -> bool {
        let after = &self.samples[self.samples.partition_point(|sample| sample.at <= edge)..];
        after.windows(2).filter(|pair| pair[0].joules != pair[1].joules).count() >= ticks
    }

    /// Returns the mean power between reads at the trace's rate. Dense reads around edges show single ticks, which do
    /// not give a power, so points closer than a trace interval (or a tick) are left out.
    pub(super) fn power_trace(&self) -> Vec<TracePoint> {
        let min_interval = self.period.unwrap_or_default().max(MIN_TRACE_INTERVAL);
        let mut points = Vec::new();
        let mut last: Option<CounterSample> = None;
        for sample in &self.samples {
            match last {
                Some(from) if sample.at.since(from.at) < min_interval => {}
                Some(from) => {
                    points.push(TracePoint(sample.at, (sample.joules - from.joules) / sample.at.seconds_from(from.at)));
                    last = Some(*sample);
                }
                None => last = Some(*sample),
            }
        }
        points
    }

    /// Removes the samples before `keep_from`, except for the last one.
    pub(super) fn discard_before(&mut self, keep_from: Stamp) {
        let cut = self.samples.partition_point(|sample| sample.at < keep_from).saturating_sub(1);
        self.samples.drain(..cut);
        self.gaps.retain(|gap| gap.1 >= keep_from);
    }
}

/// The readings of one gauge.
pub(super) struct GaugeTrack {
    pub(super) channel: usize,
    pub(super) domain: DomainId,
    pub(super) quantity: Quantity,
    pub(super) period: Option<Duration>,
    pub(super) points: Vec<TracePoint>,
}

impl GaugeTrack {
    /// Returns the track of this quantity of a domain.
    pub(super) fn find<'a>(tracks: &'a [Self], quantity: Quantity, domain: &DomainId) -> Option<&'a Self> {
        tracks.iter().find(|track| track.quantity == quantity && track.domain == *domain)
    }

    /// Removes the readings before `keep_from`, except for the last one.
    pub(super) fn discard_before(&mut self, keep_from: Stamp) {
        let cut = self.points.partition_point(|point| point.0 < keep_from).saturating_sub(1);
        self.points.drain(..cut);
    }
}

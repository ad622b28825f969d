//! The metrics that each report shows.

use crate::model::{MetricKind, Unit};

/// A place in which reports show a selection of metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// A bench's lines on the terminal.
    Terminal,
    /// The tiles at the top of a bench's page.
    #[cfg(feature = "html")]
    Tiles,
    /// What is exported to trackers of results over time.
    Tracker,
}

impl View {
    /// Returns the metrics that are shown of a bench whose headline is per `unit`, in order. A list of alternatives is
    /// one entry: of each entry, the first metric that the bench has is shown.
    pub(super) fn entries(self, unit: Option<Unit<'_>>) -> Vec<Vec<MetricKind<'_>>> {
        let energies = unit.into_iter().flat_map(|unit| [vec![MetricKind::gross(unit)], vec![MetricKind::net(unit)]]);
        let counted = [Unit::OutputToken, Unit::Request, Unit::Iteration];
        let speed = unit.into_iter().chain(counted).map(MetricKind::Rate).collect();
        let work_per_joule = vec![MetricKind::WorkPerJoule(unit.unwrap_or(Unit::OutputToken))];
        let power = vec![MetricKind::MeanPower];
        let [ttft, itl, tpot, latency] =
            [MetricKind::TTFT, MetricKind::ITL, MetricKind::TPOT, MetricKind::LATENCY].map(|kind| vec![kind]);
        let others = match self {
            Self::Terminal => vec![work_per_joule, speed, power, ttft, itl, tpot, latency],
            #[cfg(feature = "html")]
            Self::Tiles => vec![speed, work_per_joule, power, ttft, itl],
            Self::Tracker => vec![speed, power, ttft, itl, latency],
        };
        energies.chain(others).collect()
    }
}

//! What runs at the edges of windows: the closures that wait for the device and that read gauges, and the state that they
//! share with the body.

use super::driver::{EdgeCalls, GaugeReading};
use super::error::BodyResult;
use super::metrics::MetricValue;
use super::target::Usage;
use crate::model::check_metric_unit;

/// A gauge, with the function that reads it from the state of the bench.
pub(super) struct Gauge<'g, S> {
    name: String,
    unit: String,
    read: Box<dyn FnMut(&mut S) -> f64 + 'g>,
}

impl<'g, S> Gauge<'g, S> {
    /// Creates a gauge. A faulty name or unit fails the bench.
    pub fn new<V: MetricValue>(
        usage: &mut Usage,
        name: impl Into<String>,
        unit: impl Into<String>,
        mut read: impl FnMut(&mut S) -> V + 'g,
    ) -> Self {
        let (name, unit) = (name.into(), unit.into());
        usage.add_gauge(&name);
        usage.keep(check_metric_unit(&name, &unit));
        Self { name, unit, read: Box::new(move |state| read(state).value()) }
    }
}

/// The closures of a bench that run at edges, and the state that they share with the body.
pub(super) struct Edges<'g, S, F> {
    pub state: S,
    pub synchronize: F,
    pub gauges: Vec<Gauge<'g, S>>,
}

impl<'g, S, F> Edges<'g, S, F> {
    /// Returns what the driver calls. An error of `synchronize` fails the bench.
    pub fn calls<'c>(&'c mut self, usage: &'c mut Usage) -> Calls<'c, 'g, S, F> {
        Calls { state: &mut self.state, synchronize: &mut self.synchronize, gauges: &mut self.gauges, usage }
    }
}

/// The calls of one edge.
pub(super) struct Calls<'c, 'g, S, F> {
    state: &'c mut S,
    synchronize: &'c mut F,
    gauges: &'c mut [Gauge<'g, S>],
    usage: &'c mut Usage,
}

impl<S, F: FnMut(&mut S) -> R, R: BodyResult> EdgeCalls for Calls<'_, '_, S, F> {
    fn synchronize(&mut self) {
        if let Err(error) = (self.synchronize)(self.state).into_result() {
            self.usage.keep(Err(format!("the device could not be synchronized: {error}")));
        }
    }

    fn read_gauges(&mut self) -> Vec<GaugeReading> {
        let mut read = |gauge: &mut Gauge<'_, S>| GaugeReading {
            name: gauge.name.clone(),
            unit: gauge.unit.clone(),
            value: (gauge.read)(self.state),
        };
        self.gauges.iter_mut().map(&mut read).collect()
    }
}

//! What runs at the edges of windows: the closures that wait for the device and that read gauges.

use super::driver::{EdgeCalls, GaugeReading};
use super::error::{BodyResult, Error};
use super::metrics::MetricValue;
use super::target::Usage;
use crate::model::check_metric_unit;

/// Waits for the device.
type Synchronize<'e, T> = Box<dyn FnMut(&mut T) -> Result<(), Error> + 'e>;

/// The closures that run at edges. They get a state of type `T`.
pub(super) struct Edges<'e, T> {
    synchronize: Option<Synchronize<'e, T>>,
    gauges: Vec<Gauge<'e, T>>,
}

/// A gauge, with the function that reads it.
struct Gauge<'e, T> {
    name: String,
    unit: String,
    read: Box<dyn FnMut(&mut T) -> f64 + 'e>,
}

impl<'e, T> Edges<'e, T> {
    pub fn new() -> Self {
        Self { synchronize: None, gauges: Vec::new() }
    }

    pub fn is_empty(&self) -> bool {
        self.synchronize.is_none() && self.gauges.is_empty()
    }

    /// Sets the function that waits for the device.
    pub fn set_synchronize<R: BodyResult>(&mut self, mut wait: impl FnMut(&mut T) -> R + 'e) {
        self.synchronize = Some(Box::new(move |state| wait(state).into_result()));
    }

    /// Adds a gauge. A faulty name or unit fails the bench.
    pub fn add_gauge<V: MetricValue>(
        &mut self,
        usage: &mut Usage,
        name: impl Into<String>,
        unit: impl Into<String>,
        mut read: impl FnMut(&mut T) -> V + 'e,
    ) {
        let (name, unit) = (name.into(), unit.into());
        usage.add_gauge(&name);
        usage.keep(check_metric_unit(&name, &unit));
        self.gauges.push(Gauge { name, unit, read: Box::new(move |state| read(state).value()) });
    }

    fn synchronize(&mut self, state: &mut T) -> Result<(), String> {
        let Some(synchronize) = &mut self.synchronize else { return Ok(()) };
        synchronize(state).map_err(|error| format!("the device could not be synchronized: {error}"))
    }

    fn read_gauges(&mut self, state: &mut T) -> impl Iterator<Item = GaugeReading> {
        self.gauges.iter_mut().map(|gauge| GaugeReading {
            name: gauge.name.clone(),
            unit: gauge.unit.clone(),
            value: (gauge.read)(state),
        })
    }
}

/// What the driver calls at an edge: the closures without a state, and those that share the state of the body.
pub(super) struct AtEdge<'c, 'e, T> {
    pub edges: &'c mut Edges<'e, ()>,
    pub state_edges: &'c mut Edges<'e, T>,
    pub state: &'c mut T,
    pub usage: &'c mut Usage,
}

impl<T> EdgeCalls for AtEdge<'_, '_, T> {
    /// An error fails the bench.
    fn synchronize(&mut self) {
        self.usage.keep(self.edges.synchronize(&mut ()));
        self.usage.keep(self.state_edges.synchronize(self.state));
    }

    fn read_gauges(&mut self) -> Vec<GaugeReading> {
        self.edges.read_gauges(&mut ()).chain(self.state_edges.read_gauges(self.state)).collect()
    }
}

//! Estimates energy as CPU time multiplied by a power per busy core.
//!
//! It reads no energy sensor; its origin, [`Origin::Estimated`], is part of every result.

use std::time::Duration;

use super::channel::{Channel, Meter, OpenError, Quantity, ReadError, Value};
use super::domain_selection::non_overlapping;
use super::kind::{DEFAULT_WATTS_PER_CORE, MeterKind, OpenOptions, Opened};
use crate::clock::{counted_cpu_time, process_cpu_time};
use crate::model::{Domain, DomainId, DomainKind, Origin};
use crate::units::Watts;

/// Joules of one count.
const UNIT_J: f64 = 1e-6;

/// The estimate.
pub(super) const KIND: MeterKind = MeterKind {
    name: "estimate",
    help: "CPU time times --watts-per-core",
    origin: Origin::Estimated,
    open,
    open_for_auto: open,
};

fn open(options: &OpenOptions) -> Result<Opened, OpenError> {
    let meter = Estimate::new(options.estimate_watts)?;
    let notes = vec![format!("estimate: {}", meter.formula())];
    let headline = non_overlapping(meter.domains());
    Ok(Opened::new(Box::new(meter), headline, notes))
}

/// Estimated energy: joules = CPU seconds of this process × watts per busy core, as a counter in µJ.
///
/// The CPU time is that of all threads of *this* process (`CLOCK_PROCESS_CPUTIME_ID`), of the workers that run benches for
/// it, and of services and processes that benches count ([`Bencher::service`](crate::Bencher::service),
/// [`Bencher::process`](crate::Bencher::process)). It includes neither other child processes, nor the kernel's work for
/// them, nor GPUs, memory or idle power. So no idle energy is subtracted from an estimate.
#[derive(Debug)]
pub struct Estimate {
    watts: Watts,
    domains: [Domain; 1],
    channels: [Channel; 1],
}

impl Estimate {
    /// Returns an estimate with `watts` per busy core.
    ///
    /// # Errors
    /// [`OpenError::Setting`] if `watts` is not positive and finite.
    pub fn new(watts: Watts) -> Result<Self, OpenError> {
        if watts.get().is_finite() && watts.get() > 0.0 {
            Ok(Self::with_watts(watts))
        } else {
            Err(OpenError::Setting {
                name: "the estimate's watts per core".to_owned(),
                why: format!("must be positive and finite, not {}", watts.get()),
            })
        }
    }

    fn with_watts(watts: Watts) -> Self {
        let id = DomainId::new("cpu:estimate");
        let domain = Domain {
            id: id.clone(),
            kind: DomainKind::Process,
            parent: None,
            label: "CPU time of this process".to_owned(),
        };
        let channel = Channel {
            update_period: Some(Duration::ZERO),
            ..Channel::new(id, Quantity::Energy { unit_j: UNIT_J, modulus: None })
        };
        Self { watts, domains: [domain], channels: [channel] }
    }

    /// Returns the assumed power of one busy core.
    pub fn watts_per_core(&self) -> Watts {
        self.watts
    }

    /// Returns the formula of the estimate for the report.
    pub fn formula(&self) -> String {
        format!(
            "CPU time of the bench's process, its services and the harness (all threads, no other child processes) × {} W per \
             busy core; no sensor is read",
            self.watts.get()
        )
    }
}

impl Default for Estimate {
    /// Returns an estimate with `DEFAULT_WATTS_PER_CORE`.
    fn default() -> Self {
        Self::with_watts(DEFAULT_WATTS_PER_CORE)
    }
}

impl Meter for Estimate {
    fn name(&self) -> &'static str {
        "estimate"
    }

    fn origin(&self) -> Origin {
        Origin::Estimated
    }

    fn domains(&self) -> &[Domain] {
        &self.domains
    }

    fn channels(&self) -> &[Channel] {
        &self.channels
    }

    fn read(&mut self, channel: usize) -> Result<Value, ReadError> {
        debug_assert_eq!(channel, 0, "the estimate has one channel");
        let own = process_cpu_time().ok_or_else(|| ReadError::Failed("this platform has no CPU time".to_owned()))?;
        let busy = own + counted_cpu_time();
        Ok(Value::Count((busy.as_secs_f64() * self.watts.get() / UNIT_J) as u64))
    }

    fn facts(&self) -> Vec<(String, String)> {
        vec![
            ("estimate formula".to_owned(), self.formula()),
            ("estimate watts per core".to_owned(), self.watts.get().to_string()),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn burn() -> u64 {
        (0..5_000_000u64).fold(1, |x, i| std::hint::black_box(x ^ i.wrapping_mul(x | 1)))
    }

    fn count(meter: &mut Estimate) -> u64 {
        match meter.read(0).unwrap() {
            Value::Count(count) => count,
            other => panic!("a counter returned {other:?}"),
        }
    }

    #[test]
    fn multiplies_cpu_time_by_watts() {
        let mut meter = Estimate::new(Watts(25.0)).unwrap();
        let cpu_before = process_cpu_time().unwrap();
        let before = count(&mut meter);
        burn();
        let after = count(&mut meter);
        let cpu = process_cpu_time().unwrap().checked_sub(cpu_before).unwrap();
        let joules = (after - before) as f64 * UNIT_J;
        let max = 25.0 * cpu.as_secs_f64();
        assert!(joules > 0.0 && joules <= max + 2e-6, "{joules} J of at most {max} J");
    }

    #[test]
    fn is_labelled_as_estimated() {
        let meter = Estimate::default();
        assert_eq!(meter.origin(), Origin::Estimated);
        assert_eq!(meter.domains()[0].kind, DomainKind::Process);
        assert!(meter.formula().contains("10 W per busy core"), "{}", meter.formula());
        assert_eq!(meter.channels()[0].update_period, Some(Duration::ZERO));
    }

    #[test]
    fn rejects_invalid_watts() {
        for watts in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(Estimate::new(Watts(watts)).is_err(), "{watts}");
        }
    }
}

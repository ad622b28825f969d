//! The labelled estimate: this process' CPU time multiplied by a stated power per busy core.
//!
//! It reads no energy sensor, and its origin says so in every result. Must not be taken by anything without that label.

use std::time::Duration;

use super::{Channel, Meter, OpenError, Quantity, ReadError, Value};
use crate::clock::{child_cpu_time, process_cpu_time};
use crate::model::{Domain, DomainId, DomainKind, Origin};
use crate::units::Watts;

/// Watts that one busy core is taken to draw when nobody says better: 10 W.
///
/// A round number at the upper end of what data sheets give for thermal design power over cores: about 4 W on a
/// many-core server part (EPYC 9654: 360 W over 96), 6 W (Xeon Platinum 8480+: 350 W over 56) and 10.6 W on a desktop
/// part (Ryzen 9 7950X: 170 W over 16). It is the upper end because a few busy cores run at boost clocks, and because
/// caches, memory controller and fabric are awake for them too. Be prepared for a factor of three either way: an
/// estimate compares two programs on one machine by their CPU time; it does not say what they draw.
pub const DEFAULT_WATTS_PER_CORE: Watts = Watts(10.0);

/// Joules = CPU seconds of this process × watts per busy core, as a counter in µJ.
///
/// The CPU time is that of all threads of *this* process (`CLOCK_PROCESS_CPUTIME_ID`) and of the workers that run
/// benches for it. It covers neither other child processes, nor what the kernel does on their behalf, nor GPUs, memory or the machine at rest: an estimate has no
/// idle to subtract.
#[derive(Debug)]
pub struct Estimate {
    watts: Watts,
    domains: [Domain; 1],
    channels: [Channel; 1],
}

/// The size of one count, in joules.
const UNIT_J: f64 = 1e-6;

impl Estimate {
    /// An estimate at `watts` per busy core.
    ///
    /// # Errors
    /// [`OpenError::Setting`] unless `watts` is positive and finite.
    pub fn new(watts: Watts) -> Result<Self, OpenError> {
        if watts.get().is_finite() && watts.get() > 0.0 {
            Ok(Self::at(watts))
        } else {
            Err(OpenError::Setting {
                name: "the estimate's watts per core".to_owned(),
                why: format!("must be positive and finite, not {}", watts.get()),
            })
        }
    }

    fn at(watts: Watts) -> Self {
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

    /// Watts that one busy core is taken to draw.
    pub fn watts_per_core(&self) -> Watts {
        self.watts
    }

    /// How the number is made, for the report.
    pub fn formula(&self) -> String {
        format!(
            "CPU seconds of the process that runs the bench and of the harness, all threads, without what they start × {} W per busy core (no sensor is read)",
            self.watts.get()
        )
    }
}

impl Default for Estimate {
    /// At [`DEFAULT_WATTS_PER_CORE`].
    fn default() -> Self {
        Self::at(DEFAULT_WATTS_PER_CORE)
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
        let own = process_cpu_time().ok_or_else(|| ReadError::Failed("this platform tells no CPU time".to_owned()))?;
        let busy = own + child_cpu_time();
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
            other => panic!("a counter gave {other:?}"),
        }
    }

    #[test]
    fn a_busy_stretch_costs_its_cpu_time_times_the_watts() {
        let mut meter = Estimate::new(Watts(25.0)).unwrap();
        let cpu_before = process_cpu_time().unwrap();
        let before = count(&mut meter);
        burn();
        let after = count(&mut meter);
        let cpu = process_cpu_time().unwrap().checked_sub(cpu_before).unwrap();
        let joules = (after - before) as f64 * UNIT_J;
        let most = 25.0 * cpu.as_secs_f64();
        assert!(joules > 0.0 && joules <= most + 2e-6, "{joules} J of at most {most} J");
    }

    #[test]
    fn it_is_never_called_a_measurement() {
        let meter = Estimate::default();
        assert_eq!(meter.origin(), Origin::Estimated);
        assert_eq!(meter.domains()[0].kind, DomainKind::Process);
        assert!(meter.formula().contains("10 W per busy core"), "{}", meter.formula());
        assert_eq!(meter.channels()[0].update_period, Some(Duration::ZERO));
    }

    #[test]
    fn watts_that_mean_nothing_are_refused() {
        for watts in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(Estimate::new(Watts(watts)).is_err(), "{watts}");
        }
    }
}

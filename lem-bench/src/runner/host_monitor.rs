//! Observes the host between windows: device users, CPU time of other processes, the wall clock.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::clock::{
    Clock, CpuQuota, MachineCpu, QuotaPeriods, counted_cpu_time, machine_cpu_time, process_cpu_time, process_tree,
};
use crate::meter::DeviceMonitor;
use crate::model::{CpuEvidence, DeviceProcess, QuotaEvidence};
use crate::units::Stamp;

/// Longest duration of a pair of clock reads from which an offset is computed.
const MAX_READ_TIME: Duration = Duration::from_micros(50);

/// Observes the host. The default is for a simulated machine and observes nothing.
#[derive(Clone, Default)]
pub struct HostMonitor {
    devices: Option<Arc<dyn DeviceMonitor>>,
    quota: Option<CpuQuota>,
    is_real: bool,
}

impl std::fmt::Debug for HostMonitor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HostMonitor")
            .field("devices", &self.devices.is_some())
            .field("quota", &self.quota)
            .field("is_real", &self.is_real)
            .finish()
    }
}

/// CPU times at a moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct CpuMark {
    at: Stamp,
    times: MachineCpu,
    counted: Option<Duration>,
    quota: Option<QuotaPeriods>,
}

impl HostMonitor {
    /// Observes this machine, the measured devices if they have a monitor, and the CPU quota if there is one.
    pub fn real(devices: Option<Arc<dyn DeviceMonitor>>, quota: Option<CpuQuota>) -> Self {
        Self { devices, quota, is_real: true }
    }

    /// The processes that use the devices; `None` when that is not available.
    pub fn users(&self) -> Option<Vec<DeviceProcess>> {
        let processes = self.devices.as_ref()?.processes().ok()?;
        let own = if processes.is_empty() { Vec::new() } else { process_tree() };
        let mark_own = |process: DeviceProcess| DeviceProcess { own: own.contains(&process.pid), ..process };
        Some(processes.into_iter().map(mark_own).collect())
    }

    /// The current CPU times; `None` when they are not available.
    pub(super) fn cpu(&self, clock: &dyn Clock) -> Option<CpuMark> {
        if !self.is_real {
            return None;
        }
        let counted = process_cpu_time().map(|own| own + counted_cpu_time());
        let quota = self.quota.as_ref().and_then(CpuQuota::periods);
        Some(CpuMark { at: clock.now(), times: machine_cpu_time()?, counted, quota })
    }

    /// CPU times since `from`.
    pub(super) fn cpu_since(&self, from: CpuMark, clock: &dyn Clock) -> Option<CpuEvidence> {
        let now = self.cpu(clock)?;
        Some(CpuEvidence {
            span_s: now.at.seconds_from(from.at),
            machine_s: (now.times.machine_s - from.times.machine_s).max(0.0),
            own_s: (now.times.own_s - from.times.own_s).max(0.0),
            counted_s: now.counted.zip(from.counted).map(|(now, from)| now.saturating_sub(from).as_secs_f64()),
            quota: self.quota_since(from.quota, now.quota),
        })
    }

    fn quota_since(&self, from: Option<QuotaPeriods>, now: Option<QuotaPeriods>) -> Option<QuotaEvidence> {
        let (from, now) = from.zip(now)?;
        Some(QuotaEvidence {
            cpus: self.quota.as_ref()?.cpus,
            periods: now.all.saturating_sub(from.all),
            throttled: now.throttled.saturating_sub(from.throttled),
        })
    }

    /// The wall clock (seconds since 1970) minus the clock's stamp, in seconds; `None` when the two could not be read
    /// within [`MAX_READ_TIME`].
    pub(super) fn wall_offset_s(&self, clock: &dyn Clock) -> Option<f64> {
        if !self.is_real {
            return None;
        }
        (0..5).find_map(|_| {
            let before = clock.now();
            let wall = SystemTime::now();
            let after = clock.now();
            let since = wall.duration_since(UNIX_EPOCH).ok()?;
            (after.since(before) <= MAX_READ_TIME).then(|| since.as_secs_f64() - before.seconds())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::RealClock;
    use crate::meter::{PowerLimits, ReadError};
    use crate::model::DomainId;

    struct Shared;

    impl DeviceMonitor for Shared {
        fn processes(&self) -> Result<Vec<DeviceProcess>, ReadError> {
            let process =
                |pid| DeviceProcess { domain: DomainId::new("gpu:0"), pid, memory_bytes: Some(5), own: false };
            Ok(vec![process(std::process::id()), process(u32::MAX)])
        }

        fn power_limits(&self) -> Result<Vec<PowerLimits>, ReadError> {
            Ok(Vec::new())
        }
    }

    #[test]
    fn marks_own_process() {
        let users = HostMonitor::real(Some(Arc::new(Shared)), None).users().unwrap();
        assert_eq!(users.iter().map(|user| user.own).collect::<Vec<_>>(), [true, false]);
        assert_eq!(HostMonitor::default().users(), None, "unknown users are not an empty list");
    }

    #[test]
    fn wall_offset_is_constant() {
        let host = HostMonitor::real(None, None);
        let offsets: Vec<f64> = (0..20).filter_map(|_| host.wall_offset_s(&RealClock)).collect();
        assert!(!offsets.is_empty());
        assert!(offsets.iter().all(|offset| (offset - offsets[0]).abs() < 1e-3), "{offsets:?}");
        assert_eq!(HostMonitor::default().wall_offset_s(&RealClock), None);
    }
}

//! What else goes on on the machine: who uses the devices, CPU time of others, the wall clock. Asked between windows,
//! never inside one; written down and not judged.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::memory::{self, Memory};
use crate::clock::{Clock, MachineCpu, machine_cpu_time, process_tree};
use crate::meter::DeviceMonitor;
use crate::model::{CpuEvidence, DeviceProcess};
use crate::units::Stamp;

/// A pair of clock reads that took longer than this says little about how the two clocks stand to each other.
const CLOSE: Duration = Duration::from_micros(50);

/// The world around a run. The default is that of a simulated machine: nothing is there.
#[derive(Clone, Default)]
pub struct HostMonitor {
    watch: Option<Arc<dyn DeviceMonitor>>,
    real: bool,
}

impl std::fmt::Debug for HostMonitor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Surroundings").field("watch", &self.watch.is_some()).field("real", &self.real).finish()
    }
}

/// CPU times at a moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct CpuMark {
    at: Stamp,
    times: MachineCpu,
}

impl HostMonitor {
    /// This machine, with a look at the devices that are measured, where they can be looked at.
    pub fn real(watch: Option<Arc<dyn DeviceMonitor>>) -> Self {
        Self { watch, real: true }
    }

    /// Who uses the devices; `None` where nobody can be asked.
    pub fn users(&self) -> Option<Vec<DeviceProcess>> {
        let processes = self.watch.as_ref()?.processes().ok()?;
        let own = if processes.is_empty() { Vec::new() } else { process_tree() };
        let mark_own = |process: DeviceProcess| DeviceProcess { own: own.contains(&process.pid), ..process };
        Some(processes.into_iter().map(mark_own).collect())
    }

    /// Memory in which benches stay set up: the host's and the devices'; empty on a simulated machine, and where nobody
    /// tells.
    pub fn memory(&self) -> Vec<Memory> {
        let host = if self.real { memory::host() } else { None };
        let devices = self.watch.as_ref().and_then(|watch| watch.memory().ok()).unwrap_or_default();
        let of = |device: crate::meter::DeviceMemory| {
            let (free, total) = (device.free_bytes, device.total_bytes);
            Memory { name: device.domain.as_str().to_owned(), free, total }
        };
        host.into_iter().chain(devices.into_iter().map(of)).collect()
    }

    /// CPU times now.
    pub(super) fn cpu(&self, clock: &dyn Clock) -> Option<CpuMark> {
        if !self.real {
            return None;
        }
        Some(CpuMark { at: clock.now(), times: machine_cpu_time()? })
    }

    /// CPU time since `from`.
    pub(super) fn cpu_since(&self, from: CpuMark, clock: &dyn Clock) -> Option<CpuEvidence> {
        let now = self.cpu(clock)?;
        Some(CpuEvidence {
            span_s: now.at.seconds_from(from.at),
            machine_s: (now.times.machine_s - from.times.machine_s).max(0.0),
            own_s: (now.times.own_s - from.times.own_s).max(0.0),
        })
    }

    /// The wall clock (seconds since 1970) less the clock's stamp, in seconds; `None` where the two could not be read
    /// closely enough together.
    pub(super) fn wall_offset_s(&self, clock: &dyn Clock) -> Option<f64> {
        if !self.real {
            return None;
        }
        (0..5).find_map(|_| {
            let before = clock.now();
            let wall = SystemTime::now();
            let after = clock.now();
            let since = wall.duration_since(UNIX_EPOCH).ok()?;
            (after.since(before) <= CLOSE).then(|| since.as_secs_f64() - before.seconds())
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
    fn one_s_own_process_is_told_from_others() {
        let users = HostMonitor::real(Some(Arc::new(Shared))).users().unwrap();
        assert_eq!(users.iter().map(|user| user.own).collect::<Vec<_>>(), [true, false]);
        assert_eq!(HostMonitor::default().users(), None, "nobody asked is not nobody there");
    }

    #[test]
    fn the_two_clocks_stand_still_to_each_other() {
        let here = HostMonitor::real(None);
        let offsets: Vec<f64> = (0..20).filter_map(|_| here.wall_offset_s(&RealClock)).collect();
        assert!(!offsets.is_empty());
        assert!(offsets.iter().all(|offset| (offset - offsets[0]).abs() < 1e-3), "{offsets:?}");
        assert_eq!(HostMonitor::default().wall_offset_s(&RealClock), None);
    }
}

//! A machine with GPUs from the NVML double, for the built binary.

use std::path::PathBuf;

use lem_bench::__private::clock::monotonic_now;
use lem_bench::__private::model::DomainEnergy;
use lem_bench::units::Stamp;
use nvml_double::{Description, Device, Steps};

/// A folder with the double under the driver's file name, and the true power of its GPUs.
pub(crate) struct Machine {
    pub(crate) home: tempfile::TempDir,
    devices: Vec<Device>,
    epoch: Stamp,
}

impl Machine {
    pub(crate) fn new(describe: impl FnOnce(&std::path::Path) -> Vec<Device>) -> Self {
        let home = tempfile::tempdir().unwrap();
        let devices = describe(home.path());
        let built = std::env::current_exe().unwrap().parent().unwrap().join("libnvml_double.so");
        std::fs::copy(&built, home.path().join("libnvidia-ml.so.1"))
            .unwrap_or_else(|error| panic!("{}: {error}: cargo builds it for these tests", built.display()));
        let epoch = monotonic_now();
        let described = Description { devices, epoch_ns: Some(epoch.nanos()), ..Description::default() };
        let json = serde_json::to_string(&described).unwrap();
        std::fs::write(home.path().join("libnvidia-ml.so.1.json"), json).unwrap();
        Self { home, devices: described.devices, epoch }
    }

    /// Creates a machine from a file in `tests/machines`, with the first `count` of its GPUs.
    pub(crate) fn described(file: &str, count: usize) -> Self {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/machines").join(file);
        let described: Description = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        Self::new(|_| described.devices.into_iter().take(count).collect())
    }

    pub(crate) fn library(&self) -> PathBuf {
        self.home.path().join("libnvidia-ml.so.1")
    }

    /// Starts a run with the library on `LD_LIBRARY_PATH`.
    pub(crate) fn start(&self, args: &[&str], variables: &[(&str, &str)]) -> std::process::Child {
        let mut command = super::run::command(self.home.path(), args);
        command.arg("--sysfs-root").arg(self.home.path()).env("LD_LIBRARY_PATH", self.home.path());
        command.envs(variables.iter().copied()).spawn().unwrap()
    }

    /// Checks every energy of every cycle: it contains the truth and differs by less than 5 %. Returns their number.
    #[track_caller]
    pub(crate) fn check_energies(&self) -> usize {
        let mut checked = 0;
        for window in super::run::cycles(self.home.path()).iter().flat_map(|cycle| &cycle.windows) {
            for energy in &window.energy {
                self.check(energy, window.start, window.stop);
                checked += 1;
            }
        }
        checked
    }

    #[track_caller]
    fn check(&self, energy: &DomainEnergy, start: Stamp, stop: Stamp) {
        let index: usize = energy.domain.as_str().strip_prefix("gpu:").unwrap().parse().unwrap();
        let truth = self.devices[index].power_w.integral(self.at(start), self.at(stop));
        let (joules, low, high) = (energy.joules.get(), energy.low.get(), energy.high.get());
        // The last digit of the counter is a millijoule.
        let within = low - 2e-3 <= truth && truth <= high + 2e-3;
        assert!(within, "{}: true {truth} J is not within {low} to {high} J", energy.domain);
        assert!((joules - truth).abs() < 0.05 * truth, "{}: {joules} J instead of {truth} J", energy.domain);
        // The coverage of these counters is unknown. With fewer than 20 updates of 100 ms, only the energy that a
        // part-time sensor could miss bounds the result, so that the bounds are wide.
        if stop.since(start) >= std::time::Duration::from_secs(2) {
            assert!(high - low < 0.35 * truth, "{}: {low} to {high} J is too wide", energy.domain);
        }
    }

    fn at(&self, stamp: Stamp) -> f64 {
        stamp.seconds_from(self.epoch)
    }
}

/// Returns a GPU of `100 + 20 n` W on average, in bursts whose period differs from that of its sensors.
pub(crate) fn card(n: u32) -> Device {
    let watts = 100.0 + 20.0 * f64::from(n);
    Device {
        uuid: format!("GPU-{n}{n}{n}{n}aaaa-0000-1111-2222-333333333333"),
        power_w: Steps::repeating([(0.0, watts + 40.0), (0.031, watts - 40.0)], 0.062),
        ..Device::default()
    }
}

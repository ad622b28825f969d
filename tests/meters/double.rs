//! A machine with described GPUs, for a built binary.

use std::path::PathBuf;

use lem_bench::clock::monotonic_now;
use lem_bench::model::DomainEnergy;
use lem_bench::units::Stamp;
use nvml_double::{Description, Device, Steps};

/// A folder with the double under the driver's name, and what is true about it.
pub(crate) struct Machine {
    pub(crate) home: tempfile::TempDir,
    devices: Vec<Device>,
    epoch: Stamp,
}

impl Machine {
    pub(crate) fn of(describe: impl FnOnce(&std::path::Path) -> Vec<Device>) -> Self {
        let home = tempfile::tempdir().unwrap();
        let devices = describe(home.path());
        let built = std::env::current_exe().unwrap().parent().unwrap().join("libnvml_double.so");
        std::fs::copy(&built, home.path().join("libnvidia-ml.so.1"))
            .unwrap_or_else(|error| panic!("{}: {error}: cargo leaves it there for tests", built.display()));
        let epoch = monotonic_now();
        let described = Description { devices, epoch_ns: Some(epoch.nanos()), ..Description::default() };
        let json = serde_json::to_string(&described).unwrap();
        std::fs::write(home.path().join("libnvidia-ml.so.1.json"), json).unwrap();
        Self { home, devices: described.devices, epoch }
    }

    pub(crate) fn library(&self) -> PathBuf {
        self.home.path().join("libnvidia-ml.so.1")
    }

    /// Starts a run whose loader finds the library.
    pub(crate) fn start(&self, args: &[&str], variables: &[(&str, &str)]) -> std::process::Child {
        let mut command = super::run::command(self.home.path(), args);
        command.arg("--sysfs-root").arg(self.home.path()).env("LD_LIBRARY_PATH", self.home.path());
        command.envs(variables.iter().copied()).spawn().unwrap()
    }

    /// Holds every energy of every kept cycle to the truth: within its stated bounds and near it. Returns how many
    /// energies that were.
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
        assert!(within, "{}: {truth} J is not within {low} to {high} J", energy.domain);
        assert!((joules - truth).abs() < 0.05 * truth, "{}: {joules} J where {truth} J is true", energy.domain);
        // Whether these cards' counters see all of the time is known of none: under 20 updates of 100 ms nothing bounds
        // the energy but what a sensor that sees a part could have missed.
        if stop.since(start) >= std::time::Duration::from_secs(2) {
            assert!(high - low < 0.35 * truth, "{}: {low} to {high} J says nothing", energy.domain);
        }
    }

    fn at(&self, stamp: Stamp) -> f64 {
        stamp.seconds_from(self.epoch)
    }
}

/// A card that draws more the higher its number, in bursts that do not fit its sensor's period.
pub(crate) fn card(n: u32) -> Device {
    let watts = 100.0 + 20.0 * f64::from(n);
    Device {
        uuid: format!("GPU-{n}{n}{n}{n}aaaa-0000-1111-2222-333333333333"),
        power_w: Steps::repeating([(0.0, watts + 40.0), (0.031, watts - 40.0)], 0.062),
        ..Device::default()
    }
}

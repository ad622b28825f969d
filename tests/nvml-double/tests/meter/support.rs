//! A copy of the double for one test. Its own library file gives it its own state; the JSON file next to it describes it.

use std::path::{Path, PathBuf};

use lem_bench::__private::clock::monotonic_now;
use lem_bench::__private::meter::{Nvml, NvmlOptions};
use lem_bench::meter::{Meter, OpenError, Quantity, Value};
use lem_bench::units::Stamp;
use nvml_double::{Description, Device};
use tempfile::TempDir;

/// A double that a test can open.
pub(crate) struct Double {
    dir: TempDir,
    /// The description's time 0.
    pub(crate) epoch: Stamp,
}

impl Double {
    /// Copies the library and writes a description with these devices; time 0 is now.
    pub(crate) fn of(devices: Vec<Device>) -> Self {
        Self::described(Description { devices, ..Description::default() })
    }

    /// As [`Double::of`], with a complete description.
    pub(crate) fn described(description: Description) -> Self {
        let dir = TempDir::new().unwrap();
        let tests = std::env::current_exe().unwrap();
        let built = tests.parent().unwrap().join("libnvml_double.so");
        std::fs::copy(&built, dir.path().join("libnvidia-ml.so.1"))
            .unwrap_or_else(|error| panic!("the double is not at {}: {error}", built.display()));
        let epoch = monotonic_now();
        let description = Description { epoch_ns: Some(epoch.nanos()), ..description };
        let json = serde_json::to_string_pretty(&description).unwrap();
        std::fs::write(dir.path().join("libnvidia-ml.so.1.json"), json).unwrap();
        Self { dir, epoch }
    }

    /// Returns the folder of the library for `LD_LIBRARY_PATH`.
    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Returns options that open the double with all GPUs visible.
    pub(crate) fn options(&self) -> NvmlOptions {
        let lib_path: PathBuf = self.dir.path().join("libnvidia-ml.so.1");
        NvmlOptions { lib_path: Some(lib_path), ..NvmlOptions::default() }
    }

    /// Opens the meter.
    pub(crate) fn open(&self) -> Nvml {
        Nvml::open(&self.options()).unwrap()
    }

    /// Opens the meter with `CUDA_VISIBLE_DEVICES=visible`.
    pub(crate) fn visible(&self, visible: &str) -> Result<Nvml, OpenError> {
        Nvml::open(&NvmlOptions { visible: Some(visible.to_owned()), ..self.options() })
    }
}

/// Returns the ids of the meter's domains.
pub(crate) fn domains(meter: &dyn Meter) -> Vec<&str> {
    meter.domains().iter().map(|domain| domain.id.as_str()).collect()
}

/// Returns the index of the domain's channel whose quantity matches.
pub(crate) fn channel(meter: &dyn Meter, domain: &str, is: impl Fn(Quantity) -> bool) -> Option<usize> {
    meter.channels().iter().position(|channel| channel.domain.as_str() == domain && is(channel.quantity))
}

/// Returns whether a quantity is energy.
pub(crate) fn energy(quantity: Quantity) -> bool {
    matches!(quantity, Quantity::Energy { .. })
}

/// Returns whether a quantity is power.
pub(crate) fn power(quantity: Quantity) -> bool {
    quantity == Quantity::Power
}

/// Reads a gauge.
pub(crate) fn level(meter: &mut Nvml, channel: usize) -> f64 {
    match meter.read(channel).unwrap() {
        Value::Level(level) => level,
        other => panic!("a gauge returned {other:?}"),
    }
}

/// Returns the value of a fact.
pub(crate) fn fact(meter: &dyn Meter, name: &str) -> String {
    let facts = meter.facts();
    facts.iter().find(|(key, _)| key == name).map_or_else(|| panic!("no fact {name:?} in {facts:?}"), |it| it.1.clone())
}

//! A copy of the double for one test: its own library file, hence its own state, described by a JSON file beside it.

use std::path::{Path, PathBuf};

use lem_bench::clock::monotonic_now;
use lem_bench::meter::{Meter, Nvml, NvmlOptions, OpenError, Quantity, Value};
use lem_bench::units::Stamp;
use nvml_double::{Description, Device};
use tempfile::TempDir;

/// A double that a test can open.
pub(crate) struct Double {
    dir: TempDir,
    /// When the description's time 0 was.
    pub(crate) epoch: Stamp,
}

impl Double {
    /// Copies the library and describes it; time 0 is now.
    pub(crate) fn of(devices: Vec<Device>) -> Self {
        Self::described(Description { devices, ..Description::default() })
    }

    /// As [`Double::of`], with everything else about the machine.
    pub(crate) fn described(description: Description) -> Self {
        let dir = TempDir::new().unwrap();
        let tests = std::env::current_exe().unwrap();
        let built = tests.parent().unwrap().join("libnvml_double.so");
        std::fs::copy(&built, dir.path().join("libnvidia-ml.so.1")).unwrap_or_else(|error| {
            panic!("the double is not where cargo leaves it for tests, {}: {error}", built.display())
        });
        let epoch = monotonic_now();
        let description = Description { epoch_ns: Some(epoch.nanos()), ..description };
        let json = serde_json::to_string_pretty(&description).unwrap();
        std::fs::write(dir.path().join("libnvidia-ml.so.1.json"), json).unwrap();
        Self { dir, epoch }
    }

    /// The folder of the library, for `LD_LIBRARY_PATH`.
    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The options that open it with all GPUs visible.
    pub(crate) fn options(&self) -> NvmlOptions {
        let lib_path: PathBuf = self.dir.path().join("libnvidia-ml.so.1");
        NvmlOptions { lib_path: Some(lib_path), ..NvmlOptions::default() }
    }

    /// Opens our meter on it.
    pub(crate) fn open(&self) -> Nvml {
        Nvml::open(&self.options()).unwrap()
    }

    /// Opens our meter with `CUDA_VISIBLE_DEVICES=visible`.
    pub(crate) fn visible(&self, visible: &str) -> Result<Nvml, OpenError> {
        Nvml::open(&NvmlOptions { visible: Some(visible.to_owned()), ..self.options() })
    }
}

/// The ids of the meter's domains.
pub(crate) fn domains(meter: &dyn Meter) -> Vec<&str> {
    meter.domains().iter().map(|domain| domain.id.as_str()).collect()
}

/// The index of a domain's channel of a kind; `None` if there is none.
pub(crate) fn channel(meter: &dyn Meter, domain: &str, is: impl Fn(Quantity) -> bool) -> Option<usize> {
    meter.channels().iter().position(|channel| channel.domain.as_str() == domain && is(channel.quantity))
}

/// Whether a quantity is energy.
pub(crate) fn energy(quantity: Quantity) -> bool {
    matches!(quantity, Quantity::Energy { .. })
}

/// Whether a quantity is power.
pub(crate) fn power(quantity: Quantity) -> bool {
    quantity == Quantity::Power
}

/// A gauge's level.
pub(crate) fn level(meter: &mut Nvml, channel: usize) -> f64 {
    match meter.read(channel).unwrap() {
        Value::Level(level) => level,
        other => panic!("a gauge gave {other:?}"),
    }
}

/// A fact's value.
pub(crate) fn fact(meter: &dyn Meter, name: &str) -> String {
    let facts = meter.facts();
    facts.iter().find(|(key, _)| key == name).map_or_else(|| panic!("no fact {name:?} in {facts:?}"), |it| it.1.clone())
}

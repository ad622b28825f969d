//! Tries every meter and says what became of each, for whoever asks what this machine can measure.
//!
//! Must not know how it is shown.

use super::open::{self, Opened};
use super::{OpenError, OpenOptions};

/// One kind of meter and whether it works here.
#[derive(Debug)]
pub struct Availability {
    /// The name by which `--meter` chooses it.
    pub name: &'static str,
    /// Whether it can be read.
    pub status: Status,
}

/// Whether a meter can be read.
#[derive(Debug)]
pub enum Status {
    /// It can.
    Ready(Opened),
    /// It can't.
    Unavailable {
        /// The reason.
        why: OpenError,
        /// What a person can do about it, where there is something.
        remedy: Option<String>,
    },
}

/// Tries every kind of meter, in the order in which [`MeterChoice::Auto`](super::MeterChoice::Auto) prefers them.
pub fn survey(options: &OpenOptions) -> Vec<Availability> {
    let found = |name, result: Result<Opened, OpenError>| {
        let status = match result {
            Ok(opened) => Status::Ready(opened),
            Err(why) => Status::Unavailable { remedy: why.remedy(), why },
        };
        Availability { name, status }
    };
    vec![
        found("nvml", open::nvml(options)),
        found("rapl", open::rapl(options)),
        found("hwmon", open::hwmon(options)),
        found("estimate", open::estimate(options)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::meter::NvmlOptions;

    #[test]
    fn every_kind_is_listed_with_its_reason() {
        let options = OpenOptions {
            sysfs_root: "/nonexistent".into(),
            nvml: NvmlOptions { lib_path: Some("/nonexistent/nvml".into()), ..NvmlOptions::default() },
            ..OpenOptions::default()
        };
        let found = survey(&options);
        assert_eq!(found.iter().map(|found| found.name).collect::<Vec<_>>(), ["nvml", "rapl", "hwmon", "estimate"]);
        let ready = |found: &Availability| matches!(found.status, Status::Ready(_));
        assert_eq!(found.iter().map(ready).collect::<Vec<_>>(), [false, false, false, true]);
        let Status::Unavailable { why, remedy } = &found[1].status else { panic!("no RAPL under /nonexistent") };
        assert!(why.to_string().contains("/nonexistent"), "{why}");
        assert_eq!(*remedy, why.remedy());
    }
}

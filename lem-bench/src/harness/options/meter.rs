//! Options of the meter.

use super::spec::{Arity, LemCommand, OptionGroup, OptionSpec, Resume, Set, single, switch};
use crate::harness::parse;
use crate::meter::{METER_EXPECTS, METER_HELP};
use crate::units::Watts;

const DUEL: &[LemCommand] = &[LemCommand::Duel];
const DOCTOR_AND_DUEL: &[LemCommand] = &[LemCommand::Doctor, LemCommand::Duel];

const fn meter(name: &'static str, arity: Arity, set: Set) -> OptionSpec {
    OptionSpec::new(OptionGroup::Meters, name, arity, set)
}

pub(super) const OPTIONS: &[OptionSpec] = &[
    meter("meter", Arity::One("METER"), |c, v| {
        c.meter = single(v).parse()?;
        Ok(())
    })
    .applies_to(DOCTOR_AND_DUEL)
    .expects(METER_EXPECTS)
    .default("auto")
    .help(METER_HELP),
    meter("domain", Arity::Many("DOMAIN"), |c, v| {
        c.domains = v.iter().flat_map(|text| parse::comma_list(text)).collect();
        Ok(())
    })
    .applies_to(DOCTOR_AND_DUEL)
    .expects("domain ids or prefixes, such as gpu:0 or cpu:package")
    .default("all domains that do not overlap")
    .help("Domains whose sum is the headline energy; --doctor lists them"),
    meter("watts-per-core", Arity::One("WATTS"), |c, v| {
        c.open.estimate_watts = Watts(parse::positive(single(v))?);
        Ok(())
    })
    .applies_to(DOCTOR_AND_DUEL)
    .expects("a number above zero")
    .default("10")
    .help("Power of one busy core in watts, for the estimate"),
    meter("calibration", Arity::One("FILE"), |c, v| {
        c.calibration = Some(single(v).into());
        Ok(())
    })
    .applies_to(DUEL)
    .expects("a TOML or JSON file")
    .default("none: the gain of a board is uncertain by about ±5 %")
    .help("Path to a calibration file (gain, offset_w, reference, date), with which results are corrected"),
    meter("full-time-counters", Arity::Switch, |c, v| switch(v, |on| c.full_time_counters = on)).applies_to(DUEL).help(
        "Energy counters see the whole time, as `cargo lem doctor --pulses` showed; without it, what is known about the \
         device counts",
    ),
    meter("nvml-library", Arity::One("FILE"), |c, v| {
        c.open.nvml.lib_path = Some(single(v).into());
        Ok(())
    })
    .applies_to(DOCTOR_AND_DUEL)
    .expects("a file")
    .default("found by the dynamic loader")
    .help("Path to the NVIDIA driver's management library"),
    meter("sysfs-root", Arity::One("FOLDER"), |c, v| {
        c.open.sysfs_root = single(v).into();
        Ok(())
    })
    .applies_to(DOCTOR_AND_DUEL)
    .expects("a folder")
    .default("/sys")
    .help("Path to sysfs, for containers that mount it elsewhere"),
    meter("no-wait", Arity::Switch, |c, v| switch(v, |on| c.no_wait = on))
        .applies_to(DUEL)
        .resume(Resume::MayDiffer)
        .help("Exit with code 4 instead of waiting while another run measures on this machine"),
    meter("lock-file", Arity::One("FILE"), |c, v| {
        c.lock_file = Some(single(v).into());
        Ok(())
    })
    .applies_to(DOCTOR_AND_DUEL)
    .resume(Resume::MayDiffer)
    .expects("a file")
    .default("/run/lock/lem-bench.lock, or a file in the temporary folder")
    .help("Path to the lock that prevents simultaneous runs; containers on one machine must share it"),
];

//! The options of the meter.

use super::libtest::{one, switch};
use super::spec::{Arity, OptionGroup, OptionSpec, Set};
use crate::harness::parse;
use crate::meter::{METER_EXPECTS, METER_HELP};
use crate::units::Watts;

const fn meter(name: &'static str, arity: Arity, set: Set) -> OptionSpec {
    OptionSpec::new(OptionGroup::Meter, name, arity, set)
}

pub(super) const OPTIONS: &[OptionSpec] = &[
    meter("meter", Arity::One("METER"), |c, v| {
        c.meter = one(v).parse()?;
        Ok(())
    })
    .expects(METER_EXPECTS)
    .default("auto")
    .help(METER_HELP),
    meter("domain", Arity::Many("DOMAIN"), |c, v| {
        c.domains = v.iter().flat_map(|text| parse::commas(text)).collect();
        Ok(())
    })
    .expects("ids of domains or their beginnings, such as gpu:0 or cpu:package")
    .default("all that may be added up")
    .help("The domains whose sum is the headline energy; `cargo lem doctor` lists them"),
    meter("watts-per-core", Arity::One("WATTS"), |c, v| {
        c.open.estimate_watts = Watts(parse::positive(one(v))?);
        Ok(())
    })
    .expects("a number above zero")
    .default("10")
    .help("Power of one busy core in watts, for the estimate"),
    meter("calibration", Arity::One("FILE"), |c, v| {
        c.calibration = Some(one(v).into());
        Ok(())
    })
    .expects("a file of TOML or JSON")
    .default("none: a board's gain of about ±5 % stays unknown")
    .help("By how much a device's sensor is known to be wrong: gain, offset_w, reference, date; results are corrected"),
    meter("nvml-library", Arity::One("FILE"), |c, v| {
        c.open.nvml.lib_path = Some(one(v).into());
        Ok(())
    })
    .expects("a file")
    .default("what the system's loader finds")
    .help("The NVIDIA driver's management library"),
    meter("sysfs-root", Arity::One("FOLDER"), |c, v| {
        c.open.sysfs_root = one(v).into();
        Ok(())
    })
    .expects("a folder")
    .default("/sys")
    .help("Where sysfs is, for containers that mount it elsewhere"),
    meter("no-wait", Arity::Switch, |c, v| switch(v, |on| c.no_wait = on))
        .help("End at once, with exit code 4, when another run measures on this machine"),
    meter("lock-file", Arity::One("FILE"), |c, v| {
        c.lock_file = Some(one(v).into());
        Ok(())
    })
    .expects("a file")
    .default("/run/lock/lem-bench.lock, or one among the temporary files")
    .help("What keeps two runs apart; containers of one machine need one that they share"),
];

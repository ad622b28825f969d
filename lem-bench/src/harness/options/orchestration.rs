//! The options of processes: which benches share one, and what each is started with.

use super::libtest::{one, switch};
use super::spec::{Arity, OptionSpec, Topic};
use crate::harness::parse;

const fn processes(name: &'static str, arity: Arity, set: super::spec::Set) -> OptionSpec {
    OptionSpec::new(Topic::Processes, name, arity, set)
}

pub(super) const OPTIONS: &[OptionSpec] = &[
    processes("isolate", Arity::Switch, |c, v| switch(v, |on| c.isolate = on))
        .help("Measure each bench in a process of its own: a crash in it costs one bench, and the others run"),
    processes("bench-timeout", Arity::One("TIME"), |c, v| {
        c.bench_timeout = Some(parse::time_above_zero(one(v))?);
        Ok(())
    })
    .expects("a time above zero such as 10m, 90s or 500ms (a bare number is seconds)")
    .default("none")
    .help("End a bench that takes longer, set-up included, as failed; implies --isolate"),
    processes("env", Arity::Many("KEY=VALUE"), |c, v| {
        c.env = v.iter().map(|text| parse::pair(text)).collect::<Result<_, _>>()?;
        Ok(())
    })
    .expects("a key and a value, such as NCCL_DEBUG=INFO")
    .default("none")
    .help("Set a variable before each bench's process starts; may be given again; implies --isolate"),
];

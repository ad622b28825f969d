//! The options of processes: which benches share one, and what each is started with.

use super::libtest::{one, switch};
use super::spec::{Arity, OptionGroup, OptionSpec};
use crate::harness::parse;

const fn processes(name: &'static str, arity: Arity, set: super::spec::Set) -> OptionSpec {
    OptionSpec::new(OptionGroup::Processes, name, arity, set)
}

pub(super) const OPTIONS: &[OptionSpec] = &[
    processes("isolate", Arity::Switch, |c, v| switch(v, |on| c.isolate = on))
        .help("Measure each bench in a process of its own: a crash in it costs one bench, and the others run"),
    processes("processes", Arity::One("N"), |c, v| {
        c.processes = Some(one(v).parse().ok().filter(|n| (1..=4096).contains(n)).ok_or_else(String::new)?);
        Ok(())
    })
    .expects("a whole number from 1 to 4096")
    .default("as a bench's attribute says, else one")
    .help(
        "Measure each bench by N processes side by side, with RANK, LOCAL_RANK, WORLD_SIZE and, where there are GPUs, one \
         each. mpirun, srun and torchrun start them themselves: under these leave it out",
    ),
    processes("rank-timeout", Arity::One("TIME"), |c, v| {
        c.rank_timeout = parse::time_above_zero(one(v))?;
        Ok(())
    })
    .expects("a time above zero such as 10m, 90s or 500ms (a bare number is seconds)")
    .default("10m")
    .help("How long one of several processes is awaited by the others, at the start and where they meet"),
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

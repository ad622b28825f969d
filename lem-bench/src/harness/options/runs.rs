//! The options of runs as a whole: going on with one, and measuring a part of one.

use super::libtest::one;
use super::spec::{Arity, OptionGroup, OptionSpec};
use crate::harness::config::Resume;
use crate::model::Order;
use crate::plan::Shard;

pub(super) const OPTIONS: &[OptionSpec] = &[
    OptionSpec::new(OptionGroup::Selection, "order", Arity::One("ORDER"), |c, v| {
        c.order = match one(v) {
            "grouped" => Order::Grouped,
            "interleaved" => Order::Interleaved,
            "shuffled" => Order::Shuffled,
            _ => return Err(String::new()),
        };
        Ok(())
    })
    .expects("grouped, interleaved or shuffled")
    .default("grouped")
    .help(
        "grouped: bench after bench; shuffled: the same in an order drawn by --shuffle-seed, else by --seed; interleaved: \
         a cycle of each in turn, with all of them set up",
    ),
    OptionSpec::new(OptionGroup::Runs, "resume", Arity::Optional("RUN"), |c, v| {
        let run = one(v);
        c.resume = Some(if run.is_empty() { Resume::Newest } else { Resume::Run(run.to_owned()) });
        Ok(())
    })
    .cli_only()
    .help("Go on with what an interrupted run left undone: the newest of this target, or the one of this id"),
    OptionSpec::new(OptionGroup::Runs, "shard", Arity::One("K/N"), |c, v| {
        c.shard = Some(Shard::parse(one(v)).ok_or_else(String::new)?);
        Ok(())
    })
    .expects("two whole numbers such as 1/4, the first from 1 to the second")
    .default("all benches")
    .help("Measure one part of the benches; cargo lem merge joins the parts"),
];

//! The options of what comes out.

use super::libtest::one;
use super::spec::{Arity, OptionSpec, Topic};
use crate::harness::parse;

pub(super) const OPTIONS: &[OptionSpec] = &[
    OptionSpec::new(Topic::Output, "output-dir", Arity::One("FOLDER"), |c, v| {
        c.output_dir = Some(one(v).into());
        Ok(())
    })
    .aliases(&["home"])
    .expects("a folder")
    .default("lem-bench in cargo's target folder")
    .help("Where results go; a relative folder counts from the workspace's root"),
    OptionSpec::new(Topic::Output, "context", Arity::Many("KEY=VALUE"), |c, v| {
        c.context = v.iter().map(|text| parse::pair(text)).collect::<Result<_, _>>()?;
        Ok(())
    })
    .expects("a key and a value, such as room=22C")
    .default("none")
    .help("A fact to keep with the result; may be given again"),
];

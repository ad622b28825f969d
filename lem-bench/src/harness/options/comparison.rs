//! The options of comparing with saved results, and of the gate: criterion's by the same names where they mean the same.

use super::libtest::{one, switch};
use super::spec::{Arity, OptionGroup, OptionSpec, Set};
use crate::analysis::compare::FailOn;
use crate::harness::parse;

const fn named(name: &'static str, set: Set) -> OptionSpec {
    OptionSpec::new(OptionGroup::Comparison, name, Arity::One("NAME"), set)
        .expects("a name such as main or feature/x")
        .default("none")
}

const fn with(name: &'static str, value: &'static str, set: Set) -> OptionSpec {
    OptionSpec::new(OptionGroup::Comparison, name, Arity::One(value), set)
}

const fn turn(name: &'static str, set: Set) -> OptionSpec {
    OptionSpec::new(OptionGroup::Comparison, name, Arity::Switch, set)
}

/// A name, if there is one.
fn name(values: &[String]) -> Result<Option<String>, String> {
    match one(values).trim() {
        "" => Err(String::new()),
        name => Ok(Some(name.to_owned())),
    }
}

pub(super) const OPTIONS: &[OptionSpec] = &[
    named("save-baseline", |c, v| {
        c.comparing.save = name(v)?;
        Ok(())
    })
    .help("Keep the result under this name, after comparing it with what has the name now"),
    named("baseline", |c, v| {
        c.comparing.baseline = name(v)?;
        Ok(())
    })
    .help("Compare with the result of this name; it is an error when it, or a bench in it, is missing"),
    named("baseline-lenient", |c, v| {
        c.comparing.lenient = name(v)?;
        Ok(())
    })
    .help("Compare with the result of this name as far as there is one"),
    named("load-baseline", |c, v| {
        c.comparing.load = name(v)?;
        Ok(())
    })
    .help("Measure nothing: take the result of this name as the new one, and compare it with --baseline"),
    with("threshold", "CHANGE", |c, v| {
        c.comparing.options.criteria.threshold_pct = 100.0 * parse::share(one(v))?;
        Ok(())
    })
    .aliases(&["noise-threshold"])
    .expects("a share such as 1% or 0.01")
    .default("1%")
    .help("Changes within this are no changes"),
    with("significance-level", "LEVEL", |c, v| {
        c.comparing.options.criteria.significance = parse::share(one(v))?;
        Ok(())
    })
    .expects("a share such as 0.05 or 5%")
    .default("0.05")
    .help("Share of false alarms among all alarms that is put up with, over all benches together"),
    with("compare-metric", "METRIC", |c, v| {
        c.comparing.options.metric = name(v)?;
        Ok(())
    })
    .expects("a metric's name, such as net_j_per_output_token or ttft_ms_p50")
    .default("each bench's first one, joules per unit of work")
    .help("The metric to compare"),
    turn("compare-anyway", |c, v| switch(v, |on| c.comparing.options.anyway = on))
        .help("Compare also what was measured on other hardware, by another meter or with another model"),
    with("fail-on", "VERDICT", |c, v| {
        c.comparing.gate.fail_on = match one(v) {
            "nothing" => None,
            verdict => Some(FailOn::parse(verdict).ok_or_else(String::new)?),
        };
        Ok(())
    })
    .expects("regressed, inconclusive (which includes regressed) or nothing")
    .default("nothing")
    .help("The gate: end with exit code 3 when a bench comes to this"),
    turn("fail-on-regression", |_, v| switch(v, |_| ()))
        .short_for("fail-on", "regressed")
        .help("Short for --fail-on regressed"),
    turn("trust-single-baseline", |c, v| switch(v, |on| c.comparing.gate.trust_single_baseline = on))
        .help("Let the gate fail on fewer than five sessions of the base, which can't tell a change from another day"),
    turn("gate-estimates", |c, v| switch(v, |on| c.comparing.gate.trust_estimates = on))
        .help("Let the gate fail and pass on energy that was estimated and not measured"),
];

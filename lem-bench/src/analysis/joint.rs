//! The joint summary of several bench targets, for one report of a workspace.

use super::summary::{RunInfo, Summary};
use crate::model::{DomainId, Origin, fact_names};
use crate::units::Watts;

/// The name of the joint target.
const NAME: &str = "workspace";

impl Summary {
    /// Returns the benches of several runs as those of one run, with their full ids (`package/target/id`). What all runs
    /// have in common describes it. `None` without runs.
    pub(crate) fn joint(runs: Vec<Self>) -> Option<Self> {
        let infos: Vec<RunInfo> = runs.iter().map(|summary| summary.run.clone()).collect();
        let first = infos.first()?;
        let mut joint = Self {
            schema_version: runs.first()?.schema_version,
            run: joint_info(first, &infos),
            benches: Vec::new(),
            findings: Vec::new(),
        };
        for Self { run, benches, findings, .. } in runs {
            let target = run.bench_target();
            joint.benches.extend(benches.into_iter().map(|mut bench| {
                bench.bench.id = target.full_id(&bench.bench.id);
                bench.bench.group = Some(match bench.bench.group {
                    Some(group) => target.full_id(&group),
                    None => target.to_string(),
                });
                bench
            }));
            joint.findings.extend(findings.into_iter().map(|mut finding| {
                finding.evidence = format!("{target}: {}", finding.evidence);
                finding
            }));
        }
        Some(joint)
    }
}

/// Returns what all runs have in common, with the ids, meters, domains and bare idle powers of all.
fn joint_info(first: &RunInfo, all: &[RunInfo]) -> RunInfo {
    let in_all = |has: &dyn Fn(&RunInfo) -> bool| all.iter().all(has);
    let mut info = first.clone();
    NAME.clone_into(&mut info.target);
    info.run_id = distinct(all.iter().map(|run| &run.run_id)).join("+");
    info.processes = all.iter().map(|run| run.processes).max().unwrap_or(first.processes);
    info.notes.retain(|note| in_all(&|run| run.notes.contains(note)));
    info.settings.retain(|setting| in_all(&|run| run.settings.contains(setting)));
    info.environment.retain(|fact| fact.name != fact_names::PACKAGE && in_all(&|run| run.environment.contains(fact)));
    info.calibration = info.calibration.filter(|known| in_all(&|run| run.calibration.as_ref() == Some(known)));
    info.order = Some(info.order).filter(|order| in_all(&|run| run.order == *order)).unwrap_or_default();
    info.probe.meter = distinct(all.iter().map(|run| &run.probe.meter)).join(", ");
    // Benches of different origins state their own.
    if !in_all(&|run| run.probe.origin == first.probe.origin) {
        info.probe.origin = Origin::Measured;
    }
    info.probe.temperature = in_all(&|run| run.probe.temperature);
    info.probe.channels = distinct_by(all.iter().flat_map(|run| &run.probe.channels), |a| (&a.domain, a.counter));
    info.domains = distinct_by(all.iter().flat_map(|run| &run.domains), |domain| &domain.id);
    info.headline = distinct_by(all.iter().flat_map(|run| &run.headline), |id| id);
    info.bare_idle_w = mean_powers(all.iter().flat_map(|run| &run.bare_idle_w));
    info
}

/// Returns the values without duplicates, in order.
fn distinct<'a>(values: impl Iterator<Item = &'a String>) -> Vec<String> {
    distinct_by(values, |value| value)
}

/// Returns the first value with each key, in order.
fn distinct_by<'a, T: Clone + 'a, K: PartialEq>(
    values: impl Iterator<Item = &'a T>,
    key: impl Fn(&'a T) -> K,
) -> Vec<T> {
    let mut found: Vec<&T> = Vec::new();
    for value in values {
        if found.iter().all(|known| key(known) != key(value)) {
            found.push(value);
        }
    }
    found.into_iter().cloned().collect()
}

/// Returns the mean of the powers of each domain.
fn mean_powers<'a>(powers: impl Iterator<Item = &'a (DomainId, Watts)> + Clone) -> Vec<(DomainId, Watts)> {
    let to_mean = |(domain, _): (DomainId, Watts)| {
        let of_domain: Vec<f64> =
            powers.clone().filter(|(id, _)| *id == domain).map(|(_, watts)| watts.get()).collect();
        let mean = of_domain.iter().sum::<f64>() / of_domain.len() as f64;
        (domain, Watts(mean))
    };
    distinct_by(powers.clone(), |(domain, _)| domain).into_iter().map(to_mean).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::compare::fixture::{run, with_fact};
    use crate::analysis::{Check, Finding, Severity};
    use crate::model::{MeterProbe, Order, RunOrder};

    #[test]
    fn joins_what_runs_have_in_common() {
        let of = |package: &str, id: &str| with_fact(run(id, 1.0, 0.4), "package", package);
        let mut beta = with_fact(of("beta", "b"), "host", "other");
        beta.benches[0].bench.group = Some("good".to_owned());
        beta.findings.push(Finding::new(Check::JournalDamaged, Severity::Warning, "a line is cut", "run again"));
        let joint = Summary::joint(vec![of("alpha", "a"), beta]).unwrap();
        let named = |bench: &crate::analysis::BenchSummary| (bench.bench.id.clone(), bench.bench.group.clone());
        assert_eq!(named(&joint.benches[0]), ("alpha/llm/decode".to_owned(), Some("alpha/llm".to_owned())));
        assert_eq!(named(&joint.benches[1]), ("beta/llm/decode".to_owned(), Some("beta/llm/good".to_owned())));
        assert_eq!(joint.run.bench_target().to_string(), "workspace");
        let value = |name| fact_names::find(&joint.run.environment, name);
        assert_eq!((value("cpu model"), value("host"), value("package")), (Some("Xeon"), None, None));
        assert_eq!(joint.findings[0].evidence, "beta/llm: a line is cut");
        assert_eq!(Summary::joint(Vec::new()), None);
    }

    #[test]
    fn describes_all_runs() {
        let mut alpha = run("a", 1.0, 0.4);
        alpha.run.bare_idle_w = vec![(DomainId::new("gpu:0"), Watts(70.0))];
        let mut beta = with_fact(run("b", 2.0, 0.4), "git commit", "other");
        let cpu = DomainId::new("cpu:estimate");
        beta.run.probe = MeterProbe::new("estimate", Origin::Estimated, Vec::new());
        beta.run.bare_idle_w = vec![(DomainId::new("gpu:0"), Watts(80.0)), (cpu.clone(), Watts(1.0))];
        beta.run.headline = vec![cpu.clone()];
        beta.run.order = RunOrder { order: Order::Shuffled, seed: Some(1) };
        let joint = Summary::joint(vec![alpha.clone(), beta.clone()]).unwrap().run;
        assert_eq!((joint.run_id.as_str(), joint.probe.meter.as_str()), ("a+b", "nvml, estimate"));
        assert_eq!((joint.probe.origin, joint.order), (Origin::Measured, RunOrder::default()));
        assert_eq!(joint.headline, [DomainId::new("gpu:0"), cpu.clone()]);
        assert_eq!(joint.bare_idle_w, [(DomainId::new("gpu:0"), Watts(75.0)), (cpu, Watts(1.0))]);
        assert_eq!(fact_names::find(&joint.environment, "git commit"), None);
        // Two runs of one meter keep its origin.
        let joint = Summary::joint(vec![beta.clone(), beta]).unwrap().run;
        assert_eq!((joint.run_id.as_str(), joint.probe.origin), ("b", Origin::Estimated));
    }
}

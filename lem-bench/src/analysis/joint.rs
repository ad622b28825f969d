//! The joint summary of several bench targets, for one report of a workspace.

use super::summary::{RunInfo, Summary};
use crate::model::fact_names;

/// The name of the joint target.
const NAME: &str = "workspace";

impl Summary {
    /// Returns the benches of several runs as those of one run, with their full ids (`package/target/id`). What all runs
    /// have in common describes it; of what differs, only findings are kept. `None` without runs.
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

fn joint_info(first: &RunInfo, all: &[RunInfo]) -> RunInfo {
    let in_all = |has: &dyn Fn(&RunInfo) -> bool| all.iter().all(has);
    let mut info = first.clone();
    NAME.clone_into(&mut info.target);
    info.processes = all.iter().map(|run| run.processes).max().unwrap_or(first.processes);
    info.notes.retain(|note| in_all(&|run| run.notes.contains(note)));
    info.settings.retain(|setting| in_all(&|run| run.settings.contains(setting)));
    info.environment.retain(|fact| fact.name != fact_names::PACKAGE && in_all(&|run| run.environment.contains(fact)));
    for domain in all.iter().flat_map(|run| &run.domains) {
        if info.domains.iter().all(|known| known.id != domain.id) {
            info.domains.push(domain.clone());
        }
    }
    info
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::compare::fixture::{run, with_fact};
    use crate::analysis::{Check, Finding, Severity};

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
}

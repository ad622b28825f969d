//! Comparisons checked against the truth: false alarms, detected regressions, claims of no change, and the stated
//! detectable change. Duels are those of `cargo lem duel`.
//!
//! There are few runs here; `cargo run --release --example simulate -- A.json --compare B.json --runs 300` makes more.

use super::compare::{Against, ComparedScenarios, Verdicts, true_change_pct};
use super::parallel::run_in_parallel;
use lem_bench::__private::analysis::compare::Verdict;
use lem_bench::__private::harness::SimulationOptions;
use lem_bench::__private::sim::{Scenario, truth};

const RUNS: u64 = 60;

/// The standard errors by which a share may differ by chance.
const SIGMAS: f64 = 3.0;

fn scenario(name: &str) -> Scenario {
    Scenario::read(format!("{}/tests/scenarios/{name}.json", env!("CARGO_MANIFEST_DIR")).as_ref()).expect("a scenario")
}

fn verdicts(new: &str, against: Against) -> Verdicts {
    let (base, new) = (scenario("sessions_base"), scenario(new));
    let (base_truth, new_truth) = (truth(&base).expect("a truth"), truth(&new).expect("a truth"));
    let change = true_change_pct(&base_truth, &new_truth);
    let options = SimulationOptions::default();
    let scenarios = ComparedScenarios { base: &base, new: &new, truth: &base_truth, against, options: &options };
    let mut verdicts = Verdicts::default();
    run_in_parallel(
        RUNS,
        |run| scenarios.run(run),
        |compared| {
            assert!(compared.base.json().is_object());
            verdicts.add(&compared.bench, change);
        },
    )
    .expect("every run can be measured");
    assert!(verdicts.coverage() >= min_share(0.95), "{verdicts:?}");
    verdicts
}

/// The lowest share that may occur by chance when the true one is `share`.
fn min_share(share: f64) -> f64 {
    share - SIGMAS * (share * (1.0 - share) / RUNS as f64).sqrt()
}

/// The highest share that may occur by chance when the true one is `share`.
fn max_share(share: f64) -> f64 {
    share + SIGMAS * (share * (1.0 - share) / RUNS as f64).sqrt()
}

const HISTORY: Against = Against::Baseline { history: 10 };

#[test]
fn identical_code_has_no_alarms() {
    for against in [Against::Paired, HISTORY] {
        let verdicts = verdicts("sessions_base", against);
        let alarms = verdicts.share(Verdict::Regressed) + verdicts.share(Verdict::Improved);
        assert!(alarms <= max_share(0.05), "{against:?}: {verdicts:?}");
    }
}

#[test]
fn duel_detects_three_percent() {
    let verdicts = verdicts("sessions_3_pct_more", Against::Paired);
    let found = verdicts.share(Verdict::Regressed);
    assert!(found >= min_share(0.9), "{verdicts:?}");
    // 3 % is more than the change that the design detects in four of five runs.
    let stated = verdicts.detectable_pct().expect("a detectable change");
    assert!((1.0..3.0).contains(&stated), "{stated}");
    let change = verdicts.mean_change_pct().expect("changes");
    assert!((change - 3.0).abs() < 0.5, "{change}");
    assert_eq!(verdicts.suspected() + found + verdicts.share(Verdict::Unchanged), 1.0, "{verdicts:?}");
}

#[test]
fn unchanged_only_within_threshold() {
    // At exactly the threshold the claim is wrong; at most one in twenty may be made.
    assert!(verdicts("sessions_1_pct_more", Against::Paired).share(Verdict::Unchanged) <= max_share(0.05));
    assert!(verdicts("sessions_1_pct_more", HISTORY).share(Verdict::Unchanged) <= max_share(0.05));
    // With one saved baseline the claim is not possible: the session spread is as wide as the threshold.
    let single = verdicts("sessions_half_pct_more", Against::Baseline { history: 0 });
    assert_eq!((single.share(Verdict::Unchanged), single.share(Verdict::Invalid)), (0.0, 0.0), "{single:?}");
}

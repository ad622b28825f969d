//! Comparisons against the truth: identical code raises no alarms, a real regression is found, what is called unchanged
//! is, and the change that a design says it would find it finds.
//!
//! Runs are few here; `cargo run --release --example simulate -- A.json --compare B.json --runs 300` does more.

use super::compare::{Against, Contest, Verdicts, true_change_pct};
use super::side_by_side;
use lem_bench::analysis::compare::Verdict;
use lem_bench::harness::SimulationOptions;
use lem_bench::sim::{Scenario, truth};

const RUNS: u64 = 60;

/// Standard errors that a share may lie off by chance.
const SIGMAS: f64 = 3.0;

fn scenario(name: &str) -> Scenario {
    Scenario::read(format!("{}/tests/scenarios/{name}.json", env!("CARGO_MANIFEST_DIR")).as_ref()).expect("a scenario")
}

fn verdicts(new: &str, against: Against) -> Verdicts {
    let (base, new) = (scenario("sessions_base"), scenario(new));
    let (of_base, of_new) = (truth(&base).expect("a truth"), truth(&new).expect("a truth"));
    let change = true_change_pct(&of_base, &of_new);
    let options = SimulationOptions::default();
    let contest = Contest { base: &base, new: &new, truth: &of_base, against, options: &options };
    let mut verdicts = Verdicts::default();
    let run = |run| contest.run(run);
    side_by_side::side_by_side(RUNS, run, |compared| {
        assert!(compared.base.json().is_object());
        verdicts.add(&compared.bench, change);
    })
    .expect("every run can be measured");
    assert!(verdicts.coverage() >= at_least(0.95), "{verdicts:?}");
    verdicts
}

/// The least share that is still within chance of `share`.
fn at_least(share: f64) -> f64 {
    share - SIGMAS * (share * (1.0 - share) / RUNS as f64).sqrt()
}

/// The greatest share that is still within chance of `share`.
fn at_most(share: f64) -> f64 {
    share + SIGMAS * (share * (1.0 - share) / RUNS as f64).sqrt()
}

const HISTORY: Against = Against::Baseline { history: 10 };

#[test]
fn identical_code_raises_no_alarms_in_turns_or_with_a_history() {
    for against in [Against::Paired, HISTORY] {
        let verdicts = verdicts("sessions_base", against);
        let alarms = verdicts.share(Verdict::Regressed) + verdicts.share(Verdict::Improved);
        assert!(alarms <= at_most(0.05), "{against:?}: {verdicts:?}");
    }
}

#[test]
fn three_percent_more_are_found_in_turns_and_the_stated_reach_is_true() {
    let verdicts = verdicts("sessions_3_pct_more", Against::Paired);
    let found = verdicts.share(Verdict::Regressed);
    assert!(found >= at_least(0.9), "{verdicts:?}");
    // 3 % is beyond what the design says that it finds four times out of five.
    let stated = verdicts.detectable_pct().expect("a reach");
    assert!((1.0..3.0).contains(&stated), "{stated}");
    let change = verdicts.mean_change_pct().expect("changes");
    assert!((change - 3.0).abs() < 0.5, "{change}");
    assert_eq!(verdicts.suspected() + found + verdicts.share(Verdict::Unchanged), 1.0, "{verdicts:?}");
}

#[test]
fn unchanged_is_claimed_only_within_the_threshold() {
    // Exactly at the threshold the claim is wrong, and at most one in twenty is made.
    assert!(verdicts("sessions_1_pct_more", Against::Paired).share(Verdict::Unchanged) <= at_most(0.05));
    assert!(verdicts("sessions_1_pct_more", HISTORY).share(Verdict::Unchanged) <= at_most(0.05));
    // One saved baseline can never claim it: a session's spread is as wide as the threshold.
    let single = verdicts("sessions_half_pct_more", Against::Baseline { history: 0 });
    assert_eq!((single.share(Verdict::Unchanged), single.share(Verdict::Invalid)), (0.0, 0.0), "{single:?}");
}

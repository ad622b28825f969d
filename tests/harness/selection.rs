//! Which benches a call is about.

use crate::support::{call, ids};

fn listed(args: &[&str]) -> Vec<String> {
    let mut all = vec!["--list", "--format", "terse"];
    all.extend(args);
    ids(&call(&all))
}

#[test]
fn of_several_filters_any_may_match() {
    assert_eq!(listed(&["decode", "slow"]), ["good/decode", "odd/slow"]);
    assert_eq!(listed(&["batch=4"]).len(), 2);
}

#[test]
fn skip_takes_away_and_may_be_given_again() {
    assert_eq!(listed(&["good", "--skip", "batch=1", "--skip=f32"]), ["good/decode", "good/grid/batch=4/dtype=a%2Fb"]);
}

#[test]
fn exact_means_the_whole_id_also_for_skip() {
    assert_eq!(listed(&["--exact", "good/decode", "odd/slow"]), ["good/decode", "odd/slow"]);
    assert_eq!(listed(&["--exact", "--skip", "good", "--skip", "odd/slow"]).len(), 9);
}

#[test]
fn ignored_benches_run_when_asked_for() {
    let plain = call(&["odd", "good/decode"]).ends_with(0);
    assert!(plain.out.contains("test odd/slow ... ignored, takes long"), "{}", plain.out);
    assert!(plain.out.contains("1 passed; 0 failed; 1 ignored; 0 measured; 8 filtered out"), "{}", plain.out);
    let only = call(&["--ignored"]).ends_with(0);
    assert!(only.out.contains("test odd/slow ... ok") && only.out.contains("running 1 test\n"), "{}", only.out);
    let both = call(&["--include-ignored"]).ends_with(0);
    assert!(both.out.contains("10 passed; 0 failed; 0 ignored"), "{}", both.out);
}

#[test]
fn a_shuffle_is_repeated_by_its_seed() {
    let order = |args: &[&str]| {
        let mut all = vec!["good"];
        all.extend(args);
        let ran = call(&all).ends_with(0);
        ran.lines()
            .iter()
            .filter(|line| line.starts_with("test good"))
            .map(|line| (*line).to_owned())
            .collect::<Vec<_>>()
    };
    let (plain, shuffled) = (order(&[]), order(&["--shuffle-seed", "7"]));
    assert_ne!(plain, shuffled);
    assert_eq!(shuffled, order(&["--shuffle-seed", "7"]));
    let mut sorted = shuffled.clone();
    sorted.sort();
    let mut all = plain;
    all.sort();
    assert_eq!(sorted, all);
    call(&["good", "--shuffle"]).ends_with(0).says(&["--shuffle-seed "]);
}

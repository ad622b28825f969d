//! Selection of benches by filters, `--skip`, `--exact` and `--ignored`.

use crate::support::{call, ids};

fn listed(args: &[&str]) -> Vec<String> {
    let mut all = vec!["--list", "--format", "terse"];
    all.extend(args);
    ids(&call(&all))
}

#[test]
fn any_filter_may_match() {
    assert_eq!(listed(&["decode", "slow"]), ["good/decode", "odd/slow"]);
    assert_eq!(listed(&["batch=4"]).len(), 2);
}

#[test]
fn skip_can_be_repeated() {
    assert_eq!(listed(&["good", "--skip", "batch=1", "--skip=f32"]), ["good/decode", "good/grid/batch=4/dtype=a%2Fb"]);
}

#[test]
fn exact_applies_to_skip() {
    assert_eq!(listed(&["--exact", "good/decode", "odd/slow"]), ["good/decode", "odd/slow"]);
    assert_eq!(listed(&["--exact", "--skip", "good", "--skip", "odd/slow"]).len(), 9);
}

#[test]
fn runs_ignored_benches_on_request() {
    let plain = call(&["odd", "good/decode"]).exits_with(0);
    assert!(plain.out.contains("test odd/slow ... ignored, takes long"), "{}", plain.out);
    assert!(plain.out.contains("1 passed; 0 failed; 1 ignored; 0 measured; 8 filtered out"), "{}", plain.out);
    let only = call(&["--ignored"]).exits_with(0);
    assert!(only.out.contains("test odd/slow ... ok") && only.out.contains("running 1 test\n"), "{}", only.out);
    let both = call(&["--include-ignored"]).exits_with(0);
    assert!(both.out.contains("10 passed; 0 failed; 0 ignored"), "{}", both.out);
}

#[test]
fn shuffle_seed_repeats_order() {
    let order = |args: &[&str]| {
        let mut all = vec!["good"];
        all.extend(args);
        let output = call(&all).exits_with(0);
        output
            .lines()
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
    call(&["good", "--shuffle"]).exits_with(0).stderr_has(&["--shuffle-seed "]);
}

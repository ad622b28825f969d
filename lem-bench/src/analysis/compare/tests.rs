//! End-to-end tests of comparisons: results, environments and history.

use super::fixture::{run, with_fact};
use super::*;
use crate::analysis::{Check, Finding, Severity, Status, Summary};
use crate::model::{Fact, SessionResult};

fn compared(base: &Summary, new: &Summary, history: &[SessionResult]) -> BenchComparison {
    with(base, new, history, &CompareOptions::default())
}

fn with(base: &Summary, new: &Summary, history: &[SessionResult], options: &CompareOptions) -> BenchComparison {
    let side = |name, summary| Results { name, summaries: std::slice::from_ref(summary) };
    let comparison = compare(side("main", base), side("latest", new), history, options, GateRules::default());
    let text = serde_json::to_string(&comparison).unwrap();
    assert_eq!(serde_json::from_str::<Comparison>(&text).unwrap(), comparison);
    assert_eq!(comparison.benches.len(), 1);
    comparison.benches.into_iter().next().unwrap()
}

/// Sessions of the base whose logarithms have this mean and standard deviation, one a day from day 1 on.
fn history(sessions: usize, mean: f64, sd: f64) -> Vec<SessionResult> {
    let values = (0..sessions).map(|i| if i % 2 == 0 { 1.0 } else { -1.0 });
    let scale = sd * ((sessions as f64 - 1.0) / sessions as f64).sqrt();
    let to_session = |(day, sign): (usize, f64)| {
        let id = format!("past-{day}");
        session_results(&run(&id, 86_400.0 * (day as f64 + 1.0), mean * (sign * scale).exp())).remove(0)
    };
    values.enumerate().map(to_session).collect()
}

const DAY: f64 = 86_400.0;

#[test]
fn single_baseline_uses_the_stated_prior() {
    let bench = compared(&run("base", 100.0 * DAY, 0.4), &run("new", 101.0 * DAY, 0.42), &[]);
    assert_eq!(bench.design, Some(Design::SingleBaseline { sessions: 1 }));
    let spread = bench.session.unwrap();
    assert_eq!((spread.from, spread.s0, spread.d0, spread.df), (SpreadSource::StatedPrior, Some(0.01), 4.0, 4.0));
    // Each session's own noise: ln(1.01/0.99)/2 / t(0.975, 9) = 0.00442; s = √(0.01² + 0.00442²), se = s√2.
    let change = bench.change.unwrap();
    assert!((spread.s_mod - 0.010934).abs() < 2e-6, "{spread:?}");
    assert!((change.se - 0.015463).abs() < 3e-6, "{change:?}");
    assert!((change.percent - 5.0).abs() < 1e-9);
    // t(0.975, 4) = 2.7764.
    assert!((change.low - 100.0 * (1.05_f64.ln() - 2.776445 * change.se).exp_m1()).abs() < 1e-4, "{change:?}");
    assert_eq!(bench.verdict, Verdict::Inconclusive);
    assert_eq!(bench.suspected, Some(Direction::Regression));
    // `cargo lem`, which may not be installed, is not needed.
    let assumed = bench.reasons.iter().find(|reason| reason.contains("assumed")).unwrap();
    assert!(assumed.ends_with("until there are 5 sessions of the base") && !assumed.contains("cargo lem"), "{assumed}");
}

#[test]
fn ten_sessions_use_no_prior() {
    let base = run("base", 100.0 * DAY, 0.4);
    let bench = compared(&base, &run("new", 101.0 * DAY, 0.42), &history(9, 0.4, 0.004));
    assert_eq!(bench.design, Some(Design::History { sessions: 10 }));
    let spread = bench.session.unwrap();
    assert_eq!((spread.from, spread.s0, spread.df), (SpreadSource::History, None, 9.0));
    assert!((spread.s_mod - 0.004).abs() < 4e-4, "{spread:?}");
    assert_eq!(bench.verdict, Verdict::Regressed);
    assert!((bench.base.value.unwrap() - 0.4).abs() < 1e-3);
    let five = compared(&base, &run("new", 101.0 * DAY, 0.42), &history(4, 0.4, 0.004));
    assert_eq!(five.design, Some(Design::History { sessions: 5 }));
    assert_eq!(five.session.unwrap().from, SpreadSource::HistoryAndStatedPrior);
    assert_eq!(five.session.unwrap().df, 8.0);
}

#[test]
fn selects_sessions_of_the_base() {
    let (base, new) = (run("base", 100.0 * DAY, 0.4), run("new", 101.0 * DAY, 0.4));
    let good = history(4, 0.4, 0.004);
    type Spoil = fn(&mut SessionResult);
    let spoilers: [Spoil; 12] = [
        |past| past.facts = vec![Fact::new("model", "large")],
        |past| past.bench.push('x'),
        |past| past.target.push('x'),
        |past| past.package = Some("beta".to_owned()),
        |past| past.metric.push('x'),
        |past| past.machine.push('x'),
        |past| past.branch = Some("topic".to_owned()),
        |past| past.branch = None,
        |past| past.status = "invalid".to_owned(),
        |past| past.started_unix_s = 102.0 * DAY,
        |past| past.run_id = "new".to_owned(),
        |past| past.value = -1.0,
    ];
    assert_eq!(compared(&base, &new, &good).design, Some(Design::History { sessions: 5 }));
    for (index, spoil) in spoilers.iter().enumerate() {
        let mut history = good.clone();
        spoil(&mut history[0]);
        assert_eq!(compared(&base, &new, &history).design, Some(Design::SingleBaseline { sessions: 4 }), "{index}");
    }
    // The base's own line in the history, and a line that came twice, count once.
    let mut history = good.clone();
    history.extend(session_results(&base));
    history.push(good[0].clone());
    assert_eq!(compared(&base, &new, &history).design, Some(Design::History { sessions: 5 }));
}

#[test]
fn only_benches_of_one_target_are_compared() {
    let of = |package: &str, summary: Summary| with_fact(summary, "package", package);
    let main = [of("alpha", run("a1", DAY, 0.4)), of("beta", run("b1", DAY, 0.8))];
    let options = |anyway| CompareOptions { anyway, ..CompareOptions::default() };
    let compare_with_main = |new: &[Summary], anyway: bool| {
        let side = |name, summaries| Results { name, summaries };
        compare(side("main", &main), side("new", new), &[], &options(anyway), GateRules::default())
    };
    let pairs = |compared: &Comparison| -> Vec<(String, String)> {
        compared.benches.iter().map(|bench| (bench.id.clone(), bench.base.run_id.clone())).collect()
    };
    let pair = |id: &str, run: &str| (id.to_owned(), run.to_owned());
    let [alpha, beta, gamma] = ["alpha", "beta", "gamma"].map(|package| of(package, run("new", 2.0 * DAY, 0.4)));
    let compared = compare_with_main(std::slice::from_ref(&alpha), false);
    assert_eq!((pairs(&compared), compared.only_in_base.len()), (vec![pair("decode", "a1")], 0));
    assert_eq!(pairs(&compare_with_main(std::slice::from_ref(&beta), true)), [pair("decode", "b1")]);
    let none = compare_with_main(std::slice::from_ref(&gamma), false);
    assert_eq!((none.benches.len(), none.only_in_new.as_slice()), (0, &["decode".to_owned()][..]));
    assert_eq!(pairs(&compare_with_main(&[gamma], true)), [pair("decode", "a1")]);
    let both = compare_with_main(&[alpha.clone(), beta], false);
    assert_eq!(pairs(&both), [pair("alpha/llm/decode", "a1"), pair("beta/llm/decode", "b1")]);
    // A result without package is from an older version.
    assert_eq!(pairs(&compare_with_main(&[run("new", 2.0 * DAY, 0.4)], false)).len(), 1);
    let mut other = alpha;
    other.run.target = "energy".to_owned();
    assert_eq!(compare_with_main(&[other], false).benches.len(), 0);
}

#[test]
fn different_environments_are_not_compared() {
    let base = run("base", DAY, 0.4);
    let new = || run("new", 2.0 * DAY, 0.4);
    for (fact, value) in
        [("driver", "581.0"), ("gpu:0 power limit W", "500"), ("gpu:0 uuid", "GPU-2"), ("cpu model", "EPYC")]
    {
        let bench = compared(&base, &with_fact(new(), fact, value), &[]);
        assert_eq!((bench.verdict, bench.change), (Verdict::Invalid, None), "{fact}");
        let reason = &bench.reasons[0];
        assert!(reason.contains(fact) && reason.contains(value) && reason.contains("--compare-anyway"), "{reason}");
        let anyway = CompareOptions { anyway: true, ..CompareOptions::default() };
        let bench = with(&base, &with_fact(new(), fact, value), &[], &anyway);
        assert!(bench.change.is_some(), "{fact}");
        assert_eq!(bench.differences[0].fact, fact);
    }
    let stated = |mut summary: Summary, model: &str| {
        summary.benches[0].facts = vec![Fact::new("model", model)];
        summary
    };
    let bench = compared(&stated(base.clone(), "tiny"), &stated(new(), "large"), &[]);
    assert_eq!(bench.verdict, Verdict::Invalid);
    assert!(bench.reasons[0].contains("model: `tiny`, then `large` (use --compare-anyway"), "{:?}", bench.reasons);
    assert!(compared(&stated(base.clone(), "tiny"), &stated(new(), "tiny"), &[]).differences.is_empty());
    let only_new = compared(&base, &stated(new(), "large"), &[]);
    assert!(only_new.change.is_some());
    assert_eq!(only_new.differences[0].to_string(), "model: unknown, then `large`");
    let model = |summary, name| with_fact(summary, "context model", name);
    assert_eq!(compared(&model(base.clone(), "a"), &model(new(), "b"), &[]).verdict, Verdict::Invalid);
    let mut meter = new();
    meter.run.probe.meter = "rapl".to_owned();
    assert!(compared(&base, &meter, &[]).reasons[0].contains("meter: `nvml (measured)`, then `rapl (measured)`"));
    let mut method = new();
    method.benches[0].source.as_mut().unwrap().method = crate::model::Method::IntegratedPower;
    assert_eq!(compared(&base, &method, &[]).verdict, Verdict::Invalid);
    // Notes do not block, and facts that always differ are not noted.
    let noted = compared(&base, &with_fact(new(), "kernel", "7.0"), &[]);
    assert!(noted.change.is_some());
    assert_eq!(noted.differences.len(), 1, "{:?}", noted.differences);
    // A fact that only one side has does not block.
    assert!(compared(&base, &model(new(), "a"), &[]).change.is_some());
}

#[test]
fn invalid_and_missing_results_have_no_change() {
    let (base, mut new) = (run("base", DAY, 0.4), run("new", 2.0 * DAY, 0.8));
    new.benches[0].status = Status::Invalid;
    new.benches[0].findings.push(Finding::new(Check::Throttled, Severity::Invalid, "throttled all along", "cool it"));
    let bench = compared(&base, &new, &[]);
    assert_eq!(bench.verdict, Verdict::Invalid);
    assert!(bench.reasons[0].contains("throttled all along"), "{:?}", bench.reasons);
    let mut missing = run("new", 2.0 * DAY, 0.8);
    let metric = missing.benches[0].metrics.get_mut("j_per_output_token").unwrap();
    (metric.value, metric.interval, metric.missing) = (None, None, Some("no counter".to_owned()));
    assert!(compared(&base, &missing, &[]).reasons[0].contains("no counter"));
    let negative = compared(&base, &run("new", 2.0 * DAY, -0.1), &[]);
    assert_eq!((negative.verdict, negative.change), (Verdict::Invalid, None));
}

#[test]
fn run_against_itself_is_one_session() {
    let same = run("base", DAY, 0.4);
    let bench = compared(&same, &same, &[]);
    assert_eq!(bench.design, Some(Design::SameSession));
    assert_eq!(bench.change.unwrap().percent, 0.0);
}

#[test]
fn lists_benches_of_one_side() {
    let (mut base, mut new) = (run("base", DAY, 0.4), run("new", 2.0 * DAY, 0.4));
    base.benches[0].bench.id = "gone".to_owned();
    new.benches[0].bench.id = "fresh".to_owned();
    let side = |name, summary| Results { name, summaries: std::slice::from_ref(summary) };
    let options = CompareOptions::default();
    let comparison = compare(side("a", &base), side("b", &new), &[], &options, GateRules::default());
    assert_eq!((comparison.only_in_base, comparison.only_in_new), (vec!["gone".into()], vec!["fresh".into()]));
    assert!(comparison.benches.is_empty());
}

#[test]
fn pairs_cancel_drift() {
    // A drift of 5 % over the session, and 2 % more on the new side of each pair, ± 0.1 %.
    let pairs = (0..10).map(|i| {
        let drift = 0.4 * (1.0 + 0.005 * f64::from(i));
        (drift, drift * if i % 2 == 0 { 1.021 } else { 1.019 })
    });
    let input = PairedBench {
        id: "decode".to_owned(),
        metric: "j_per_output_token".to_owned(),
        unit: "J/token".to_owned(),
        pairs: pairs.collect(),
        status: (Status::Valid, Status::Valid),
        source: None,
        differences: Vec::new(),
    };
    let bench = paired(&input, &Criteria::default());
    assert_eq!((bench.verdict, bench.design), (Verdict::Regressed, Some(Design::Paired { pairs: 10 })));
    assert!((bench.change.unwrap().percent - 2.0).abs() < 0.01, "{:?}", bench.change);
    assert!(bench.detectable_pct.unwrap() < 1.2, "{:?}", bench.detectable_pct);
    let broken = PairedBench { status: (Status::Valid, Status::Invalid), ..input.clone() };
    assert_eq!(paired(&broken, &Criteria::default()).verdict, Verdict::Invalid);
    let none = PairedBench { pairs: vec![(0.4, 0.4)], ..input };
    assert!(paired(&none, &Criteria::default()).reasons[0].contains("too few"));
}

#[test]
fn order_of_facts_does_not_matter() {
    let facts = [Fact::new("model", "tiny"), Fact::new("dtype", "f32")];
    let stated = |mut summary: Summary, facts: Vec<Fact>| {
        summary.benches[0].facts = facts;
        summary
    };
    let reversed = || facts.iter().rev().cloned().collect();
    let mut past = history(5, 0.4, 0.001);
    for past in &mut past {
        past.facts = reversed();
    }
    let base = stated(run("base", 9.0 * DAY, 0.4), facts.to_vec());
    let bench = compared(&base, &stated(run("new", 10.0 * DAY, 0.4), reversed()), &past);
    assert_eq!((bench.design, bench.differences.len()), (Some(Design::History { sessions: 6 }), 0));
    past.extend(session_results(&base));
    assert_eq!(trends(&past).iter().map(|trend| trend.sessions.len()).collect::<Vec<_>>(), [6]);
    past[0].facts.pop();
    assert_eq!(trends(&past).len(), 2);
}

#[test]
fn duel_shows_that_facts_differ() {
    let stated = |model: &str| {
        let mut bench = run("run", DAY, 0.4).benches.remove(0);
        bench.facts = vec![Fact::new("model", model)];
        bench
    };
    let differences =
        |base, new| paired(&PairedBench::of(&stated(base), &stated(new)).unwrap(), &Criteria::default()).differences;
    assert_eq!(differences("tiny", "tiny"), []);
    assert_eq!(differences("tiny", "large")[0].to_string(), "model: `tiny`, then `large`");
}

#[test]
fn ignores_sessions_before_a_change_of_level() {
    // Six sessions at 0.4, then five and the base at 0.44.
    let mut past = history(6, 0.4, 0.001);
    let later = history(5, 0.44, 0.001).into_iter().enumerate().map(|(day, session)| SessionResult {
        run_id: format!("later-{day}"),
        started_unix_s: (20.0 + day as f64) * DAY,
        ..session
    });
    past.extend(later);
    let bench = compared(&run("base", 30.0 * DAY, 0.44), &run("new", 31.0 * DAY, 0.44), &past);
    assert_eq!(bench.design, Some(Design::History { sessions: 6 }));
    assert!(bench.change.unwrap().percent.abs() < 0.2, "{:?}", bench.change);
    past.extend(session_results(&run("base", 30.0 * DAY, 0.44)));
    let found = trends(&past);
    assert_eq!(found.len(), 1);
    let changes: Vec<usize> = found[0].changes.iter().map(|change| change.at).collect();
    assert_eq!((found[0].sessions.len(), changes), (12, vec![6]));
    assert!((found[0].changes[0].after - 0.44).abs() < 1e-3);
}

#[test]
fn calibration_subtracts_the_sessions_own_noise() {
    let same = |past: Vec<SessionResult>| -> Vec<SessionResult> {
        past.into_iter().map(|past| SessionResult { commit: Some("c".to_owned()), ..past }).collect()
    };
    let six = same(history(6, 0.4, 0.02));
    let machine = six[0].machine.clone();
    let found = calibrate(&six, &machine).unwrap();
    // √(0.02² − 0.00442²); the own noise as in `single_baseline_uses_the_stated_prior`.
    assert!((found.prior.s0 - 0.019505).abs() < 2e-6, "{found:?}");
    assert_eq!((found.prior.d0, found.prior.calibrated, found.sessions, found.benches), (5.0, true, 6, 1));
    assert_eq!(calibrate(&six[..4], &machine), Err(4));
    assert_eq!(calibrate(&six, "another"), Err(0));
    // Sessions of other commits are other code.
    assert_eq!(calibrate(&history(6, 0.4, 0.02), &machine), Err(1));
    // Sessions that differ by less than their own noise get the minimum, not a spread of 0.
    assert_eq!(calibrate(&same(history(6, 0.4, 0.0001)), &machine).unwrap().prior.s0, 0.001);
    let prior = Prior { s0: 0.003, d0: 8.0, calibrated: true };
    let options = CompareOptions { prior, ..CompareOptions::default() };
    let bench = with(&run("base", 9.0 * DAY, 0.4), &run("new", 10.0 * DAY, 0.42), &[], &options);
    assert_eq!(bench.session.unwrap().from, SpreadSource::Calibration);
    assert!(bench.reasons.iter().any(|reason| reason.contains("0.30 % between sessions, as calibrated")));
}

#[test]
fn repeated_measurements_of_a_change_are_not_its_base() {
    let at = |mut past: Vec<SessionResult>, commit: &str| {
        for past in &mut past {
            past.run_id.push('b');
            past.started_unix_s += 100.5 * DAY;
            past.commit = Some(commit.to_owned());
        }
        past
    };
    let base = run("base", 100.0 * DAY, 0.4);
    let new = with_fact(run("new", 120.0 * DAY, 0.44), "git commit", "head");
    let alone = |past: &[SessionResult]| compared(&base, &new, past).design;
    // Runs of the new commit, or of another one, on the base's branch after the base.
    assert_eq!(alone(&at(history(5, 0.44, 0.001), "head")), Some(Design::SingleBaseline { sessions: 1 }));
    assert_eq!(alone(&at(history(5, 0.44, 0.001), "other")), Some(Design::SingleBaseline { sessions: 1 }));
    // The base's commit again is the base.
    let again = at(history(5, 0.4, 0.001), "base");
    assert_eq!(alone(&again), Some(Design::History { sessions: 6 }));
    // Where both have the same commit, a later session of one cannot be distinguished from one of the other.
    let same = with_fact(new.clone(), "git commit", "base");
    assert_eq!(compared(&base, &same, &again).design, Some(Design::SingleBaseline { sessions: 1 }));
}

//! Energy by phase on machines whose power in each phase is known: told where the sensor can tell, else refused.

use lem_bench::analysis::{BenchSummary, Options, PhaseSummary, summarise};
use lem_bench::harness::{SimulationOptions, simulate};
use lem_bench::sim::{Scenario, Seeds};

fn measured(name: &str) -> BenchSummary {
    let path = format!("{}/tests/scenarios/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let scenario = Scenario::read(path.as_ref()).unwrap_or_else(|error| panic!("{error}"));
    let run = simulate(&scenario, Seeds { run: 3, bench: 0 }, &SimulationOptions::default()).expect("a run");
    let mut summary = summarise(&[run.records], &Options { resamples: 100, ..Options::default() }).expect("a summary");
    summary.benches.remove(0)
}

fn phase<'a>(bench: &'a BenchSummary, name: &str) -> &'a PhaseSummary {
    bench.phases.iter().find(|phase| phase.name == name).unwrap_or_else(|| panic!("no phase {name}"))
}

#[test]
fn each_phase_draws_what_the_machine_draws_in_it() {
    let bench = measured("phases");
    let requests: u64 = bench.cycles.iter().map(|cycle| cycle.requests).sum();
    let mut shares = 0.0;
    for (name, watts) in [("prefill", 600.0), ("decode", 300.0)] {
        let phase = phase(&bench, name);
        let joules = phase.j_per_request.value.unwrap_or_else(|| panic!("{name}: {:?}", phase.j_per_request.missing));
        let drawn = joules * requests as f64 / phase.seconds;
        assert!((drawn / watts - 1.0).abs() < 0.03, "{name} drew {drawn:.1} W, and the machine {watts} W");
        shares += phase.share_of_time;
    }
    assert!((0.95..=1.0 + 1e-9).contains(&shares), "the two fill the windows: {shares}");
}

#[test]
fn a_phase_that_is_too_short_for_the_sensor_has_a_time_and_no_energy() {
    let bench = measured("plain");
    let prefill = phase(&bench, "prefill");
    assert!(prefill.count > 100 && prefill.seconds > 0.0, "{prefill:?}");
    assert_eq!(prefill.j_per_request.value, None);
    let why = prefill.j_per_request.missing.as_deref().unwrap_or_default();
    assert!(why.contains("can be separated"), "{why}");
}

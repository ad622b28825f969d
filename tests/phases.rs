//! Energy by phase on simulated machines with known power in each phase. It is missing if the sensor can't resolve it.

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
fn phases_have_true_power() {
    let bench = measured("phases");
    let requests: u64 = bench.cycles.iter().map(|cycle| cycle.requests).sum();
    let mut shares = 0.0;
    for (name, watts) in [("prefill", 600.0), ("decode", 300.0)] {
        let phase = phase(&bench, name);
        let joules = phase.j_per_request.value.unwrap_or_else(|| panic!("{name}: {:?}", phase.j_per_request.missing));
        let measured_w = joules * requests as f64 / phase.seconds;
        assert!((measured_w / watts - 1.0).abs() < 0.03, "{name}: {measured_w:.1} W instead of {watts} W");
        shares += phase.share_of_time;
    }
    assert!((0.95..=1.0 + 1e-9).contains(&shares), "the phases do not fill the windows: {shares}");
}

#[test]
fn short_phase_has_no_energy() {
    let bench = measured("plain");
    let prefill = phase(&bench, "prefill");
    assert!(prefill.count > 100 && prefill.seconds > 0.0, "{prefill:?}");
    assert_eq!(prefill.j_per_request.value, None);
    let why = prefill.j_per_request.missing.as_deref().unwrap_or_default();
    assert!(why.contains("can be separated"), "{why}");
}

//! Energy by phase on simulated machines with known power in each phase. It is missing if the sensor can't resolve it.

use std::time::Duration;

use lem_bench::__private::analysis::{Options, summarise};
use lem_bench::__private::harness::{SimulationOptions, simulate};
use lem_bench::__private::model::Record;
use lem_bench::__private::protocol::Overrides;
use lem_bench::__private::sim::{Scenario, Seeds};
use lem_bench::summary::{BenchSummary, CycleSummary, PhaseSummary};

fn measured(name: &str) -> BenchSummary {
    let path = format!("{}/tests/scenarios/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let scenario = Scenario::read(path.as_ref()).unwrap_or_else(|error| panic!("{error}"));
    summary_of(&records(&scenario, &SimulationOptions::default()))
}

fn records(scenario: &Scenario, options: &SimulationOptions) -> Vec<Record> {
    simulate(scenario, Seeds { run: 3, bench: 0 }, options).expect("a run").records
}

fn summary_of(records: &[Record]) -> BenchSummary {
    let mut summary = summarise(&[records], &Options { resamples: 100, ..Options::default() }).expect("a summary");
    summary.benches.remove(0)
}

fn phase<'a>(bench: &'a BenchSummary, name: &str) -> &'a PhaseSummary {
    bench.phases.iter().find(|phase| phase.name == name).unwrap_or_else(|| panic!("no phase {name}"))
}

#[test]
fn phases_have_true_power() {
    let bench = measured("phases");
    let requests: u64 = bench.cycles.iter().map(|cycle| cycle.requests).sum();
    let work = |count: fn(&CycleSummary) -> u64| bench.cycles.iter().map(count).sum::<u64>() as f64;
    let tokens = |name| match name {
        "prefill" => work(|cycle| cycle.input_tokens),
        _ => work(|cycle| cycle.output_tokens),
    };
    let mut shares = 0.0;
    for (name, watts) in [("prefill", 600.0), ("decode", 300.0)] {
        let phase = phase(&bench, name);
        let joules = phase.j_per_request.value.unwrap_or_else(|| panic!("{name}: {:?}", phase.j_per_request.missing));
        let measured_w = joules * requests as f64 / phase.seconds;
        assert!((measured_w / watts - 1.0).abs() < 0.03, "{name}: {measured_w:.1} W instead of {watts} W");
        let per_token = phase.j_per_token.as_ref().and_then(|metric| metric.value).expect("tokens are counted");
        assert!((per_token * tokens(name) / joules / requests as f64 - 1.0).abs() < 1e-9, "{name}: {per_token} J");
        shares += phase.share_of_time;
    }
    assert!((0.95..=1.0 + 1e-9).contains(&shares), "the phases do not fill the windows: {shares}");
    assert!(bench.metrics.contains_key("j_per_input_token"), "input tokens are counted beside output tokens");
    assert_eq!(bench.headline_metric.as_deref(), Some("j_per_output_token"));
}

#[test]
fn thinned_phases_have_energy_of_all() {
    let scenario = r#"{
        "name": "many phases that the sensor can separate", "seed": 7,
        "device": {"id": "gpu:0", "idle_w": 75, "prefill_w": 600, "decode_w": 300, "temperature": false},
        "workload": {
            "input_tokens": {"lognormal": [4.0, 0.5]}, "output_tokens": {"lognormal": [2.5, 0.5]},
            "prefill_s_per_token": 0.03, "decode_s_per_token": 0.15, "overhead_s": 0, "cycle_cv": 0.02
        },
        "sensors": [{"kind": "counter", "update_s": 0.02, "quantum_j": 0.001}]
    }"#;
    let scenario = Scenario::from_json(scenario).unwrap_or_else(|error| panic!("{error}"));
    let overrides = Overrides { min_window: Some(Duration::from_secs(200)), ..Overrides::default() };
    let mut records = records(&scenario, &SimulationOptions { overrides, ..SimulationOptions::default() });
    let whole = summary_of(&records);
    for record in &mut records {
        if let Record::Cycle(cycle) = record {
            let requests = std::mem::take(&mut cycle.requests);
            cycle.requests = requests.thin_phases(4, u64::from(cycle.index));
        }
    }
    let thinned = summary_of(&records);
    let kept = thinned.thinned.expect("phases are thinned");
    assert!(kept.phases_kept * 3 < kept.phases && kept.times_kept == kept.times, "{kept:?}");
    for (all, some) in whole.phases.iter().zip(&thinned.phases) {
        assert_eq!((&all.name, all.count), (&some.name, some.count));
        assert!((some.seconds / all.seconds - 1.0).abs() < 1e-9, "{} {}", some.seconds, all.seconds);
        let value = |phase: &PhaseSummary| phase.j_per_request.value.unwrap_or_else(|| panic!("{phase:?}"));
        let (exact, estimate) = (value(all), value(some));
        assert!((estimate / exact - 1.0).abs() < 0.02, "{}: {estimate} J instead of {exact} J", all.name);
        let interval = some.j_per_request.interval.as_ref().unwrap();
        assert!(interval.low <= exact && exact <= interval.high, "{}: {interval:?} {exact}", all.name);
    }
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

//! The stated truth of a scenario against what its machine really spends.

use super::rig::{run, scenario};
use crate::sim::{Machine, Scenario, Seeds, truth};

/// Joules per token of `requests` requests in thermal steady state, and its standard error over ten blocks.
fn spent(scenario: &Scenario, requests: u64) -> (f64, f64) {
    let machine = Machine::new(scenario, Seeds { run: 11, bench: 2 }).unwrap();
    let mut workload = machine.workload();
    run(&machine, &mut workload, 800);
    let blocks: Vec<(f64, f64)> = (0..10)
        .map(|_| {
            let (tokens, energy) = run(&machine, &mut workload, requests / 10);
            (tokens as f64, energy.get())
        })
        .collect();
    let tokens: f64 = blocks.iter().map(|(tokens, _)| tokens).sum();
    let ratio = blocks.iter().map(|(_, joules)| joules).sum::<f64>() / tokens;
    let squares: f64 = blocks.iter().map(|(tokens, joules)| (joules - ratio * tokens).powi(2)).sum();
    (ratio, (squares * 10.0 / 9.0).sqrt() / tokens)
}

#[test]
fn machines_spend_what_their_truth_says() {
    let workload = r#""workload": {"input_tokens": {"lognormal": [5, 0.5]}, "output_tokens": {"lognormal": [4, 0.6]},
        "request_cv": 0.02, "request_ar1": 0.3, "warmup": {"shape": "exp"}}"#;
    for devices in [
        r#""device": {"loaded_idle_w": 115, "prefill_w": 600, "decode_w": 350, "leakage_w_per_c": 0.5,
            "power_noise": 0.01}"#,
        r#""device": {"decode_w": 400, "loaded_idle_w": 115, "leakage_w_per_c": 0.5, "throttle_c": 55,
            "power_noise": 0.01}"#,
        r#""device": {"idle_w": 200, "decode_w": 400, "leakage_w_per_c": 0.5, "throttle_c": 40}"#,
        r#""devices": [{"leakage_w_per_c": 0.5}, {"id": "gpu:1", "decode_w": 450, "throttle_c": 60}]"#,
    ] {
        let scenario = scenario(&format!("{{{devices}, {workload}}}"));
        let truth = truth(&scenario).unwrap();
        let (spent, error) = spent(&scenario, 8_000);
        assert!(error / spent < 2e-3, "{devices}: {spent} ± {error}");
        let off = spent - truth.j_per_output_token;
        assert!(off.abs() < 4.0 * error + 1e-4 * spent, "{devices}: {spent} ± {error}, {truth:?}");
    }
}

//! `--log`: what takes time is told when somebody asks, and stderr is quiet otherwise.

use crate::support::{Ran, fixture, run};

const SIMULATED: &str = concat!("sim:", env!("CARGO_MANIFEST_DIR"), "/tests/scenarios/without_heat.json");

fn measure(args: &[&str], variables: &[(&str, &str)]) -> Ran {
    let home = tempfile::tempdir().unwrap();
    let mut command = fixture(&["--bench", "--meter", SIMULATED, "--quick", "--nresamples", "100", "good/decode"]);
    command.args(args).env("LEM_BENCH_HOME", home.path()).env_remove("RUST_LOG");
    run(command.envs(variables.iter().copied())).ends_with(0)
}

#[test]
fn what_takes_time_is_told_when_somebody_asks() {
    let quiet = measure(&[], &[]);
    assert!(!quiet.err.contains("lem_bench::"), "{}", quiet.err);
    let info = measure(&["--log", "info"], &[]);
    let info = info.says(&["opened the meter", "probed the meter", "made the summary and its pages", "seconds="]);
    let info = info.says(&["bench begins", "warmed up", "cycle kept", "bench ended", "run ended"]);
    assert_eq!(info.err.matches("cycle kept").count(), 5, "{}", info.err);
    assert!(!info.err.contains("stage begins"), "{}", info.err);
    assert!(!info.out.contains("lem_bench::"), "stdout holds results alone: {}", info.out);
    measure(&[], &[("LEM_BENCH_LOG", "debug")]).says(&["stage begins", "stage=RampIn"]);
    measure(&[], &[("RUST_LOG", "lem_bench::store=trace")]).says(&["appended and synced", "lem_bench::store"]);
    let flag = measure(&["--log", "off"], &[("RUST_LOG", "trace")]);
    assert!(!flag.err.contains("lem_bench::"), "{}", flag.err);
    // Others' syntax in a variable that is not ours alone is no mistake.
    measure(&[], &[("RUST_LOG", "[span{x=1}]=loud")]);
}

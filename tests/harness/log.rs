//! `--log`: slow steps are logged on request, and stderr is quiet otherwise.

use crate::support::{Output, fixture, run};

const SIMULATED: &str = concat!("sim:", env!("CARGO_MANIFEST_DIR"), "/tests/scenarios/without_heat.json");

fn measure(args: &[&str], variables: &[(&str, &str)]) -> Output {
    let home = tempfile::tempdir().unwrap();
    let mut command = fixture(&["--bench", "--meter", SIMULATED, "--quick", "--nresamples", "100", "good/decode"]);
    command.args(args).env("LEM_BENCH_HOME", home.path()).env_remove("RUST_LOG");
    run(command.envs(variables.iter().copied())).exits_with(0)
}

#[test]
fn logs_slow_steps_on_request() {
    let quiet = measure(&[], &[]);
    assert!(!quiet.err.contains("lem_bench::"), "{}", quiet.err);
    let info = measure(&["--log", "info"], &[]);
    let info = info.stderr_has(&["opened the meter", "probed the meter", "made the summary and its pages", "seconds="]);
    let info = info.stderr_has(&["bench begins", "warmed up", "cycle kept", "bench ended", "run ended"]);
    assert_eq!(info.err.matches("cycle kept").count(), 5, "{}", info.err);
    assert!(!info.err.contains("stage begins"), "{}", info.err);
    assert!(!info.out.contains("lem_bench::"), "stdout contains log lines: {}", info.out);
    measure(&[], &[("LEM_BENCH_LOG", "debug")]).stderr_has(&["stage begins", "stage=RampIn"]);
    measure(&[], &[("RUST_LOG", "lem_bench::store=trace")]).stderr_has(&["appended and synced", "lem_bench::store"]);
    let flag = measure(&["--log", "off"], &[("RUST_LOG", "trace")]);
    assert!(!flag.err.contains("lem_bench::"), "{}", flag.err);
    // `RUST_LOG` is shared with other programs: syntax that lem-bench doesn't know is not an error.
    measure(&[], &[("RUST_LOG", "[span{x=1}]=loud")]);
}
